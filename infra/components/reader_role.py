"""The role of a function that reads secrets: only these secrets, its own logs, and traces."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..policies import iam as policies
from ..policies import parameters as parameter_policies
from . import grants


class ReaderRoleArgs(TypedDict):
    """Arguments of a `ReaderRole`."""

    secret_arns: Mapping[str, pulumi.Input[str]]
    """ARNs of the secrets to read, by full name. The names decide how the policies are split."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the secrets."""
    parameter_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """ARNs of the unencrypted parameters to read, by full name (default none)."""
    secure_parameter_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """ARNs of the SecureStrings to read, encrypted with the same key (default none)."""
    replica_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Region -> ARN of the KMS key there, for each region that has replicas of these secrets."""
    describe_secrets: NotRequired[bool | None]
    """Whether it may also call DescribeSecret on these secrets (default None: no)."""
    existing_secrets: NotRequired[Mapping[str, str | None] | None]
    """ARN of an existing secret -> ARN of its KMS key, or `None` for the AWS managed key (default
    none)."""
    log_group_arn: pulumi.Input[str]
    """ARN of the function's log group, without `:*`."""
    dead_letter_arn: NotRequired[str | None]
    """ARN of the queue or topic for failed events (default None)."""
    permissions_boundary: NotRequired[str | None]
    """ARN of the role's permissions boundary (default None)."""
    path: NotRequired[str | None]
    """Path of the role and its policies (default `/`)."""
    managed_policy_arns: NotRequired[Sequence[str] | None]
    """ARNs of more policies to attach (default none)."""
    tracing: NotRequired[bool]
    """Whether the function sends traces to X-Ray (default false)."""
    in_vpc: NotRequired[bool]
    """Whether the function is in a VPC (default false)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the role and its policies."""


class ReaderRole(pulumi.ComponentResource):
    """The least-privilege role that reads the named secrets and their replicas.

    Resources:
        aws.iam.Role: assumed by Lambda only.
        aws.iam.Policy, aws.iam.RolePolicyAttachment: as many as the secrets and parameters need;
            IAM allows 6,144 characters per policy and 10 policies per role.
        aws.iam.RolePolicy: the function's own log group.
        aws.iam.RolePolicy: X-Ray, only with `tracing`; the network, only with `in_vpc`; existing
            secrets and dead letters, only if there are any.
        aws.iam.RolePolicyAttachment: each of `managed_policy_arns`.
    """

    arn: pulumi.Output[str]
    """ARN of the role. Known when all policies are attached, so that a function can use them."""
    name: pulumi.Output[str]
    """Name of the role."""
    policy_arns: list[pulumi.Output[str]]
    """ARNs of its customer managed policies."""

    def __init__(
        self, name: str, args: ReaderRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        secret_arns = args["secret_arns"]
        replica_key_arns = args.get("replica_key_arns", {})
        parameters = args.get("parameter_arns", {})
        secure_parameters = args.get("secure_parameter_arns", {})
        grants.check(
            f"ReaderRole {name!r}",
            list(secret_arns),
            len(replica_key_arns),
            [list(parameters), list(secure_parameters)],
            len(args.get("managed_policy_arns") or ()),
        )
        super().__init__("lambda-secrets:index:ReaderRole", name, {**args}, opts)
        child = pulumi.ResourceOptions(parent=self)
        describe = bool(args.get("describe_secrets"))

        role = aws.iam.Role(
            f"{name}-role",
            description="Reads secrets through the AWS Parameters and Secrets Lambda Extension",
            assume_role_policy=pulumi.Output.json_dumps(
                policies.assume_role("lambda.amazonaws.com")
            ),
            path=args.get("path"),
            permissions_boundary=args.get("permissions_boundary"),
            tags=args.get("tags"),
            opts=child,
        )
        attached = grants.attach(
            f"{name}-read",
            role.name,
            secret_arns,
            [args["key_arn"], *replica_key_arns.values()],
            partial(policies.read_secrets, describe=describe),
            args.get("tags"),
            child,
            args.get("path"),
        )
        for what, arns, document in (
            ("parameters", parameters, parameter_policies.read_parameters),
            (
                "secure-parameters",
                secure_parameters,
                parameter_policies.read_secure_parameters,
            ),
        ):
            attached += grants.attach(
                f"{name}-{what}",
                role.name,
                arns,
                [args["key_arn"]],
                document,
                args.get("tags"),
                child,
                args.get("path"),
            )
        documents: dict[str, pulumi.Input[policies.Policy]] = {
            "logs": pulumi.Output.from_input(args["log_group_arn"]).apply(policies.write_logs)
        }
        if args.get("tracing"):
            documents["traces"] = policies.write_traces()
        if args.get("in_vpc"):
            documents["network"] = policies.use_network()
        if existing := args.get("existing_secrets"):
            documents["existing-secrets"] = policies.read_existing_secrets(
                existing, describe=describe
            )
        if (dead_letter_arn := args.get("dead_letter_arn")) is not None:
            documents["dead-letters"] = policies.send_dead_letters(dead_letter_arn)
        attached += grants.inline(name, role.name, documents, child)
        customer_managed = grants.policy_arns(attached)
        for number, arn in enumerate(args.get("managed_policy_arns") or (), start=1):
            attached.append(
                aws.iam.RolePolicyAttachment(
                    f"{name}-managed-{number}", role=role.name, policy_arn=arn, opts=child
                )
            )

        # A function that starts before its policies are attached would get AccessDenied.
        granted = pulumi.Output.all(role.arn, *(grant.urn for grant in attached))
        self.arn = granted.apply(lambda resolved: str(resolved[0]))
        self.name = role.name
        self.policy_arns = customer_managed
        self.register_outputs(
            {"arn": self.arn, "name": self.name, "policy_arns": self.policy_arns}
        )
