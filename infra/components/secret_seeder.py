"""Generates the initial values of secrets inside AWS, so that they never pass through Pulumi.

A small Lambda function, the seeder, writes plain fields as configured, and keeps a generated field
that exists already. It never generates a second password; that is the job of rotation. It does not
overwrite concurrent writes: see `handler/seed_versions.py`. A generated SecureString of Parameter
Store is created by the seeder, because a parameter cannot exist without a value; an existing one
stays unchanged. See also `infra/components/parameter_store.py`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..policies import iam as policies
from ..policies import parameters as parameter_policies
from . import grants, small_function
from .small_function import SmallFunctionArgs


class Seed(TypedDict):
    """The initial value of one secret."""

    name: str
    """Full name of the secret; the names decide how the policies are split."""
    arn: pulumi.Input[str]
    """ARN of the secret."""
    fields: Mapping[str, Any]
    """Plain fields, text, numbers or booleans; a change updates them in the secret."""
    generate: Mapping[str, Mapping[str, Any]]
    """Generated fields -> rules, with the keys of a stack file's `generate`."""


class ParameterSeed(TypedDict):
    """One SecureString parameter, to be created if it does not exist."""

    name: str
    """Full name of the parameter; the names decide how the policies are split."""
    arn: pulumi.Input[str]
    """ARN of the parameter, which need not exist yet."""
    generate: Mapping[str, Any]
    """Rules of the value, with the keys of a stack file's `generate`."""
    description: NotRequired[str]
    """Description of the parameter."""
    tier: NotRequired[str]
    """Standard (default) or Advanced."""


class SecretSeederArgs(SmallFunctionArgs):
    """Arguments of a `SecretSeeder`."""

    seeds: Mapping[str, Seed]
    """Logical name of a secret -> its initial value."""
    parameters: NotRequired[Mapping[str, ParameterSeed]]
    """Logical name of a parameter -> how to create it (default none)."""
    times_lost: NotRequired[Mapping[str, int]]
    """Logical name of a parameter -> how often it was created and then lost (default never); a
    higher number calls the function again."""
    replica_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Region -> ARN of the KMS key there, for each region that has replicas of these secrets."""
    files: Mapping[str, Path]
    """The package, exactly: path in the package -> file."""
    handler: str
    """`module.function` in the package."""


class SecretSeeder(pulumi.ComponentResource):
    """A function that writes initial values, and one call of it for each secret and parameter.

    Resources:
        aws.cloudwatch.LogGroup, aws.iam.Role, aws.lambda.Function: the function.
        aws.iam.RolePolicy: its own log group.
        aws.iam.Policy, aws.iam.RolePolicyAttachment: read and write these secrets and parameters.
        aws.lambda.Invocation: one call for each; replaced, and so called again, when its input
            changes or a parameter was lost.
    """

    function_name: pulumi.Output[str]
    """Name of the function."""
    role_arn: pulumi.Output[str]
    """ARN of the function's role."""
    policy_arns: list[pulumi.Output[str]]
    """ARNs of the role's customer managed policies."""
    versions: pulumi.Output[dict[str, str]]
    """Logical name of a secret, or `parameters/NAME` -> id of the version that the last call found
    or wrote."""

    def __init__(
        self, name: str, args: SecretSeederArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        limits.check(f"SecretSeeder {name!r}", small_function.checks(args))
        secret_arns = {seed["name"]: seed["arn"] for seed in args["seeds"].values()}
        parameter_arns = {
            seed["name"]: seed["arn"] for seed in args.get("parameters", {}).values()
        }
        replica_key_arns = args.get("replica_key_arns", {})
        grants.check(
            f"SecretSeeder {name!r}",
            list(secret_arns),
            len(replica_key_arns),
            [list(parameter_arns)],
            writing=True,
        )
        of_function = {"files", "handler", "times_lost"}
        props = {key: value for key, value in args.items() if key not in of_function}
        super().__init__("lambda-secrets:index:SecretSeeder", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)

        identity = small_function.identity(
            name, args, "Generates the initial values of the environment's secrets", {}, child
        )
        attached = [
            *identity.policies,
            *grants.attach(
                f"{name}-seed",
                identity.role.name,
                secret_arns,
                [args["key_arn"], *replica_key_arns.values()],
                policies.seed_secrets,
                args.get("tags"),
                child,
                args.get("role_path"),
                writing=True,
            ),
            *grants.attach(
                f"{name}-seed-parameters",
                identity.role.name,
                parameter_arns,
                [args["key_arn"]],
                parameter_policies.seed_parameters,
                args.get("tags"),
                child,
                args.get("role_path"),
            ),
        ]
        function = small_function.function(
            name,
            args,
            identity,
            child,
            code=pulumi.AssetArchive(
                {name: pulumi.FileAsset(str(file)) for name, file in args["files"].items()}
            ),
            handler=args["handler"],
            memory_size=256,
            # A new role takes time to propagate; the function retries until it has its
            # permissions.
            timeout=60,
        )
        triggers = {
            f"parameters/{parameter}": {"lost": str(times)}
            for parameter, times in args.get("times_lost", {}).items()
        }
        # Whoever needs one value waits for this call, and not for all.
        self.invocations: dict[str, pulumi.Resource] = {}
        versions: dict[str, pulumi.Output[str]] = {}
        for seeded, event in _events(args).items():
            invocation = aws.lambda_.Invocation(
                f"{name}-{seeded}",
                function_name=function.name,
                input=pulumi.Output.json_dumps(event),
                triggers=triggers.get(seeded),
                opts=pulumi.ResourceOptions(parent=self, depends_on=attached),
            )
            self.invocations[seeded] = invocation
            versions[seeded] = invocation.result.apply(
                lambda result: str(json.loads(result)["VersionId"])
            )

        self.function_name = function.name
        self.role_arn = identity.role.arn
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


def _events(args: SecretSeederArgs) -> dict[str, dict[str, Any]]:
    """Return the input of each call of the function, by what it seeds."""
    events: dict[str, dict[str, Any]] = {
        secret: {
            "SecretId": seed["arn"],
            "Fields": dict(seed["fields"]),
            "Generate": {key: dict(rules) for key, rules in seed["generate"].items()},
        }
        for secret, seed in sorted(args["seeds"].items())
    }
    tags = [{"Key": key, "Value": tag} for key, tag in (args.get("tags") or {}).items()]
    for parameter, seed in sorted(args.get("parameters", {}).items()):
        events[f"parameters/{parameter}"] = {
            "Parameter": {
                "Name": seed["name"],
                "Type": "SecureString",
                "KeyId": args["key_arn"],
                "Description": seed.get("description", ""),
                "Tier": seed.get("tier", "Standard"),
                "Tags": tags,
            },
            "Generate": dict(seed["generate"]),
        }
    return events
