"""Every resource type of the provider, by its token."""

from types import ModuleType

from local.provider import (
    cloudtrail,
    cloudwatch,
    events,
    iam,
    kms,
    logs,
    secretsmanager,
    sns,
    ssm,
)
from local.provider.ec2 import endpoints, security_groups
from local.provider.lambda_ import aliases, functions, invocations
from local.provider.resource import Resource
from local.provider.s3 import buckets, lifecycle, settings

_MODULES: tuple[ModuleType, ...] = (
    *(security_groups, endpoints),
    *(functions, aliases, invocations),
    *(buckets, settings, lifecycle),
    cloudtrail,
    cloudwatch,
    events,
    iam,
    kms,
    logs,
    secretsmanager,
    sns,
    ssm,
)

RESOURCES: dict[str, Resource] = {
    found.type: found()
    for module in _MODULES
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, Resource) and "type" in vars(found)
}
