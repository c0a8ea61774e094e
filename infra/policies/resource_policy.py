"""The resource policy of a secret. Pure functions over plain strings; JSON-shaped dicts out.

In the account it grants nothing; IAM does. It denies, so that a permission granted elsewhere by
mistake has no effect. A role of another account needs a permission here and one in its own
account.

It also denies tagging, because IAM can grant access by tags. Actions that only describe a secret,
such as DescribeSecret and ListSecretVersionIds, are not denied: they return names, dates, labels
and tags, and no value.
"""

from collections.abc import Sequence
from typing import Any

from .iam import Policy, policy_document

_READING = ["secretsmanager:GetSecretValue"]
# What changes the value, its replicas, or its tags.
_CHANGING = [
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:DeleteSecret",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:RestoreSecret",
    "secretsmanager:RotateSecret",
    "secretsmanager:StopReplicationToReplica",
    "secretsmanager:TagResource",
    "secretsmanager:UntagResource",
    "secretsmanager:UpdateSecret",
    "secretsmanager:UpdateSecretVersionStage",
]
_MENDING = ["secretsmanager:DeleteResourcePolicy", "secretsmanager:PutResourcePolicy"]
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
_DESCRIBING = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:ListSecretVersionIds",
    "secretsmanager:ValidateResourcePolicy",
]
_ALL = sorted([*_READING, *_CHANGING, *_MENDING, *_DESCRIBING])
# Calls of AWS services on their own behalf have no principal of the account.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalisawsservice
_NO_SERVICE = {"aws:PrincipalIsAWSService": "false"}


def secret_policy(  # noqa: PLR0913, PLR0917 (who may do what)
    account_arn: str,
    readers: Sequence[str],
    writers: Sequence[str],
    administrators: Sequence[str],
    organization_id: str | None = None,
    foreign_readers: Sequence[str] = (),
) -> Policy:
    """Deny a secret to everyone except these, and allow `foreign_readers` to read it.

    Without `administrators` no one is denied.

    `account_arn` is `arn:<partition>:iam::<account>:root`; the others are ARNs of roles and
    users, with `*` and `?` as wildcards: `readers` may read, `writers` may read and change the
    value, `administrators` may also change this policy. A role's ARN covers all its sessions. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn

    A wrong `organization_id` locks no one out of fixing the policy. The same document works for
    every replica: Secrets Manager copies it, and it contains no region.
    """
    grants = [_grant(foreign_readers)] if foreign_readers else []
    if not administrators:
        return policy_document(*grants)
    accounts = sorted({arn.split(":")[4] for arn in (account_arn, *foreign_readers)})
    readers = [*readers, *foreign_readers]
    # Service-linked roles: only their AWS service can assume them, and no one can change them.
    service_linked = f"{account_arn.removesuffix('root')}role/aws-service-role/*"
    may_change = [*administrators, *writers, service_linked]
    statements = [
        _refusal("RefuseWithoutTls", _ALL, {"Bool": {"aws:SecureTransport": "false"}}),
        _refusal(
            "RefuseOtherAccounts",
            _ALL,
            {
                "StringNotEquals": {
                    "aws:PrincipalAccount": accounts if foreign_readers else accounts[0]
                },
                "BoolIfExists": _NO_SERVICE,
            },
        ),
        _refusal_to_others("RefuseReadingToOthers", _READING, [*may_change, *readers]),
        _refusal_to_others("RefuseChangesToOthers", _CHANGING, may_change),
        _refusal_to_others("RefuseMendingToOthers", _MENDING, administrators),
    ]
    if organization_id is not None:
        statements.append(
            _refusal(
                "RefuseOtherOrganizations",
                sorted({*_ALL} - {*_MENDING}),
                {
                    "StringNotEquals": {"aws:PrincipalOrgID": organization_id},
                    "BoolIfExists": _NO_SERVICE,
                },
            )
        )
    return policy_document(*grants, *statements)


def _grant(role_arns: Sequence[str]) -> dict[str, Any]:
    return {
        "Sid": "GrantReadingToOtherAccounts",
        "Effect": "Allow",
        "Principal": {"AWS": sorted({*role_arns})},
        "Action": _READING,
        "Resource": "*",  # in a secret's policy, `*` means this secret and its replicas
    }


def _refusal_to_others(sid: str, actions: list[str], arns: Sequence[str]) -> dict[str, Any]:
    return _refusal(
        sid,
        actions,
        {"ArnNotLike": {"aws:PrincipalArn": sorted({*arns})}, "BoolIfExists": _NO_SERVICE},
    )


def _refusal(sid: str, actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": "*",  # in a secret's policy, `*` means this secret and its replicas
        "Condition": condition,
    }
