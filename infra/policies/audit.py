"""Policy documents of the audit trail. Pure functions over plain strings; JSON-like dicts out."""

from ..aws.location import Location
from . import iam as policies
from .iam import Policy

_CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}


def trail_arn(location: Location, name: str) -> str:
    """ARN of a trail, to which its key and its bucket refer before it exists."""
    return location.arn("cloudtrail", f"trail/{name}")


def key_policy(location: Location, trail: str, log_group_name: str) -> Policy:
    """Allow this trail and this log group to encrypt, and readers of the files in S3 to decrypt.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
    """
    any_trail = trail_arn(location._replace(region="*"), "*")
    return policies.policy_document(
        policies.administer_key(location),
        policies.encrypt_logs(location, log_group_name),
        {
            "Sid": "EncryptTrail",
            "Effect": "Allow",
            "Principal": _CLOUDTRAIL,
            "Action": "kms:GenerateDataKey",
            "Resource": "*",  # in a key policy, `*` means this key
            "Condition": {
                "StringEquals": {"aws:SourceArn": trail},
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": any_trail},
            },
        },
        {
            "Sid": "DescribeToTrail",
            "Effect": "Allow",
            "Principal": _CLOUDTRAIL,
            "Action": "kms:DescribeKey",
            "Resource": "*",  # in a key policy, `*` means this key
            "Condition": {"StringEquals": {"aws:SourceArn": trail}},
        },
        {
            "Sid": "ReadTrail",
            "Effect": "Allow",
            "Principal": policies.account(location),
            "Action": "kms:Decrypt",
            "Resource": "*",  # in a key policy, `*` means this key
            "Condition": {
                "StringEquals": {
                    "kms:CallerAccount": location.account_id,
                    "kms:ViaService": policies.via("s3", location),
                }
            },
        },
    )


def bucket_policy(bucket_arn: str, trail: str) -> Policy:
    """Allow this trail to write its files, and deny everyone requests without TLS.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    account_id = Location.of(trail).account_id
    return policies.policy_document(
        {
            "Sid": "CheckByTrail",
            "Effect": "Allow",
            "Principal": _CLOUDTRAIL,
            "Action": "s3:GetBucketAcl",
            "Resource": bucket_arn,
            "Condition": {"StringEquals": {"aws:SourceArn": trail}},
        },
        {
            "Sid": "WriteByTrail",
            "Effect": "Allow",
            "Principal": _CLOUDTRAIL,
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/AWSLogs/{account_id}/*",
            "Condition": {
                "StringEquals": {
                    "aws:SourceArn": trail,
                    "s3:x-amz-acl": "bucket-owner-full-control",
                }
            },
        },
        {
            "Sid": "RefuseWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )
