"""Puts the first value of secrets, inside AWS, so that no generated value passes through Pulumi.

The function merges: plain fields are written as configured, a generated field that is there
already is kept. Nothing here ever makes a second password; that is rotation's work. A generated
SecureString of Parameter Store is made by it as a whole, because it cannot be there without its
value; one that is there is left as it is. See ``infra/components/parameter_store.py``, too.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from infra.aws import limits
from infra.components import grants
from infra.policies import iam as policies
from infra.policies import parameters as parameter_policies


class Seed(TypedDict):
    """What one secret starts from."""

    name: str
    """Full name of the secret; the names decide how the policies are split."""
    arn: pulumi.Input[str]
    """ARN of the secret."""
    fields: Mapping[str, Any]
    """Plain fields, text, numbers or booleans; a change updates them in the secret."""
    generate: Mapping[str, Mapping[str, Any]]
    """Generated fields -> rules, in the words of a stack file's ``generate``."""


class ParameterSeed(TypedDict):
    """What one SecureString parameter is made of, if it is not there."""

    name: str
    """Full name of the parameter; the names decide how the policies are split."""
    arn: pulumi.Input[str]
    """ARN of the parameter, which need not be there yet."""
    generate: Mapping[str, Any]
    """Rules of the value, in the words of a stack file's ``generate``."""
    description: NotRequired[str]
    """What the parameter is for."""
    tier: NotRequired[str]
    """Standard (default) or Advanced."""


class SecretSeederArgs(TypedDict):
    """What a ``SecretSeeder`` is made of."""

    seeds: Mapping[str, Seed]
    """Logical name of the secret -> what it starts from."""
    parameters: NotRequired[Mapping[str, ParameterSeed]]
    """Logical name of the parameter -> what it is made of (default none)."""
    times_lost: NotRequired[Mapping[str, int]]
    """Logical name of a parameter -> how often it was made and then gone (default never); once
    more calls the function again."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key of the secrets, the parameters and the logs."""
    replica_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Region -> ARN of the KMS key there, of every region that has replicas of these secrets."""
    log_group_name: str
    """Name of the log group, which is made here."""
    file: Path
    """The function's source: a module with ``lambda_handler``."""
    runtime: NotRequired[str]
    """Runtime (default python3.13)."""
    architecture: NotRequired[str]
    """arm64 (default) or x86_64."""
    log_retention_days: NotRequired[int]
    """Days that logs are kept, as CloudWatch allows (default 30)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of everything that takes tags."""


