"""What a stack's state says about its secrets and parameters. Pure: no Pulumi, no boto3.

It keeps names, ids and booleans, but no values. Only resources of this project's components count;
secrets, parameters and invocations that a program registers elsewhere are not checked.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_SECRET = "lambda-secrets:index:AppSecret$aws:secretsmanager/secret:Secret"  # noqa: S105 (types)
_VERSION = "lambda-secrets:index:AppSecret$aws:secretsmanager/secretVersion:SecretVersion"
_PARAMETER = "lambda-secrets:index:ParameterStore$aws:ssm/parameter:Parameter"
_SEED = "lambda-secrets:index:SecretSeeder$aws:lambda/invocation:Invocation"
_NAMED = (_SECRET.rpartition("$")[2], _PARAMETER.rpartition("$")[2])
# Prefix of the names of the component's children: its logical name.
_STORE = "parameters-"
_ALIAS = "lambda-secrets:index:EncryptionKey$aws:kms/alias:Alias"
_RECORD_NAME = "audit-logs"
_RECORD = "lambda-secrets:index:Audit$aws:cloudwatch/logGroup:LogGroup"


class Version(NamedTuple):
    """A version of a secret that came from the stack's config."""

    urn: str
    id: str
    is_configured: bool
    """Whether its text is the one in the current config."""
    is_object: bool
    """Whether its text is a JSON object."""


class Secret(NamedTuple):
    """A secret that is a resource of the stack."""

    urn: str
    arn: str
    full_name: str
    prefix: str
    """Prefix of its environment's names, from its tags."""
    recovery_window_in_days: int
    """Its recovery window, as last deployed."""
    version: Version | None
    """None: its value is not from the config."""


class Parameter(NamedTuple):
    """A parameter that is a resource of the stack."""

    urn: str
    arn: str
    full_name: str
    prefix: str
    """Prefix of its environment's names, from its tags."""
    type: str
    """String, StringList or SecureString."""
    version: int | None
    """None: an older provider did not record it."""
    is_configured: bool
    """Whether value, type, description and tier match the current config."""


class Recorded(NamedTuple):
    """What the state says, without values."""

    secrets: Mapping[str, Secret]
    """Logical name -> the resource."""
    parameters: Mapping[str, Parameter]
    """Logical name -> the resource; only parameters that are resources."""
    generated: Mapping[str, int]
    """Full name of a parameter that the seeder created -> how often it was lost since."""
    trail_log_group: str | None
    """Log group of the stack's own trail."""
    key_regions: frozenset[str]
    """Regions in which the stack has a key."""
    strays: Mapping[str, str]
    """URN -> full name, of secrets and parameters that no component created."""


@dataclass(frozen=True, repr=False)
class Configured:
    """What the config says, to compare with the state. Contains values."""

    secrets: Mapping[str, str]
    """Logical name -> text, for `from: config`."""
    parameters: Mapping[str, Mapping[str, str | None]]
    """Logical name -> value (None if not in the config), type, description and tier."""


def read(resources: Mapping[str, Any], configured: Configured) -> Recorded:
    """Read a state.

    `resources` is URN -> `type` and `outputs` of each resource, with values.
    """
    versions = {
        outputs["arn"]: _version(urn, outputs, configured.secrets.get(name.removesuffix("-value")))
        for urn, name, outputs in _of(resources, _VERSION, "arn")
    }
    secrets = {
        name.removesuffix("-secret"): Secret(
            urn,
            outputs["arn"],
            outputs["name"],
            _prefix(outputs),
            int(outputs.get("recoveryWindowInDays", 30)),
            versions.get(outputs["arn"]),
        )
        for urn, name, outputs in _of(resources, _SECRET, "arn", "name")
    }
    parameters = {
        logical: _parameter(urn, outputs, configured.parameters.get(logical))
        for urn, name, outputs in _of(resources, _PARAMETER, "arn", "name", "type")
        if (logical := name.removeprefix(_STORE)) != name
    }
    generated = dict(
        found for _, _, outputs in _of(resources, _SEED, "input") for found in _generated(outputs)
    )
    groups = [
        outputs["name"]
        for _, name, outputs in _of(resources, _RECORD, "name")
        if name == _RECORD_NAME
    ]
    ours = {secret.urn for secret in secrets.values()} | {each.urn for each in parameters.values()}
    strays = {
        urn: resource["outputs"].get("name", "")
        for urn, resource in resources.items()
        if resource["type"] in _NAMED and urn not in ours
    }
    key_regions = {outputs["arn"].split(":")[3] for _, _, outputs in _of(resources, _ALIAS, "arn")}
    trail = next(iter(groups), None)
    return Recorded(secrets, parameters, generated, trail, frozenset(key_regions), strays)


def _of(
    resources: Mapping[str, Any], type_: str, *needed: str
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield URN, logical name and outputs of the resources of a type in its component.

    A resource without the needed outputs was not created completely.
    """
    for urn, resource in resources.items():
        *_, qualified, name = urn.split("::", 3)
        outputs = resource["outputs"]
        if f"${qualified}".endswith(f"${type_}") and outputs.keys() >= {*needed}:
            yield urn, name, outputs


def _prefix(outputs: Mapping[str, Any]) -> str:
    tags = outputs.get("tags") or {}
    return f"{tags.get('Project')}/{tags.get('Environment')}/"


def _version(urn: str, outputs: Mapping[str, Any], configured: str | None) -> Version:
    text = outputs.get("secretString")
    return Version(urn, outputs.get("versionId", ""), text == configured, is_object(text))


def is_object(text: object) -> bool:
    """Whether a secret's text is a JSON object."""
    try:
        return isinstance(json.loads(str(text)), dict)
    except ValueError:
        return False


def _parameter(
    urn: str, outputs: Mapping[str, Any], configured: Mapping[str, str | None] | None
) -> Parameter:
    recorded = {
        "value": outputs.get("insecureValue") or outputs.get("value"),
        "type": outputs["type"],
        "description": outputs.get("description") or "",
        "tier": outputs.get("tier", "Standard"),
    }
    version = outputs.get("version")
    return Parameter(
        urn,
        outputs["arn"],
        outputs["name"],
        f"/{_prefix(outputs)}",
        outputs["type"],
        int(version) if version is not None else None,
        recorded == configured,
    )


def _generated(outputs: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    event = json.loads(outputs["input"])
    if "Parameter" in event:
        yield event["Parameter"]["Name"], int((outputs.get("triggers") or {}).get("lost", 0))
