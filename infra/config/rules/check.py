"""Runs every rule on the config of a stack. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...names import Names
from ..errors import ConfigError
from ..partial import Partial
from . import (
    capacity,
    certificates,
    functions,
    guardrails,
    key,
    monitoring,
    network,
    parameters,
    readers,
    replicas,
    resource_policy,
    rotation,
    rotation_groups,
    secrets,
    tags,
)
from . import secret_values as values


@dataclass(frozen=True)
class Config:
    """Stack config without the keys that are wrong by themselves."""

    partial: Partial
    secret_names: frozenset[str]
    """Every name in `secrets`, including those with errors."""
    parameter_names: frozenset[str]
    """Every name in `parameters`, including those with errors."""
    function_names: frozenset[str]
    """Every name in `functions`, including those with errors."""
    exemption_names: frozenset[str]
    """Every name in `exemptions`, including those with errors."""
    values: object
    """`secretValues`, unchecked. Never shown."""
    values_encrypted: bool
    surroundings: guardrails.Surroundings


def errors(config: Config, names: Names, region: str) -> list[ConfigError]:
    """Yield an error for each broken rule; `region` is `aws:region`, or nothing.

    No error is about the default of a key that is wrong by itself.
    """
    return config.partial.judged(_errors(config, names, region))


def _errors(config: Config, names: Names, region: str) -> Iterator[ConfigError]:
    settings, is_whole = config.partial.settings, config.partial.is_whole
    whole = {
        name: secret for name, secret in settings.secrets.items() if is_whole(f"secrets.{name}")
    }
    whole_parameters = {
        name: parameter
        for name, parameter in settings.parameters.items()
        if is_whole(f"parameters.{name}")
    }
    yield from secrets.errors(settings.secrets, names.secret_prefix, config.secret_names, region)
    yield from rotation.errors(whole, config.secret_names, region)
    yield from rotation_groups.errors(settings.secrets, whole)
    yield from certificates.errors(settings, whole, region)
    yield from parameters.errors(settings.parameters, names.parameter_prefix, config.secret_names)
    yield from values.errors(
        config.values,
        dict.fromkeys(config.secret_names) | whole,
        dict.fromkeys(config.parameter_names) | whole_parameters,
        encrypted=config.values_encrypted,
    )
    yield from functions.errors(
        settings, names, region, config.secret_names, config.parameter_names
    )
    yield from capacity.errors(settings, names)
    yield from readers.errors(settings, config.secret_names, config.function_names, region)
    yield from network.errors(settings, region)
    yield from replicas.errors(settings.replica_regions, region)
    yield from tags.errors(settings.tags, config.surroundings.default_tags)
    yield from key.errors(settings)
    yield from monitoring.errors(settings, names, region)
    yield from resource_policy.errors(settings.resource_policy)
    yield from guardrails.errors(
        settings,
        guardrails.EntryNames(
            config.secret_names | config.parameter_names,
            config.function_names,
            config.exemption_names,
        ),
        config.surroundings,
        all_read=not config.partial.left_out,
    )
