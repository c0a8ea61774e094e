"""Changes of a parameter's type or source that would cost its value. Pure: no Pulumi, no boto3.

A String, a StringList and a SecureString of ``from: config`` are resources of the stack; any other
SecureString is not. A resource that leaves the program is deleted by its name at the end of the
deployment, although the seeder or an operator has that name now. A resource that enters the
program is created, and Parameter Store refuses a second parameter of the same name.

What keeps the value edits the state, not the parameter. ``pulumi state delete`` cannot: it
refuses, because the policies that name the parameter depend on it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from infra.parameter_rules import VALUES_PREFIX
from infra.schema import ParameterSettings

Fault = tuple[str, str]

_PARAMETER = "aws:ssm/parameter:Parameter"
_INVOCATION = "aws:lambda/invocation:Invocation"
_STORE = "lambda-secrets:index:ParameterStore"
# Drops a resource from an exported state, and its URN from what the others depend on.
_WITHOUT = 'walk(if type == "array" then map(select((.urn? // .) != $urn)) else . end)'


class Managed(NamedTuple):
    """A parameter that is a resource of the stack."""

    urn: str
    type: str
    """String, StringList or SecureString."""


class Recorded(NamedTuple):
    """What the state says about parameters; no value."""

    managed: Mapping[str, Managed]
    """Full name -> the resource."""
    generated: frozenset[str]
    """Full names of those for which the seeder was called."""


def recorded(resources: Mapping[str, Any]) -> Recorded:
    """Keep the names of a state's parameters, and nothing else.

    ``resources`` is URN -> ``type`` and ``outputs`` of everything in the state, with its values.
    """
    managed: dict[str, Managed] = {}
    generated: set[str] = set()
    for urn, resource in resources.items():
        outputs = resource["outputs"]
        if resource["type"] == _PARAMETER:
            managed[outputs["name"]] = Managed(urn, outputs["type"])
        elif resource["type"] == _INVOCATION:
            event = json.loads(outputs["input"])
            if "Parameter" in event:
                generated.add(event["Parameter"]["Name"])
    return Recorded(managed, frozenset(generated))


def broken(
    parameters: Mapping[str, ParameterSettings], project: str, stack: str, state: Recorded
) -> Iterator[Fault]:
    """Say which parameters would lose their value, and what keeps it."""
    for name, parameter in parameters.items():
        full = f"/{project}/{stack}/{name}"
        managed = state.managed.get(full)
        will_be_managed = not parameter.secure or parameter.source == "config"
        becomes = _described(parameter.type, parameter.source)
        if managed and not will_be_managed:
            was = _described(managed.type, "config")
            keep = (
                _let_go(stack, managed.urn)
                if managed.type == "SecureString"
                else _encrypt(name, stack)
            )
            text = (
                f"was {was} and becomes {becomes}; this deployment would delete {full}, and its"
                f" value. {keep}\n"
                "If nobody needs the value: remove the parameter, deploy, and add it again."
            )
            yield f"parameters.{name}", text
        elif will_be_managed and not managed and full in state.generated:
            was = _described("SecureString", "generate")
            keep = (
                _take_over(name, full, project, stack)
                if parameter.secure
                else f"To keep the value, leave it, and give the {parameter.type} another name."
            )
            text = (
                f"was {was} and becomes {becomes}; this deployment would create {full}, which"
                f" exists, and deleting it first would lose its value. {keep}\n"
                "If nobody needs the value: remove the parameter, deploy, delete it with"
                f" `aws ssm delete-parameter --name {full}`, and add it again."
            )
            yield f"parameters.{name}", text


def _described(type_: str, source: str) -> str:
    return f"{type_} of `from: {source}`" if type_ == "SecureString" else type_


def _let_go(stack: str, urn: str) -> str:
    """Take the resource out of the state; whoever has the parameter next finds it."""
    return _commands(
        "To keep the value, take the parameter out of the state and deploy again:",
        f"pulumi stack export -s {stack} | jq --arg urn '{urn}' '{_WITHOUT}'"
        f" | pulumi stack import -s {stack}",
        f"pulumi up -s {stack}",
    )


def _encrypt(name: str, stack: str) -> str:
    """Encrypt the value where it is, which the provider does in place."""
    return _commands(
        "To keep the value, deploy it as a SecureString of `from: config` first; then make this"
        " change again, and the preview says what is next:",
        f"pulumi config set --secret --path {_value_path(name)} -s {stack}",
        f"pulumi up -s {stack}",
    )


def _take_over(name: str, full: str, project: str, stack: str) -> str:
    """Put the value into the config, and the parameter into the state."""
    parent = f"parameters=urn:pulumi:{stack}::{project}::{_STORE}::parameters"
    return _commands(
        "To keep the value, put it into the config and the parameter into the state:",
        f"aws ssm get-parameter --name {full} --with-decryption --query Parameter.Value"
        f" --output text | pulumi config set --secret --path {_value_path(name)} -s {stack}",
        f"pulumi import {_PARAMETER} 'parameters-{name}' {full} --parent '{parent}'"
        f" --protect=false --generate-code=false -s {stack}",
        f"pulumi up -s {stack}",
    )


def _value_path(name: str) -> str:
    return f"'secretValues[\"{VALUES_PREFIX}{name}\"]'"


def _commands(why: str, *lines: str) -> str:
    return "\n  ".join([why, *lines])
