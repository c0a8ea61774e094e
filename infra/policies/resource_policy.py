"""The resource policy of a secret. Pure functions over plain strings; JSON-shaped dicts out.

In the account it grants nothing: IAM does. It refuses, so that a grant made elsewhere by mistake
opens nothing. A role of another account needs a grant here as well as one of its own account.

Tags are refused to others, too: where IAM grants by tags, they decide on access. What only tells
of a secret stays open to whom IAM lets, such as DescribeSecret and ListSecretVersionIds: it shows
names, dates, labels and tags, and no value.
"""

from collections.abc import Sequence
from typing import Any

from .iam import Policy, policy_document

_READING = ["secretsmanager:GetSecretValue"]
# What changes the value, where it is, or what it is tagged as.
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
# What AWS's services do in their own name bears no principal of the account.
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
    """Refuse a secret to everybody but these, and grant the read to `foreign_readers`.

    Without `administrators` nobody is refused.

    `account_arn` is `arn:<partition>:iam::<account>:root`; the others are ARNs of roles and
    users, where `*` and `?` stand for any characters: `readers` may read, `writers` read
    and change the value, `administrators` change this policy, too. A role's ARN stands for each
    of its sessions. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn

    Nobody is locked out by a wrong `organization_id`: the policy can still be mended. The same
    document is right for every replica: Secrets Manager copies it, and it names no region.
    """
    grants = [_grant(foreign_readers)] if foreign_readers else []
    if not administrators:
        return policy_document(*grants)
    accounts = sorted({arn.split(":")[4] for arn in (account_arn, *foreign_readers)})
    readers = [*readers, *foreign_readers]
    # Roles that only the AWS service they are made for can assume, and nobody can change.
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
        "Resource": "*",  # in a secret's policy, `*` is this secret and its replicas
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
        "Resource": "*",  # in a secret's policy, `*` is this secret and its replicas
        "Condition": condition,
    }