class SecretSeeder(pulumi.ComponentResource):
    """A small function that fills secrets and makes SecureStrings, and one call of it for each.

    Resources:
        aws.cloudwatch.LogGroup, aws.iam.Role, aws.lambda.Function: the function.
        aws.iam.RolePolicy: its own log group.
        aws.iam.Policy, aws.iam.RolePolicyAttachment: read and write these secrets and parameters.
        aws.lambda.Invocation: one each; made anew, so called again, when its seed changes, or
            when a parameter was lost.
    """

    function_name: pulumi.Output[str]
    """Name of the function."""
    role_arn: pulumi.Output[str]
    """ARN of the function's role."""
    policy_arns: list[pulumi.Output[str]]
    """ARNs of the role's customer managed policies."""
    versions: pulumi.Output[dict[str, str]]
    """Logical name, of a parameter after ``parameters/`` -> id of the version that the last call
    found or wrote."""

    def __init__(
        self, name: str, args: SecretSeederArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        runtime = args.get("runtime", "python3.13")
        architecture = args.get("architecture", "arm64")
        retention = args.get("log_retention_days", 30)
        limits.check(
            f"SecretSeeder {name!r}",
            [
                ("runtime", runtime, limits.RUNTIMES),
                ("architecture", architecture, limits.ARCHITECTURES),
                ("log_retention_days", retention, limits.LOG_RETENTION_DAYS),
            ],
        )
        seeds = dict(sorted(args["seeds"].items()))
        parameters = dict(sorted(args.get("parameters", {}).items()))
        replica_key_arns = args.get("replica_key_arns", {})
        grants.check(
            f"SecretSeeder {name!r}",
            [seed["name"] for seed in seeds.values()],
            len(replica_key_arns),
            parameter_names=[[seed["name"] for seed in parameters.values()]],
        )
        props = {key: given for key, given in args.items() if key not in {"file", "times_lost"}}
        super().__init__("lambda-secrets:index:SecretSeeder", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = args.get("tags")

        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=args["log_group_name"],
            retention_in_days=retention,
            kms_key_id=args["key_arn"],
            tags=tags,
            opts=child,
        )
        role = aws.iam.Role(
            f"{name}-role",
            description="Puts the first value of the environment's secrets",
            assume_role_policy=pulumi.Output.json_dumps(
                policies.assume_role("lambda.amazonaws.com")
            ),
            tags=tags,
            opts=child,
        )
        attached = [
            aws.iam.RolePolicy(
                f"{name}-logs",
                role=role.name,
                policy=pulumi.Output.json_dumps(logs.arn.apply(policies.write_logs)),
                opts=child,
            ),
            *grants.attach(
                f"{name}-seed",
                role.name,
                {seed["name"]: seed["arn"] for seed in seeds.values()},
                [args["key_arn"], *replica_key_arns.values()],
                policies.seed_secrets,
                tags,
                child,
            ),
            *grants.attach(
                f"{name}-seed-parameters",
                role.name,
                {seed["name"]: seed["arn"] for seed in parameters.values()},
                [args["key_arn"]],
                parameter_policies.seed_parameters,
                tags,
                child,
            ),
        ]
        function = aws.lambda_.Function(
            f"{name}-function",
            code=pulumi.AssetArchive({args["file"].name: pulumi.FileAsset(str(args["file"]))}),
            handler=f"{args['file'].stem}.lambda_handler",
            runtime=runtime,
            architectures=[architecture],
            role=role.arn,
            memory_size=256,
            # A new role is not known everywhere at once; the function waits for its grants.
            timeout=60,
            logging_config={"log_format": "Text", "log_group": logs.name},
            tags=tags,
            opts=child,
        )

        events: dict[str, dict[str, Any]] = {
            secret: {
                "SecretId": seed["arn"],
                "Fields": dict(seed["fields"]),
                "Generate": {key: dict(rules) for key, rules in seed["generate"].items()},
            }
            for secret, seed in seeds.items()
        }
        for parameter, made in parameters.items():
            events[f"parameters/{parameter}"] = {
                "Parameter": {
                    "Name": made["name"],
                    "Type": "SecureString",
                    "KeyId": args["key_arn"],
                    "Description": made.get("description", ""),
                    "Tier": made.get("tier", "Standard"),
                    "Tags": [{"Key": key, "Value": tag} for key, tag in (tags or {}).items()],
                },
                "Generate": dict(made["generate"]),
            }
        triggers = {
            f"parameters/{parameter}": {"lost": str(times)}
            for parameter, times in args.get("times_lost", {}).items()
        }
        versions: dict[str, pulumi.Output[str]] = {}
        for seeded, event in events.items():
            invocation = aws.lambda_.Invocation(
                f"{name}-{seeded}",
                function_name=function.name,
                input=pulumi.Output.json_dumps(event),
                triggers=triggers.get(seeded),
                opts=pulumi.ResourceOptions(parent=self, depends_on=attached),
            )
            versions[seeded] = invocation.result.apply(
                lambda result: str(json.loads(result)["VersionId"])
            )

        self.function_name = function.name
        self.role_arn = role.arn
        self.policy_arns = grants.policy_arns(attached)
        self.versions = pulumi.Output.all(**versions)
        self.register_outputs(
            {
                "function_name": self.function_name,
                "role_arn": self.role_arn,
                "policy_arns": self.policy_arns,
                "versions": self.versions,
            }
        )
