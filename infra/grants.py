"""Customer managed policies on a role, as many as its secrets need."""

from collections.abc import Callable, Mapping, Sequence

import pulumi
import pulumi_aws as aws

from infra import policies
from infra.limits import MANAGED_POLICIES_PER_ROLE


def check(owner: str, secret_names: Sequence[str]) -> None:
    """Refuse more secrets than IAM lets one role be granted.

    Raises:
        ValueError: names the owner, the number of secrets and of policies.

    """
    parts = policies.split_by_size(secret_names)
    if len(parts) > MANAGED_POLICIES_PER_ROLE:
        raise ValueError(
            f"{owner}: {len(secret_names)} secrets need {len(parts)} policies, and IAM attaches"
            f" {MANAGED_POLICIES_PER_ROLE} to a role; give the function fewer secrets, or shorter"
            " names"
        )


def attach(  # noqa: PLR0913, PLR0917 (each is part of a policy or of its resource)
    name: str,
    role: pulumi.Input[str],
    secret_arns: Mapping[str, pulumi.Input[str]],
    key_arn: pulumi.Input[str],
    document: Callable[[Sequence[str], str], policies.Policy],
    tags: Mapping[str, pulumi.Input[str]] | None,
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Make the policies ``<name>-1``, ``-2``, … and attach them; return the attachments.

    ``document`` writes one of them from ARNs of secrets and the key's.
    """
    attachments: list[pulumi.Resource] = []
    for number, part in enumerate(policies.split_by_size(secret_arns), start=1):
        arns = [secret_arns[secret] for secret in part]
        policy = aws.iam.Policy(
            f"{name}-{number}",
            policy=pulumi.Output.json_dumps(
                pulumi.Output.all(*arns, key_arn).apply(
                    lambda all_: document(sorted(all_[:-1]), all_[-1])
                )
            ),
            tags=tags,
            opts=opts,
        )
        attachments.append(
            aws.iam.RolePolicyAttachment(
                f"{name}-{number}", role=role, policy_arn=policy.arn, opts=opts
            )
        )
    return attachments
