"""What `pulumi destroy` leaves in an account, and what it is allowed to leave."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from local.aws import EmbeddedAws
from local.config.project import Stack
from local.deployment import Deployment

KEPT = {
    ("aws:kms/key:Key", "audit-key"): "key",
    ("aws:s3/bucket:Bucket", "audit-bucket"): "bucket",
}
"""Type token and logical name of each resource that is kept -> its kind."""
SCHEDULED = {
    "aws:kms/key:Key": "key scheduled for deletion",
    "aws:secretsmanager/secret:Secret": "secret scheduled for deletion",
}
"""Type token of each resource that AWS deletes later -> its kind until then."""
PARAMETER = "parameter"
"""A generated or external SecureString, which is not a resource of the stack."""
DOCUMENTED = {
    "bucket": "The audit's bucket and key",
    "key": "The audit's bucket and key",
    "key scheduled for deletion": "and keys, for `key.deletionWindowDays`",
    "secret scheduled for deletion": "Secrets, for `recoveryWindowDays`",
    "parameter": "SecureStrings that were generated or put by hand",
}
"""Kind -> the words for it in docs/operations.md, under "Destroy a stack"."""


class AccountResource(NamedTuple):
    """Something in the account."""

    kind: str
    region: str
    name: str

    def __str__(self) -> str:
        """Return kind, name and region."""
        return f"{self.kind} {self.name} in {self.region}"


def account(aws: EmbeddedAws, stack: Stack) -> frozenset[AccountResource]:
    """Return everything in the account, in every region of the stack."""
    others = json.loads(stack.config.get(f"{stack.project}:replicaRegions", "[]"))
    return frozenset(
        AccountResource(kind, region, name)
        for region in (stack.region, *others)
        for kind, name in _things(partial(aws.client, region=region), everywhere=region in others)
    )


def kept(deployed: Deployment) -> frozenset[AccountResource]:
    """Return what a destroyed stack leaves, as docs/operations.md explains."""
    return frozenset(_kept(deployed))


def _kept(deployed: Deployment) -> Iterator[AccountResource]:
    home, made = deployed.stack.region, deployed.record.resources
    for each in made:
        region = each.inputs.get("region") or home
        if kind := KEPT.get((each.type, each.name)):
            yield AccountResource(kind, region, each.id)
        # With a window of 0 days a secret is deleted at once.
        elif each.type in SCHEDULED and each.inputs.get("recoveryWindowInDays") != 0:
            yield AccountResource(SCHEDULED[each.type], region, each.id)
    for name in deployed.outputs["parameter_arns"].keys() - {each.id for each in made}:
        yield AccountResource(PARAMETER, home, name)


def _things(client: Any, *, everywhere: bool) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (boto3 makes its classes at run time)
    for kind, (service, operation, list_, key) in _LISTS.items():
        if everywhere and service in _GLOBAL:
            continue  # they were listed in the first region
        asked = _OPTIONS.get(operation, {})
        for page in client(service).get_paginator(operation).paginate(**asked):
            for each in page[list_]:
                if service == "kms" and operation == "list_keys":
                    state = client("kms").describe_key(KeyId=each[key])["KeyMetadata"]["KeyState"]
                    ending = state == "PendingDeletion"
                else:
                    ending = "DeletedDate" in each
                yield f"{kind} scheduled for deletion" if ending else kind, each[key]


_GLOBAL = {"iam", "s3"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "list_policies": {"Scope": "Local"},
    "list_secrets": {"IncludePlannedDeletion": True},
    "describe_alarms": {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
}
_LISTS = {
    "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "alias": ("kms", "list_aliases", "Aliases", "AliasName"),
    "bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "composite alarm": ("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName"),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "endpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "function": ("lambda", "list_functions", "Functions", "FunctionName"),
    "key": ("kms", "list_keys", "Keys", "KeyId"),
    "log group": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "parameter": ("ssm", "describe_parameters", "Parameters", "Name"),
    "policy": ("iam", "list_policies", "Policies", "Arn"),
    "role": ("iam", "list_roles", "Roles", "RoleName"),
    "rule": ("events", "list_rules", "Rules", "Name"),
    "secret": ("secretsmanager", "list_secrets", "SecretList", "ARN"),
    "security group": ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "subscription": ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "topic": ("sns", "list_topics", "Topics", "TopicArn"),
    "trail": ("cloudtrail", "list_trails", "Trails", "Name"),
}
