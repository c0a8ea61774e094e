"""The record of every call: a trail, the bucket that keeps it and the log group that is searched.

It records management events, reads among them: GetSecretValue is one. It records no data events,
such as invocations, and no Insights. The first copy of an account's management events is free;
where another trail records them already, this one costs 2 USD for 100,000 events, and the log
group 0.50 USD a GB in either case (us-east-1). An organization's own trail is better used, where
its log group is in this account. https://aws.amazon.com/cloudtrail/pricing/

The key is the trail's own. With the environment's, whoever disables that key would end the record
in the same moment.

The record outlives its stack: `pulumi destroy` ends the trail, and leaves key and bucket in the
account as they are, where Pulumi knows them no more. Otherwise it would fail at a bucket that is
not empty, with the key already on its way to deletion, after which nobody could read a file. The
alias goes, since a later trail of the stack, with a key of its own, takes the same name.
https://www.pulumi.com/docs/iac/concepts/resources/options/retainondelete/
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..aws.place import Place
from ..policies import audit as audit_policies
from ..policies import iam as policies
from . import grants, kms_key
from .archive_bucket import archive_bucket


class AuditArgs(TypedDict):
    """What an `Audit` is made of."""

    trail_name: str
    """Name of the trail, which the policies of its key and bucket hold, so it is given."""
    log_group_name: str
    """Name of the log group, which is made here."""
    alias: str
    """Name under which operators find the key, without `alias/`."""
    partition: str
    """Partition of the account, such as `aws`."""
    region: str
    """Region of all of this; events of every region come together here."""
    account_id: str
    """Account whose calls are recorded."""
    retention_days: NotRequired[int]
    """Days that the bucket keeps the log files, 90 to 3653 (default 365)."""
    log_retention_days: NotRequired[int]
    """Days that the log group keeps the events, as CloudWatch allows (default 90)."""
    deletion_window_in_days: NotRequired[int]
    """Days in which a deletion of the key can be cancelled, 7 to 30 (default 30)."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete key, bucket and log group (default false)."""
    role_path: NotRequired[str | None]
    """Path of the role (default `/`)."""
    permissions_boundary: NotRequired[str | None]
    """ARN of the policy that bounds what the role may do (default None)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of everything that takes tags."""


class Audit(pulumi.ComponentResource):
    """A trail of all regions and of IAM, whose files nobody changes unnoticed.

    Resources:
        aws.kms.Key: encrypts the log files and the log group; stays.
        aws.kms.Alias: name of the key.
        aws.s3.Bucket: the log files; stays, with what follows.
        aws.s3.BucketVersioning, aws.s3.BucketOwnershipControls, aws.s3.BucketPublicAccessBlock,
            aws.s3.BucketServerSideEncryptionConfiguration, aws.s3.BucketLifecycleConfiguration,
            aws.s3.BucketPolicy: of the bucket.
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
        props = {key: given for key, given in args.items() if key != "protect"}
        super().__init__("lambda-secrets:index:Audit", name, props, opts)
        protect = args.get("protect")
        child = pulumi.ResourceOptions(parent=self)
        tags = args.get("tags")
        place = Place.from_args(args)
        trail_arn = audit_policies.trail_arn(place, args["trail_name"])

        key, _ = kms_key.key_with_alias(
            name,
            pulumi.ResourceOptions(parent=self, retain_on_delete=True, protect=protect),
            child,
            description=f"Log files and log group of the trail {args['trail_name']}",
            alias=args["alias"],
            policy=audit_policies.key_policy(place, trail_arn, args["log_group_name"]),
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
            # A role is changed in one region only, and a replica is read in another.
            is_multi_region_trail=True,
            include_global_service_events=True,
            event_selectors=[{"read_write_type": "All", "include_management_events": True}],
            cloud_watch_logs_group_arn=logs.arn.apply(lambda arn: f"{arn}:*"),
            cloud_watch_logs_role_arn=role.arn,
            tags=tags,
            # CloudTrail tries bucket and log group when it is told of them.
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
