"""Compares a deployment with the previous one, and rejects it if a value would be lost."""

import functools
import itertools
from collections.abc import Mapping
from typing import Any

import pulumi

from ..config.environment import Environment
from ..config.rules import secret_values as value_rules
from ..config.rules.parameters import VALUES_PREFIX
from ..config.schema import Settings
from ..config.settings import SettingsError, decrypted_values
from . import (
    lookups,
    moves,
    neighbors,
    parameters,
    recorded,
    recorded_state,
    removals,
    secrets,
)


def keep_values(env: Environment) -> dict[str, int]:
    """Compare secrets and parameters with those of the previous deployment.

    Returns:
        Logical name of a generated parameter -> how often its value was lost, if it was.

    Raises:
        SettingsError: this deployment would delete or overwrite a value, or fail at one.

    """
    settings, names = env.settings, env.names
    configured = _configured(settings, decrypted_values(env.project))
    resources = recorded_state.resources()
    state = recorded.read(resources, configured)
    types = functools.cache(lambda: lookups.parameter_types(names.parameter_prefix))
    looked_up = parameters.ParameterLookups(types, lookups.parameter_version)
    moved = [*moves.errors(settings, names, env.region, pulumi.get_organization(), state)]
    errors = moved or [  # a move would cause all the other errors
        *removals.errors(settings, names, state),
        *secrets.errors(settings.own_secrets, names, state, lookups.current_version),
        *parameters.errors(settings.parameters, names, state, looked_up),
    ]
    taken = [] if moved else _taken(env, state, is_known=bool(resources))
    if errors or taken:
        raise SettingsError([*(error.line(env.project) for error in errors), *taken])
    for key in removals.forgotten(settings, state):
        path = f"{env.project}:exemptions[{key!r}]"
        pulumi.log.warn(f"{path} is for something that no longer exists; remove it")
    return parameters.lost(settings.parameters, names, state, looked_up)


def _taken(env: Environment, state: recorded.Recorded, *, is_known: bool) -> list[str]:
    """Find other environments whose names are those of resources that this one will create.

    The state of a first deployment that was interrupted is known to `up`, and not to every
    preview. Then an alias of the same name is only a warning.
    """
    missing = [
        region
        for region in (env.region, *env.settings.replica_regions)
        if region not in state.key_regions
    ]
    is_first = env.region in missing
    key_of = functools.cache(lookups.key_of_alias)
    similar = neighbors.of_similar_names(env.names, env.region, key_of) if is_first else ()
    further = _further_aliases(env) if is_first else ()
    same = itertools.chain(
        neighbors.of_the_same_name(env.names, missing, key_of),
        neighbors.of_further_keys(further, env.region, key_of),
    )
    if is_first and env.settings.monitoring.enabled:
        labels = [each.label for each in env.functions.values() if each.label]
        for line in neighbors.of_longer_names(env.names, labels, env.region, key_of):
            pulumi.log.warn(line)
    if is_known or not pulumi.runtime.is_dry_run():
        return [*similar, *same]
    for line in same:
        pulumi.log.warn(line)
    return [*similar]


def _further_aliases(env: Environment) -> list[str]:
    """Aliases of the keys that this environment has in addition to its own."""
    names, settings = env.names, env.settings
    return [
        *([names.audit_alias] if settings.audit.trail == "own" else []),
        *([names.alarms_alias] if settings.monitoring.enabled else []),
    ]


def _configured(settings: Settings, values: Mapping[str, Any]) -> recorded.Configured:
    return recorded.Configured(
        secrets={
            name: value_rules.text(values[name])
            for name, secret in settings.own_secrets.items()
            if secret.source == "config"
        },
        parameters={
            name: {
                "value": parameter.value or values.get(VALUES_PREFIX + name),
                "type": parameter.type,
                "description": parameter.description,
                "tier": parameter.tier,
            }
            for name, parameter in settings.parameters.items()
        },
    )
