"""Every type that the provider has, by its token."""

from types import ModuleType

from local.provider import (
    cloudtrail,
    cloudwatch,
    ec2,
    events,
    iam,
    kms,
    lambda_,
    logs,
    s3,
    secretsmanager,
    sns,
    ssm,
)
from local.provider.resource import Resource

_MODULES: tuple[ModuleType, ...] = (
    cloudtrail,
    cloudwatch,
    ec2,
    events,
    iam,
    kms,
    lambda_,
    logs,
    s3,
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
