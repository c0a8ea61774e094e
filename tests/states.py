"""States of earlier deployments, as Pulumi's engine shows them to a program."""

import json
from typing import Any

from infra.changes.recorded import Configured, Recorded, read
from infra.names import Names

NAMES = Names("app", "dev")
CANARY = "s3cr3t-canary"
_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:{}-AbCdEf"
_PARAMETER_ARN = "arn:aws:ssm:us-east-1:123456789012:parameter{}"

Resources = dict[str, Any]
"""URN -> type and outputs."""


def resource(component: str, type_: str, name: str, /, **outputs: Any) -> Resources:
    """Make a state of one resource; `component` is the type of its parent, if it has one."""
    parent = f"lambda-secrets:index:{component}$" if component else ""
    urn = f"urn:pulumi:{NAMES.stack}::{NAMES.project}::{parent}{type_}::{name}"
    return {urn: {"type": type_, "outputs": outputs}}


def tags(names: Names) -> dict[str, str]:
    return {"Project": names.project, "Environment": names.stack}


def secret(name: str, text: str | None = None, names: Names = NAMES, days: int = 30) -> Resources:
    """Make a state of a secret; with a `text` that its config put as version `v1`."""
    arn = _SECRET_ARN.format(names.secret(name))
    type_ = "aws:secretsmanager/{0}:{1}".format
    own = {"arn": arn, "name": names.secret(name), "tags": tags(names)}
    made = resource(
        "AppSecret", type_("secret", "Secret"), f"{name}-secret", **own, recoveryWindowInDays=days
    )
    if text is not None:
        made |= resource(
            "AppSecret",
            type_("secretVersion", "SecretVersion"),
            f"{name}-value",
            arn=arn,
            secretId=arn,
            secretString=text,
            versionId="v1",
        )
    return made


def parameter(name: str, type_: str = "String", names: Names = NAMES, **outputs: Any) -> Resources:
    """Make a state of a parameter whose value is `CANARY`, as version 1."""
    full = names.parameter(name)
    value = "value" if type_ == "SecureString" else "insecureValue"
    own = {"arn": _PARAMETER_ARN.format(full), "name": full, "type": type_, "tags": tags(names)}
    return resource(
        "ParameterStore",
        "aws:ssm/parameter:Parameter",
        f"parameters-{name}",
        **{**own, value: CANARY, "version": 1, **outputs},
    )


def seeded(name: str, event: object, **outputs: Any) -> Resources:
    """Make a state of a call of the seeder."""
    return resource(
        "SecretSeeder",
        "aws:lambda/invocation:Invocation",
        f"seeder-{name}",
        input=event if isinstance(event, str) else json.dumps(event),
        result="{}",
        **outputs,
    )


def generated(name: str, names: Names = NAMES, times_lost: int = 0) -> Resources:
    """Make a state of the call that made a parameter."""
    triggers = {"triggers": {"lost": str(times_lost)}} if times_lost else {}
    event = {"Parameter": {"Name": names.parameter(name)}, "Generate": {}}
    return seeded(f"parameters/{name}", event, **triggers)


def key(region: str = "us-east-1") -> Resources:
    """Make a state of the key's alias in a region."""
    arn = f"arn:aws:kms:{region}:123456789012:alias/app/dev"
    return resource("EncryptionKey", "aws:kms/alias:Alias", f"key-{region}", arn=arn)


def trail() -> Resources:
    return resource(
        "Audit", "aws:cloudwatch/logGroup:LogGroup", "audit-logs", name="/aws/cloudtrail/app-dev"
    )


def recorded(*states: Resources, configured: Configured | None = None) -> Recorded:
    """Read these states together."""
    resources = {urn: each for state in states for urn, each in state.items()}
    return read(resources, configured or Configured({}, {}))
