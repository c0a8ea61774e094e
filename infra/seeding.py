"""Puts the first value of secrets, inside AWS, so that no generated value passes through Pulumi.

The function merges: plain fields are written as configured, a generated field that is there
already is kept. Nothing here ever makes a second password; that is rotation's work.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from infra import grants, limits, policies


class Seed(TypedDict):
    """What one secret starts from."""

    name: str
    """Full name of the secret; the names decide how the policies are split."""
    arn: pulumi.Input[str]
    """ARN of the secret."""
    fields: Mapping[str, Any]
    """Plain fields, text, numbers or booleans; a change updates them in the secret."""
    first: NotRequired[Mapping[str, Any]]
    """Plain fields that are written only when missing: rotation changes them afterwards."""
    generate: Mapping[str, Mapping[str, Any]]
    """Generated fields -> parameters of GetRandomPassword, in its own words."""


class SecretSeederArgs(TypedDict):
    """What a ``SecretSeeder`` is made of."""

    seeds: Mapping[str, Seed]
    """Logical name of the secret -> what it starts from."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key of the secrets and of the logs."""
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
    """A small function that fills secrets, and one call of it for each.

    Resources:
        aws.cloudwatch.LogGroup, aws.iam.Role, aws.lambda.Function: the function.
        aws.iam.RolePolicy: its own log group.
        aws.iam.Policy, aws.iam.RolePolicyAttachment: read and write these secrets.
        aws.lambda.Invocation: one a secret; made anew, so called again, when its seed changes.
    """

    function_name: pulumi.Output[str]
    """Name of the function."""
    versions: pulumi.Output[dict[str, str]]
    """Logical name -> id of the version that the last call found or wrote."""

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
        grants.check(f"SecretSeeder {name!r}", [seed["name"] for seed in args["seeds"].values()])
        props = {key: given for key, given in args.items() if key != "file"}
        super().__init__("lambda-secrets:index:SecretSeeder", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = args.get("tags")
        seeds = dict(sorted(args["seeds"].items()))

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
                args["key_arn"],
                policies.seed_secrets,
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

        versions: dict[str, pulumi.Output[str]] = {}
        for secret, seed in seeds.items():
            invocation = aws.lambda_.Invocation(
                f"{name}-{secret}",
                function_name=function.name,
                input=pulumi.Output.json_dumps(
                    {
                        "SecretId": seed["arn"],
                        "Fields": dict(seed["fields"]),
                        "First": dict(seed.get("first", {})),
                        "Generate": {key: dict(rules) for key, rules in seed["generate"].items()},
                    }
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=attached),
            )
            versions[secret] = invocation.result.apply(
                lambda result: str(json.loads(result)["VersionId"])
            )

        self.function_name = function.name
        self.versions = pulumi.Output.all(**versions)
        self.register_outputs({"function_name": self.function_name, "versions": self.versions})
