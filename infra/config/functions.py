"""The functions of a stack, from either section of the config. Pure: no Pulumi."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from ..aws import layers, limits
from .function_settings import ExtensionSettings, FunctionSettings
from .schema import RotationSettings, SecretSettings, Settings

READER = "reader"
"""Logical name of the function of the section `function`."""
POSTGRES = ("postgres.py", "postgres_fields.py", "saslprep.py")
"""Files of `handler/` that log in to PostgreSQL."""


@dataclass(frozen=True)
class AppFunction:
    """One function, with the settings of the whole stack applied."""

    name: str
    """Logical name."""
    section: str
    """Key of its section: `function`, or `functions.<name>`."""
    settings: FunctionSettings
    extension: ExtensionSettings
    """The stack's settings, overridden by its own."""
    max_staleness_seconds: int

    @property
    def is_example(self) -> bool:
        """Whether it is that of the section `function`, with the code of an example."""
        return self.section == "function"

    @property
    def earlier_name(self) -> str | None:
        """Name of the function whose resources it takes over, or None."""
        return READER if self.settings.replaces else None

    @property
    def has_first_outputs(self) -> bool:
        """Whether the outputs for a single function, such as `function_arn`, are for this one."""
        return READER in (self.name, self.earlier_name)

    @property
    def label(self) -> str:
        """The part of its alarms' names that tells it from others; empty for the first one."""
        return "" if self.has_first_outputs else self.name

    @property
    def log_group(self) -> str:
        """The end of its log group's name; a function that replaces another keeps the old name."""
        return self.earlier_name or self.name

    def layer_arn(self, region: str) -> str:
        """ARN of the extension's layer version.

        Raises:
            LookupError: it is not set, and not known for region and architecture.

        """
        return self.extension.layer_arn or layers.extension_layer_arn(
            region, self.settings.architecture
        )

    def extension_args(self) -> dict[str, Any]:
        """Arguments of the extension; by default it caches for half of `maxStalenessSeconds`."""
        half = min(limits.TTL_SECONDS.most, self.max_staleness_seconds // 2)
        return {
            name: half if value is None else value
            for name, value in self.extension.model_dump(exclude={"layer_arn"}).items()
        }

    def extension_cache_seconds(self) -> int:
        """Seconds that the extension caches a secret; 0 if it caches nothing."""
        return self.extension_args()["secrets_ttl_seconds"] if self._extension_keeps else 0

    def client_cache_seconds(self) -> int:
        """Seconds that remain for the client's own cache."""
        args = self.extension_args()
        ttl = max(args["secrets_ttl_seconds"], args["parameters_ttl_seconds"])
        return self.max_staleness_seconds - (ttl if self._extension_keeps else 0)

    @property
    def _extension_keeps(self) -> bool:
        return self.extension.cache_enabled and self.extension.cache_size > 0


def functions(settings: Settings) -> dict[str, AppFunction]:
    """Return the functions by logical name: those of `functions`, or that of `function`."""
    return {
        name: AppFunction(
            name,
            section,
            function,
            _extension(settings.extension, function.extension),
            settings.max_staleness_seconds,
        )
        for name, section, function in _sections(settings)
    }


def first(by_name: Mapping[str, AppFunction]) -> AppFunction | None:
    """Return the function of the section `function`, or the one that replaces it."""
    return next((each for each in by_name.values() if each.has_first_outputs), None)


def rotation_functions(settings: Settings) -> dict[str, list[str]]:
    """Return the functions that rotate secrets: logical name -> their secrets."""
    found: dict[str, list[str]] = {}
    for name, secret in settings.own_secrets.items():
        if secret.rotation:
            found.setdefault(rotation_function(name, secret.rotation), []).append(name)
    return found


def rotation_groups(secrets: Mapping[str, SecretSettings]) -> dict[str, list[str]]:
    """Return the rotation groups: name -> logical names of the secrets that share a function."""
    found: dict[str, list[str]] = {}
    for name, secret in secrets.items():
        if secret.rotation and secret.rotation.group and secret.existing is None:
            found.setdefault(secret.rotation.group, []).append(name)
    return found


def rotation_function(secret: str, rotation: RotationSettings) -> str:
    """Return the logical name of the function that rotates a secret."""
    return rotation_group_function(rotation.group) if rotation.group else f"{secret}-rotation"


def rotation_group_function(group: str) -> str:
    """Return the logical name of the function of a rotation group."""
    return f"{group}-rotation-group"


class InternalFunction(TypedDict):
    """Runtime settings of the internal functions, which seed, rotate and watch."""

    runtime: str
    architecture: limits.Architecture
    log_retention_days: int


def internal_functions(settings: Settings) -> InternalFunction:
    """Return the settings of the internal functions; by default those of the first function."""
    own, function = settings.internal_functions, first(functions(settings))
    runtime: str | None = None
    architecture, days = limits.DEFAULT_ARCHITECTURE, limits.DEFAULT_LOG_RETENTION_DAYS
    if function:
        runtime = (
            function.settings.runtime if function.settings.runtime in limits.RUNTIMES else None
        )
        architecture, days = function.settings.architecture, function.settings.log_retention_days
    return {
        "runtime": own.runtime or runtime or limits.DEFAULT_RUNTIME,
        "architecture": own.architecture or architecture,
        "log_retention_days": own.log_retention_days or days,
    }


def _sections(settings: Settings) -> Iterator[tuple[str, str, FunctionSettings]]:
    if not settings.functions:
        yield READER, "function", _example(settings)
    for name, function in settings.functions.items():
        yield name, f"functions.{name}", function


def _example(settings: Settings) -> FunctionSettings:
    """Return the section `function` as an entry of `functions`."""
    single = settings.function
    chosen = settings.readable if single.secrets is None else single.secrets
    parameters = settings.parameters if single.parameters is None else single.parameters
    with_database = single.handler == "query"
    function = {
        **single.model_dump(exclude={"handler", "secret", "secrets", "parameters"}),
        "code": f"handler/{single.handler}.py",
        "handler": f"{single.handler}.lambda_handler",
        "include": [f"handler/{name}" for name in POSTGRES] if with_database else [],
        "ca_bundle": with_database,
        "secrets": [single.secret, *(name for name in chosen if name != single.secret)],
        "parameters": list(parameters),
    }
    return FunctionSettings.model_validate(function, by_name=True, by_alias=False)


def _extension(stack: ExtensionSettings, own: ExtensionSettings) -> ExtensionSettings:
    return stack.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
