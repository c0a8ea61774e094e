"""The audit trail: a CloudTrail trail, the bucket that keeps its files, and a log group to search.

It records management events, including reads such as GetSecretValue. It records no data events,
such as invocations, and no Insights. The first copy of an account's management events is free. If
another trail records them already, this one costs 2 USD per 100,000 events; the log group costs
0.50 USD per GB in either case (us-east-1). If an organization trail has its log group in this
account, use that trail instead. https://aws.amazon.com/cloudtrail/pricing/

The trail has its own key. With the environment's key, anyone who disables that key would also stop
the recording.

The files stay after the stack: `pulumi destroy` deletes the trail, but leaves key and bucket in
the account and only removes them from the state. Otherwise it would fail at the bucket, which is
not empty, after it scheduled the deletion of the key, and then no one could read the files. The
alias is deleted, because a later trail of the stack has a new key under the same alias.
https://www.pulumi.com/docs/iac/concepts/resources/options/retainondelete/
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..aws.location import Location
from ..policies import audit as audit_policies
from ..policies import iam as policies
from . import grants, kms_key
from .archive_bucket import archive_bucket


class AuditArgs(TypedDict):
    """Arguments of an `Audit`."""

    trail_name: str
    """Name of the trail. Not generated, because the policies of its key and bucket contain it."""
    log_group_name: str
    """Name of the log group that the component creates."""
    alias: str
    """Alias of the key, without `alias/`."""
    partition: str
    """Partition of the account, such as `aws`."""
    region: str
    """Region of all resources; the trail collects the events of all regions here."""
    account_id: str
    """Account whose calls are recorded."""
    retention_days: NotRequired[int]
    """Days that the bucket keeps the log files, 90 to 3653 (default 365)."""
    log_retention_days: NotRequired[int]
    """Days that the log group keeps the events, as CloudWatch allows (default 90)."""
    deletion_window_in_days: NotRequired[int]
    """Days in which the deletion of the key can be cancelled, 7 to 30 (default 30)."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete key, bucket and log group (default false)."""
    role_path: NotRequired[str | None]
    """Path of the role (default `/`)."""
    permissions_boundary: NotRequired[str | None]
    """ARN of the role's permissions boundary (default None)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of all resources that support tags."""


class Audit(pulumi.ComponentResource):
    """A trail of all regions and of IAM, whose files cannot be changed unnoticed.

    Resources:
        aws.kms.Key: encrypts the log files and the log group; stays after a destroy.
        aws.kms.Alias: alias of the key.
        aws.s3.Bucket: the log files; stays after a destroy, with its settings:
        aws.s3.BucketVersioning, aws.s3.BucketOwnershipControls, aws.s3.BucketPublicAccessBlock,
            aws.s3.BucketServerSideEncryptionConfiguration, aws.s3.BucketLifecycleConfiguration,
            aws.s3.BucketPolicy.
        aws.cloudwatch.LogGroup: the same events, for metric filters and queries.
        aws.iam.Role, aws.iam.RolePolicy: CloudTrail writes to the log group.
        aws.cloudtrail.Trail: with digests of its files.
    """

    trail_arn: pulumi.Output[str]
    """ARN of the trail."""
    log_group_name: pulumi.Output[str]
    """Name of the log group."""
    bucket_name: pulumi.Output[str]
    """Name of the bucket."""
    key_arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(
        self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        retention = args.get("retention_days", 365)
        log_retention = args.get("log_retention_days", 90)
        window = args.get("deletion_window_in_days", limits.KEY_DELETION_WINDOW_DAYS.most)
        limits.check(
            f"Audit {name!r}",
            [
                ("retention_days", retention, limits.AUDIT_RETENTION_DAYS),
                ("log_retention_days", log_retention, limits.LOG_RETENTION_DAYS),
                ("deletion_window_in_days", window, limits.KEY_DELETION_WINDOW_DAYS),
            ],
        )
        props = {key: value for key, value in args.items() if key != "protect"}
        super().__init__("lambda-secrets:index:Audit", name, props, opts)
        protect = args.get("protect")
        child = pulumi.ResourceOptions(parent=self)
        tags = args.get("tags")
        location = Location.from_args(args)
        trail_arn = audit_policies.trail_arn(location, args["trail_name"])

        key, _ = kms_key.key_with_alias(
            name,
            pulumi.ResourceOptions(parent=self, retain_on_delete=True, protect=protect),
            child,
            description=f"Log files and log group of the trail {args['trail_name']}",
            alias=args["alias"],
            policy=audit_policies.key_policy(location, trail_arn, args["log_group_name"]),
            deletion_window_in_days=window,
            tags=tags,
        )
        archive = archive_bucket(
            name,
            {
                "trail_arn": trail_arn,
                "key_arn": key.arn,
                "retention_days": retention,
                "protect": protect,
                "tags": tags,
            },
            self,
        )
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=args["log_group_name"],
            retention_in_days=log_retention,
            kms_key_id=key.arn,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        role = aws.iam.Role(
            f"{name}-role",
            description="Writes the events of a trail to its log group",
            assume_role_policy=pulumi.Output.json_dumps(
                policies.assume_role("cloudtrail.amazonaws.com")
            ),
            path=args.get("role_path"),
            permissions_boundary=args.get("permissions_boundary"),
            tags=tags,
            opts=child,
        )
        write_logs = {"write": logs.arn.apply(policies.write_logs)}
        granted = grants.inline(name, role.name, write_logs, child)
        trail = aws.cloudtrail.Trail(
            f"{name}-trail",
            name=args["trail_name"],
            s3_bucket_name=archive.bucket.id,
            kms_key_id=key.arn,
            enable_log_file_validation=True,
            # IAM changes are in one region, and a replica is read in another.
            is_multi_region_trail=True,
            include_global_service_events=True,
            cloud_watch_logs_group_arn=logs.arn.apply(lambda arn: f"{arn}:*"),
            cloud_watch_logs_role_arn=role.arn,
            tags=tags,
            # CloudTrail tests access to bucket and log group when the trail is created.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[archive.policy, *granted]),
        )

        self.trail_arn = trail.arn
        self.log_group_name = logs.name
        self.bucket_name = archive.bucket.id
        self.key_arn = key.arn
        self.register_outputs(
            {
                "trail_arn": self.trail_arn,
                "log_group_name": self.log_group_name,
                "bucket_name": self.bucket_name,
                "key_arn": self.key_arn,
            }
        )
