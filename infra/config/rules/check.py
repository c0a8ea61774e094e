"""Runs every rule on the config of a stack. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.config.errors import ConfigError
from infra.config.rules import (
    function,
    guardrails,
    key,
    monitoring,
    network,
    parameters,
    replicas,
    resource_policy,
    rotation,
    secrets,
    tags,
)
from infra.config.rules import secret_values as values
from infra.config.schema import Settings
from infra.names import Names


@dataclass(frozen=True)
class Config:
    """Stack config, as far as each key by itself is right."""

    settings: Settings
    """Without the parts that are wrong already: they are at their defaults, or left out."""
    secret_names: frozenset[str]
    """Every name in `secrets`, also of those left out."""
    parameter_names: frozenset[str]
    """Every name in `parameters`, also of those left out."""
    values: object
    """`secretValues` as it came. Never shown."""
    values_encrypted: bool


def errors(config: Config, names: Names, region: str) -> Iterator[ConfigError]:
    """Say which rules are broken; `region` is `aws:region`, or nothing."""
    settings = config.settings
    yield from secrets.errors(settings.secrets, names.secret_prefix, config.secret_names)
    yield from rotation.errors(settings.secrets, config.secret_names)
    yield from parameters.errors(settings.parameters, names.parameter_prefix, config.secret_names)
    yield from values.errors(
        config.values,
        dict.fromkeys(config.secret_names) | settings.secrets,
        dict.fromkeys(config.parameter_names) | settings.parameters,
        encrypted=config.values_encrypted,
    )
    yield from function.errors(settings, region, config.secret_names)
    yield from network.errors(settings, region)
    yield from replicas.errors(settings.replica_regions, region)
    yield from tags.errors(settings.tags)
    yield from key.errors(settings)
    yield from monitoring.errors(settings, names.secret_prefix)
    yield from resource_policy.errors(settings.resource_policy)
    yield from guardrails.errors(settings, config.secret_names | config.parameter_names)
