"""What has the tags of a stack and is not in its state, such as after a deployment was killed.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from infra.config.rules.tags import OWN_TAGS
from ops.stack import Stack

KEY_DAYS = 30
"""Days until a key is deleted; until then, `aws kms cancel-key-deletion` keeps it."""
_SERVICES = ("lambda.amazonaws.com", "cloudtrail.amazonaws.com")


@dataclass(frozen=True)
class Leftover:
    """A resource of AWS that the stack's state does not have."""

    arn: str
    note: str = ""
    """Why it is not deleted here."""
    verb: str = "delete it"
    delete: Callable[[], object] | None = None
    """None if it holds data, or is in use."""

    def __str__(self) -> str:
        """Return its ARN, and what is known about it."""
        return f"{self.arn}  ({self.note})" if self.note else self.arn


def find(stack: Stack, session: Any) -> list[Leftover]:
    """Look in the stack's regions for resources and in the account for roles."""
    regions = dict.fromkeys([stack.region, *(stack.config.get("replicaRegions") or ())])
    found = [each for region in regions for each in _tagged(stack, session, region)]
    return [*found, *_roles(stack, session.client("iam"))]


def _tagged(stack: Stack, session: Any, region: str) -> Iterator[Leftover]:
    tagging = session.client("resourcegroupstaggingapi", region_name=region)
    filters = [{"Key": key, "Values": [value]} for key, value in _tags(stack).items()]
    client = functools.partial(session.client, region_name=region)
    for page in tagging.get_paginator("get_resources").paginate(TagFilters=filters):
        for arn in sorted(each["ResourceARN"] for each in page["ResourceTagMappingList"]):
            if arn not in stack.ids and arn.rpartition("/")[2] not in stack.ids:
                yield _leftover(arn, client)


def _leftover(arn: str, client: Callable[[str], Any]) -> Leftover:
    service, resource = arn.split(":")[2], arn.split(":", 5)[5]
    if service == "kms" and resource.startswith("key/"):
        return _key(arn, client)
    if service == "lambda" and resource.startswith("function:"):
        delete = functools.partial(client("lambda").delete_function, FunctionName=arn)
        return Leftover(arn, delete=delete)
    if service in ("secretsmanager", "ssm", "s3", "logs"):
        return Leftover(arn, "holds data")
    return Leftover(arn, "delete it with AWS's own command")


def _key(arn: str, client: Callable[[str], Any]) -> Leftover:
    about = client("kms").describe_key(KeyId=arn)["KeyMetadata"]
    if about["KeyState"] == "PendingDeletion":
        return Leftover(arn, f"is deleted on {about['DeletionDate']:%Y-%m-%d}")
    if user := next(_users(arn, client), None):
        return Leftover(arn, f"{user} is encrypted with it")
    schedule = functools.partial(
        client("kms").schedule_key_deletion, KeyId=arn, PendingWindowInDays=KEY_DAYS
    )
    note = f"{about['Description']}; created {about['CreationDate']:%Y-%m-%d %H:%M}"
    return Leftover(arn, note, f"delete it in {KEY_DAYS} days", schedule)


def _users(arn: str, client: Callable[[str], Any]) -> Iterator[str]:
    """Yield what is encrypted with a key, among the account's secrets, log groups and buckets."""
    pages = client("secretsmanager").get_paginator("list_secrets")
    for page in pages.paginate(IncludePlannedDeletion=True):
        yield from (each["Name"] for each in page["SecretList"] if each.get("KmsKeyId") == arn)
    for page in client("logs").get_paginator("describe_log_groups").paginate():
        groups = page["logGroups"]
        yield from (each["logGroupName"] for each in groups if each.get("kmsKeyId") == arn)
    s3 = client("s3")
    for name in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        try:
            read = s3.get_bucket_encryption(Bucket=name)
        except s3.exceptions.ClientError:
            yield f"perhaps the bucket {name}, whose encryption cannot be read,"
            continue
        for rule in read["ServerSideEncryptionConfiguration"]["Rules"]:
            if rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") == arn:
                yield f"the bucket {name}"


def _roles(stack: Stack, iam: Any) -> Iterator[Leftover]:
    """Yield roles for functions and trails; GetResources does not have roles."""
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name, trust = role["RoleName"], str(role["AssumeRolePolicyDocument"])
            if name in stack.ids or not any(service in trust for service in _SERVICES):
                continue
            tags = {
                each["Key"]: each["Value"] for each in iam.list_role_tags(RoleName=name)["Tags"]
            }
            if _tags(stack).items() <= tags.items():
                yield Leftover(role["Arn"], delete=functools.partial(_delete_role, iam, name))


def _delete_role(iam: Any, name: str) -> None:
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _tags(stack: Stack) -> dict[str, str]:
    return dict(zip(OWN_TAGS, stack.names, strict=True))
