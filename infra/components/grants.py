"""Policies of a role: as many customer managed ones as its secrets need, and inline ones."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ..aws.limits import MANAGED_POLICIES_PER_ROLE
from ..policies import iam as policies


def check(  # noqa: PLR0913 (each takes some of the room)
    owner: str,
    secret_names: Sequence[str],
    replica_regions: int = 0,
    parameter_names: Sequence[Sequence[str]] = (),
    others: int = 0,
    *,
    writing: bool = False,
) -> None:
    """Reject more secrets and replica regions than the policies of one role can grant.

    `parameter_names` has one list for each additional set of parameter policies; `others` is the
    number of other managed policies. With `writing`, the policies also allow writing the secrets.

    Raises:
        ValueError: names the owner, and what does not fit.

    """
    remedy = "use fewer secrets or shorter names"
    if replica_regions:
        remedy = "use fewer secrets, shorter names, or fewer replica regions"
    try:
        granted = policies.count_policies(
            secret_names, replica_regions, parameter_names, writing=writing
        )
    except ValueError as error:
        raise ValueError(f"{owner}: {error}; {remedy}") from error
    number = granted + others
    if number > MANAGED_POLICIES_PER_ROLE:
        replicated = f" with {replica_regions} replica regions" if replica_regions else ""
        count = sum(map(len, parameter_names))
        parameters = f" and {count} parameters" if count else ""
        further = f", {others} of them listed in the config," if others else ""
        raise ValueError(
            f"{owner}: {len(secret_names)} secrets{replicated}{parameters} need {number} policies"
            f"{further}, but IAM allows {MANAGED_POLICIES_PER_ROLE} per role; {remedy}"
        )


def check_one_policy(owner: str, secret_names: Sequence[str], replica_regions: int) -> None:
    """Reject more secrets than one policy has room for.

    Raises:
        ValueError: names the owner, and how many fit.

    """
    first, *others = policies.split_by_size(secret_names, replica_regions, writing=True)
    if others:
        raise ValueError(
            f"{owner}: {len(secret_names)} secrets do not fit in one policy, which has room for"
            f" {len(first)} of them; use more groups or shorter names"
        )


def policy_arns(attached: Iterable[pulumi.Resource]) -> list[pulumi.Output[str]]:
    """Return the ARNs of the customer managed policies among the attachments."""
    return [each.policy_arn for each in attached if isinstance(each, aws.iam.RolePolicyAttachment)]


def attach(  # noqa: PLR0913, PLR0917 (each is part of a policy or of its resource)
    name: str,
    role: pulumi.Input[str],
    secret_arns: Mapping[str, pulumi.Input[str]],
    key_arns: Sequence[pulumi.Input[str]],
    document: Callable[..., policies.Policy],
    tags: Mapping[str, pulumi.Input[str]] | None,
    opts: pulumi.ResourceOptions,
    path: str | None = None,
    *,
    writing: bool = False,
) -> list[pulumi.Resource]:
    """Create the policies `<name>-1`, `-2`, … and attach them; return the attachments.

    `key_arns` are the key of the secrets' region and those of the replica regions. `document`
    returns one policy for a list of secret ARNs and the key ARNs; with `writing`, one that also
    allows writing. Parameters are granted the same way; their ARNs are shorter.
    """
    attachments: list[pulumi.Resource] = []
    parts = policies.split_by_size(secret_arns, len(key_arns) - 1, writing=writing)
    for number, part in enumerate(parts, start=1):
        arns = [secret_arns[secret] for secret in part]
        policy = aws.iam.Policy(
            f"{name}-{number}",
            policy=pulumi.Output.json_dumps(
                pulumi.Output.all(pulumi.Output.all(*arns), *key_arns).apply(
                    lambda resolved: document(sorted(resolved[0]), *resolved[1:])
                )
            ),
            path=path,
            tags=tags,
            opts=opts,
        )
        attachments.append(
            aws.iam.RolePolicyAttachment(
                f"{name}-{number}", role=role, policy_arn=policy.arn, opts=opts
            )
        )
    return attachments


def inline(
    name: str,
    role: pulumi.Input[str],
    documents: Mapping[str, pulumi.Input[policies.Policy]],
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Create an inline policy of the role for each document: `<name>-<key of the document>`."""
    return [
        aws.iam.RolePolicy(
            f"{name}-{key}", role=role, policy=pulumi.Output.json_dumps(document), opts=opts
        )
        for key, document in documents.items()
    ]
