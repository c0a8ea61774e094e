"""The bucket for a trail's log files: private, encrypted, versioned, with expiry by age.

The bucket and its settings stay when the stack is destroyed: see `audit`. All resources are
children of the Audit, so this is a function and not a component.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypedDict

import pulumi
import pulumi_aws as aws

from ..policies import audit as audit_policies

# Glacier Instant Retrieval bills at least 90 days. S3 does not move files smaller than 128 KB,
# which most are, because moving them costs more than it saves.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
_TRANSITION_DAYS = 90
_NONCURRENT_DAYS = 30
_UNFINISHED_UPLOAD_DAYS = 7


class ArchiveBucketArgs(TypedDict):
    """Arguments of the bucket."""

    trail_arn: str
    """ARN of the trail that writes to it."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the files."""
    retention_days: int
    """Days that files are kept."""
    protect: bool | None
    """Whether Pulumi refuses to delete the bucket."""
    tags: Mapping[str, pulumi.Input[str]] | None
    """Tags of the bucket."""


class ArchiveBucket(NamedTuple):
    """The bucket, and the policy that allows the trail to write to it."""

    # As text: importing aws.s3 is slow, and not every stack needs it.
    bucket: "aws.s3.Bucket"
    policy: "aws.s3.BucketPolicy"


def archive_bucket(
    name: str, args: ArchiveBucketArgs, parent: pulumi.ComponentResource
) -> ArchiveBucket:
    """Create the bucket with its settings and its policy, which all stay after a destroy."""
    kept = pulumi.ResourceOptions(parent=parent, retain_on_delete=True)
    bucket = aws.s3.Bucket(
        f"{name}-bucket",
        tags=args["tags"],
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True, protect=args["protect"]),
    )
    versioning = aws.s3.BucketVersioning(
        f"{name}-versioning",
        bucket=bucket.id,
        versioning_configuration={"status": "Enabled"},
        opts=kept,
    )
    settings = [
        versioning,
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=kept,
        ),
        aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=kept,
        ),
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": args["key_arn"],
                    }
                }
            ],
            opts=kept,
        ),
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            rules=[_retention(args["retention_days"])],
            # Versioning must be on before rules about versions.
            opts=pulumi.ResourceOptions(
                parent=parent, depends_on=[versioning], retain_on_delete=True
            ),
        ),
    ]
    policy = aws.s3.BucketPolicy(
        f"{name}-bucket-policy",
        bucket=bucket.id,
        policy=pulumi.Output.json_dumps(
            bucket.arn.apply(lambda arn: audit_policies.bucket_policy(arn, args["trail_arn"]))
        ),
        # S3 rejects two concurrent changes of a bucket.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=settings, retain_on_delete=True),
    )
    return ArchiveBucket(bucket, policy)


def _retention(days: int) -> "aws.s3.BucketLifecycleConfigurationRuleArgsDict":
    rule: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "retention",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "expiration": {"days": days},
        "noncurrent_version_expiration": {"noncurrent_days": _NONCURRENT_DAYS},
        "abort_incomplete_multipart_upload": {"days_after_initiation": _UNFINISHED_UPLOAD_DAYS},
    }
    if days >= 2 * _TRANSITION_DAYS:  # an empty list would not be read back
        rule["transitions"] = [{"days": _TRANSITION_DAYS, "storage_class": "GLACIER_IR"}]
    return rule
