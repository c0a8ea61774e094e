"""Rejects changes of a parameter that would lose its value. Pure: no Pulumi, no boto3.

A String, a StringList and a SecureString with `from: config` are resources of the stack; any other
SecureString is not. If a resource leaves the program, Pulumi deletes the parameter with its name
at the end of the deployment, although it belongs to the seeder or an operator by then. If a
resource enters the program, Pulumi creates it, and Parameter Store rejects a second parameter with
the same name. If a resource changes, Pulumi writes the whole parameter, over any change made
elsewhere.

The commands that keep the value edit the state, not the parameter. `pulumi state delete` does not
work, because policies depend on the parameter.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ..config.errors import ConfigError
from ..config.rules.parameters import VALUES_PREFIX
from ..config.schema import ParameterSettings
from ..names import Names
from . import commands
from .recorded import Parameter, Recorded

_PARAMETER = "aws:ssm/parameter:Parameter"
# Removes a resource from an exported state, and its URN from the dependencies of others.
_WITHOUT = 'walk(if type == "array" then map(select((.urn? // .) != $urn)) else . end)'


class ParameterLookups(NamedTuple):
    """Lookups in Parameter Store; used only if the state is not sufficient."""

    types: Callable[[], Mapping[str, str]]
    """Full name -> type, for all parameters below the environment's path."""
    version: Callable[[str], int | None]
    """Version of the parameter with a full name; None if it does not exist."""


def errors(
    parameters: Mapping[str, ParameterSettings],
    names: Names,
    state: Recorded,
    looked_up: ParameterLookups,
) -> Iterator[ConfigError]:
    """Yield an error for each parameter that would lose its value, with what keeps it."""
    for name, parameter in parameters.items():
        full, path = names.parameter(name), f"parameters.{name}"
        managed = state.parameters.get(name)
        if not _is_managed(parameter):
            if managed:
                yield ConfigError(path, _leaves(name, parameter, managed, names.stack))
        elif managed:
            if _is_overwritten(managed, looked_up):
                yield ConfigError(path, _overwrites(name, parameter, names))
        elif full in state.generated:
            yield ConfigError(
                path, _enters(name, parameter, "SecureString", names, was_generated=True)
            )
        elif state.secrets and (type_ := looked_up.types().get(full)):
            yield ConfigError(path, _enters(name, parameter, type_, names, was_generated=False))


def lost(
    parameters: Mapping[str, ParameterSettings],
    names: Names,
    state: Recorded,
    looked_up: ParameterLookups,
) -> dict[str, int]:
    """Return how often each generated parameter was lost, by logical name, if it was.

    One that the seeder created and that no longer exists counts once more.
    """
    counts = {
        name: state.generated[full] + (full not in looked_up.types())
        for name, parameter in parameters.items()
        if parameter.secure
        and parameter.source == "generate"
        and (full := names.parameter(name)) in state.generated
    }
    return {name: count for name, count in counts.items() if count}


def _is_managed(parameter: ParameterSettings) -> bool:
    return not parameter.secure or parameter.source == "config"


def _is_overwritten(managed: Parameter, looked_up: ParameterLookups) -> bool:
    if managed.is_configured or managed.version is None:
        return False
    return looked_up.version(managed.full_name) not in {None, managed.version}


def _leaves(name: str, parameter: ParameterSettings, managed: Parameter, stack: str) -> str:
    was, becomes = _described(managed.type, "config"), _described(parameter.type, parameter.source)
    keep = _let_go(stack, managed.urn) if managed.type == "SecureString" else _encrypt(name, stack)
    return (
        f"was {was} and becomes {becomes}; this deployment would delete {managed.full_name} and"
        f" its value. {keep}\n"
        "If the value is not needed: remove the parameter, deploy, and add it again."
    )


def _enters(
    name: str, parameter: ParameterSettings, type_: str, names: Names, *, was_generated: bool
) -> str:
    full, becomes = names.parameter(name), _described(parameter.type, parameter.source)
    was = (
        _described(type_, "generate")
        if was_generated
        else f"a {type_} that this config did not create"
    )
    if parameter.secure or type_ != "SecureString":
        keep = _take_over(name, parameter, names)
    else:
        keep = f"To keep the value, leave it there, and give the {parameter.type} another name."
    return (
        f"was {was} and becomes {becomes}; this deployment would have to create {full},"
        f" which already exists, and deleting it first would lose its value. {keep}\n"
        "If the value is not needed: remove the parameter, deploy, delete it with"
        f" `aws ssm delete-parameter --name {full}`, and add it again."
    )


def _overwrites(name: str, parameter: ParameterSettings, names: Names) -> str:
    full, stack = names.parameter(name), names.stack
    keep = (
        [f"{commands.read_parameter(full)} | {commands.set_value(VALUES_PREFIX + name, stack)}"]
        if parameter.secure
        else []
    )
    why = (
        "To keep that value, copy it into the config, then let Pulumi read it:"
        if keep
        else f"To keep that value, set parameters.{name}.value to it. Then let Pulumi read it:"
    )
    return (
        f"was changed in Parameter Store since the last deployment, and this deployment would"
        f" overwrite {full}. "
        + commands.listed(why, *keep, f"pulumi refresh -s {stack}", commands.deploy(stack))
        + "\nIf that value is not needed, skip the other commands: run `pulumi refresh`, then"
        " `pulumi up`."
    )


def _described(type_: str, source: str) -> str:
    return f"{type_} with `from: {source}`" if type_ == "SecureString" else type_


def _let_go(stack: str, urn: str) -> str:
    """Remove the resource from the state; the parameter itself stays."""
    return commands.listed(
        "To keep the value, remove the parameter from the state and deploy again:",
        f"pulumi stack export -s {stack} | jq --arg urn '{urn}' '{_WITHOUT}'"
        f" | pulumi stack import -s {stack}",
        commands.deploy(stack),
    )


def _encrypt(name: str, stack: str) -> str:
    """Encrypt the value in place, which the provider can do."""
    return commands.listed(
        "To keep the value, deploy it as a SecureString with `from: config` first. Then make this"
        " change again; the preview shows the next step:",
        commands.set_value(VALUES_PREFIX + name, stack),
        commands.deploy(stack),
    )


def _take_over(name: str, parameter: ParameterSettings, names: Names) -> str:
    """Copy the value into the config, and import the parameter into the state."""
    full, stack = names.parameter(name), names.stack
    parent = names.component("ParameterStore", "parameters")
    taken = commands.take_over(_PARAMETER, f"parameters-{name}", full, parent, stack)
    if not parameter.secure:
        why = f"To keep the value, set parameters.{name}.value to it, and import the parameter:"
        return commands.listed(why, taken, commands.deploy(stack))
    return commands.listed(
        "To keep the value, copy it into the config, and import the parameter into the state:",
        f"{commands.read_parameter(full)} | {commands.set_value(VALUES_PREFIX + name, stack)}",
        taken,
        commands.deploy(stack),
    )
