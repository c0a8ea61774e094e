"""Policy documents of monitoring. Pure functions over plain strings; JSON-shaped dicts out."""

import json
from collections.abc import Sequence

from ..aws.limits import INLINE_POLICY_CHARACTERS
from ..aws.location import Location
from . import iam as policies
from .iam import Policy

# Room for the policy around the ARNs, and for the role's other policy.
_MOST_CHARACTERS = INLINE_POLICY_CHARACTERS - 1000
_CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}


def topic_key_policy(location: Location) -> Policy:
    """Allow the account's alarms to encrypt their messages.

    The AWS managed key of SNS does not allow alarms.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    return policies.policy_document(
        policies.administer_key(location),
        {
            "Sid": "EncryptAlarms",
            "Effect": "Allow",
            "Principal": _CLOUDWATCH,
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",  # in a key policy, `*` means this key
            "Condition": {"StringEquals": {"aws:SourceAccount": location.account_id}},
        },
    )


def topic_policy(topic_arn: str, alarm_prefix: str) -> Policy:
    """Allow alarms with this name prefix to publish, and deny everyone requests without TLS.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html#enforce-encryption-data-in-transit
    """
    location = Location.of(topic_arn)
    return policies.policy_document(
        {
            "Sid": "PublishAlarms",
            "Effect": "Allow",
            "Principal": _CLOUDWATCH,
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": location.account_id},
                "ArnLike": {"aws:SourceArn": location.arn("cloudwatch", f"alarm:{alarm_prefix}*")},
            },
        },
        {
            "Sid": "RefuseWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def describe_secrets(secret_arns: Sequence[str], prefix: str | None = None) -> Policy:
    """Describe these secrets, which returns their rotation dates and no value.

    With a prefix of their names, it may be all with that prefix, if these are too many.
    """
    resources = list(secret_arns)
    if prefix and len(json.dumps(resources)) > _MOST_CHARACTERS:
        resources = [Location.of(resources[0]).arn("secretsmanager", f"secret:{prefix}*")]
    return policies.policy_document(
        {
            "Sid": "DescribeSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:DescribeSecret",
            "Resource": resources,
        }
    )
