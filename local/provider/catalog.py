"""Every type that the provider has, by its token."""

from types import ModuleType

from local.provider import 
    cloudwatch, ...] = (
    kms, =======
from local.provider import kms, >>>>>>> 5d90f35 (CloudWatch Logs: log groups and metric filters with a whole life, kms, lambda_, logs, secretsmanager
from local.provider.resource import Resource

_MODULES: tuple[ModuleType
from local.provider.resource import Resource

_MODULES: tuple[ModuleType, ...] = (
    cloudwatch, ...] = (
    kms, =======
from local.provider import kms, >>>>>>> 5d90f35 (CloudWatch Logs: log groups and metric filters with a whole life, kms, lambda_, logs, secretsmanager
from local.provider.resource import Resource

_MODULES: tuple[ModuleType,)
    secretsmanager,
)

RESOURCES: dict[str, Resource] = {
    found.type: found()
    for module in _MODULES
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, Resource) and "type" in vars(found)
}
