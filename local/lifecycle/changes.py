"""The changes of a stack's config that `make lifecycle` makes, each alone and back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.aws.layers import extension_layer_arn, extension_layer_arns
from local.config.project import Stack
from local.lifecycle.patches import Patch, patched

_EXEMPTION = {
    "reason": "The lifecycle run takes this away again.",
    "owner": "the lifecycle run",
    "expires": "9999-12-31",
}

# What every stack gets first, so that each change finds something to change.
_BASE: Patch = {
    "secrets": {
        "made": {"generate": {"key": {}}},
        "written": {"from": "external"},
        "configured": {"from": "config"},
    },
    "secretValues": {"configured": "configured-text"},
    "parameters": {"text": {"value": "one"}, "token": {"type": "SecureString"}},
}
# Rules of `protection` that these break.
_BROKEN = ("configValues.configured", "rotation.made", "rotation.written", "rotation.configured")


def base(stack: Stack) -> Stack:
    """Return the stack with secrets and parameters that changes need."""
    broken = () if protection(stack) == "relaxed" else _BROKEN
    return patched(stack, {**_BASE, **exempted(*broken)})


def protection(stack: Stack) -> str:
    """Return the level of protection of a stack."""
    return stack.config.get(f"{stack.project}:protection", "relaxed")


def exempted(*rules: str) -> Patch:
    """Return the exemptions from these rules; nothing without any."""
    return {"exemptions": dict.fromkeys(rules, _EXEMPTION)} if rules else {}


@dataclass(frozen=True)
class Change:
    """A change of the config."""

    title: str
    patch: Patch
    needs: str = ""
    """Path of what the stack's own config must have: `secrets.session.rotation`."""
    without: str = ""
    """Path of what it must not have."""
    deletes: tuple[str, ...] = ()
    """Exemptions that the way back needs, because it deletes something that holds data."""
    replaces: tuple[str, ...] = ()
    """Logical names of what holds data and is replaced or deleted, there or back."""
    rewrites: tuple[str, ...] = ()
    """Secrets and parameters whose value the change sets."""
    breaks: tuple[str, ...] = ()
    """Rules of `protection: strict` that it breaks."""
    meets: tuple[str, ...] = ()
    """Rules that it meets, so that their exemptions must go."""

    def applies(self, stack: Stack) -> bool:
        """Whether the stack has what it needs."""
        return (not self.needs or _has(stack, self.needs)) and not (
            self.without and _has(stack, self.without)
        )


def shown_for(stack: Stack, others: Iterable[Stack]) -> list[str]:
    """Return the titles of changes that apply to a stack and to none of the others."""
    return [
        change.title
        for change in CHANGES
        if change.applies(stack) and not any(map(change.applies, others))
    ]


def _has(stack: Stack, path: str) -> bool:
    first, *rest = path.split(".")
    found: Any = json.loads(stack.config.get(f"{stack.project}:{first}", "null"))
    for name in rest:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found not in (None, False, [], {}, "none")


def _secret(name: str, **settings: object) -> Patch:
    return {"secrets": {name: settings}}


def _rotation(name: str, **settings: object) -> Patch:
    return {"secrets": {name: {"rotation": settings}}}


def _parameter(name: str, **settings: object) -> Patch:
    return {"parameters": {name: settings}}


def _reader(**settings: object) -> Patch:
    return {"functions": {"reader": settings}}


_SECOND = {
    "code": "handler/app.py",
    "handler": "app.lambda_handler",
    "secrets": ["database"],
    "event": "handler/event.json",
    "telemetry": True,
    "logRetentionDays": 365,
    "reservedConcurrency": 5,
}
_GROUP = "sg-0123456789abcdef0"
_NETWORK = {
    "vpcId": "vpc-0123456789abcdef0",
    "subnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
}
# The bucket and its key leave the state and stay in AWS.
_AUDIT = ("audit-logs", "audit-bucket", "audit-key")
TRAIL_LOG_GROUP = "organization-trail"
"""Log group of a trail that is not the stack's."""
_NEWEST, _, _VERSION = extension_layer_arn("us-east-1", "arm64").rpartition(":")
_LAYER = f"{_NEWEST}:{int(_VERSION) - 1}"
LAYERS = {*extension_layer_arns("aws"), _LAYER}
"""The layers that the changes need."""
_DEPLOYER = "arn:aws:iam::*:role/another-deployer"

CHANGES = (
    # Secrets
    Change(
        "a secret is added (`generate`)",
        _secret("added", generate={"key": {}}),
        deletes=("protect.added",),
        breaks=("rotation.added",),
        replaces=("added-secret",),
    ),
    Change(
        "a secret is added (`external`)",
        _secret("put", **{"from": "external"}),
        deletes=("protect.put",),
        breaks=("rotation.put",),
        replaces=("put-secret",),
    ),
    Change(
        "a secret is added (`config`)",
        {"secrets": {"given": {"from": "config"}}, "secretValues": {"given": "given-text"}},
        deletes=("protect.given",),
        breaks=("rotation.given", "configValues.given"),
        replaces=("given-secret",),
    ),
    Change("`description` of a secret", _secret("database", description="changed")),
    Change("a plain field is added", _secret("made", fields={"note": "text"}), rewrites=("made",)),
    Change("`generate.length`", _secret("made", generate={"key": {"length": 40}})),
    Change(
        "a generated field is added", _secret("made", generate={"second": {}}), rewrites=("made",)
    ),
    Change(
        "`generate` becomes `external`",
        _secret("made", **{"from": "external", "generate": None}),
    ),
    Change(
        "`external` becomes `generate`",
        _secret("written", **{"from": None, "generate": {"more": {}}}),
        rewrites=("written",),
    ),
    Change(
        "the text of a secret that is `from: config`",
        {"secretValues": {"configured": "other-text"}},
        rewrites=("configured",),
    ),
    Change(
        "`recoveryWindowDays` of a secret",
        {**_secret("database", recoveryWindowDays=8), "key": {"deletionWindowDays": 30}},
    ),
    Change(
        "`recoveryWindowDays` and `key.deletionWindowDays`",
        {"recoveryWindowDays": 10, "key": {"deletionWindowDays": 14}},
        breaks=("keyDeletionWindow",),
    ),
    # Rotation
    Change(
        "rotation is added (`random`)",
        _rotation("made", strategy="random", everyDays=30),
        meets=("rotation.made",),
        replaces=("made-rotation-logs",),
    ),
    Change("`everyDays`", _rotation("session", everyDays=14), needs="secrets.session.rotation"),
    Change(
        "`everyDays` becomes `schedule`",
        _rotation("session", everyDays=None, schedule="cron(0 3 ? * MON *)"),
        needs="secrets.session.rotation",
    ),
    Change("`windowHours`", _rotation("session", windowHours=4), needs="secrets.session.rotation"),
    Change(
        "`overlapHours`", _rotation("session", overlapHours=48), needs="secrets.session.rotation"
    ),
    Change(
        "`rotateImmediately`",
        _rotation("session", rotateImmediately=True),
        needs="secrets.session.rotation",
    ),
    Change(
        "`alternatingUsers` becomes `singleUser`",
        _rotation("database", strategy="singleUser", adminSecret=None),
        needs="secrets.admin",
    ),
    Change(
        "rotation is removed",
        _secret("session", rotation=None),
        needs="secrets.session.rotation",
        breaks=("rotation.session",),
        replaces=("session-rotation-logs",),
    ),
    Change(
        "`rotation.group` of two secrets",
        {
            "secrets": {
                "made": {"rotation": {"strategy": "random", "everyDays": 30, "group": "keys"}},
                "session": {"rotation": {"group": "keys"}},
            }
        },
        needs="secrets.session.rotation",
        meets=("rotation.made",),
        replaces=("session-rotation-logs", "keys-rotation-group-logs"),
    ),
    # Parameters
    Change(
        "a String is added",
        _parameter("level", value="info"),
        deletes=("protectParameters.level",),
        replaces=("parameters-level",),
    ),
    Change("a SecureString is added (`generate`)", _parameter("key", type="SecureString")),
    Change("`value` of a parameter", _parameter("text", value="two"), rewrites=("text",)),
    Change("`description` of a parameter", _parameter("text", description="changed")),
    Change("String becomes StringList", _parameter("text", type="StringList")),
    Change(
        "`tier` of a parameter",
        _parameter("text", tier="Advanced"),
        deletes=("protectParameters.text",),
        replaces=("parameters-text",),
    ),
    # Regions and keys
    Change(
        "a replica region is added",
        {"replicaRegions": ["us-west-2"]},
        without="replicaRegions",
        deletes=("protectKeys",),
        replaces=("replica-us-west-2-key",),
    ),
    Change(
        "a second replica region is added",
        {"replicaRegions": ["us-west-2", "eu-west-1"]},
        needs="replicaRegions",
        deletes=("protectKeys",),
        replaces=("replica-eu-west-1-key",),
    ),
    Change("`key.rotationPeriodDays`", {"key": {"rotationPeriodDays": 200}}),
    # Functions
    Change("`memoryMb`", _reader(memoryMb=1024)),
    Change("`timeoutSeconds`", _reader(timeoutSeconds=45)),
    Change("`runtime`", _reader(runtime="python3.12")),
    Change("`architecture`", _reader(architecture="x86_64")),
    Change("`environment` of a function", _reader(environment={"COLOR": "blue"})),
    Change("`reservedConcurrency`", _reader(reservedConcurrency=20)),
    Change("`logRetentionDays`", _reader(logRetentionDays=400)),
    Change(
        "`tracing` is turned on", _reader(tracing=True), without="functions.reader.requirements"
    ),
    Change(
        "`tracing` is turned off",
        _reader(tracing=False),
        needs="functions.reader.requirements",
        without="functions.reader.telemetry",
    ),
    Change("`telemetry`", _reader(telemetry=True), without="functions.reader.telemetry"),
    Change("a function is added", {"functions": {"second": _SECOND}}, replaces=("second-logs",)),
    Change("`role.path` of a function", _reader(role={"path": "/apps/"})),
    Change("`extension.layerArn`", {"extension": {"layerArn": _LAYER}}),
    Change("`extension.cacheSize`", {"extension": {"cacheSize": 100}}),
    Change("`extension.logLevel`", {"extension": {"logLevel": "error"}}),
    Change(
        "`internalFunctions.logRetentionDays`", {"internalFunctions": {"logRetentionDays": 400}}
    ),
    Change("`internalFunctions.runtime`", {"internalFunctions": {"runtime": "python3.12"}}),
    Change("`maxStalenessSeconds`", {"maxStalenessSeconds": 200}),
    # Network
    Change(
        "`network` is added (`nat`)",
        {
            "network": {
                **_NETWORK,
                "vpcId": None,
                "securityGroupIds": [_GROUP],
                "egress": "nat",
            }
        },
        without="network.subnetIds",
    ),
    Change(
        "`network` is added (`endpoints`)",
        {"network": {**_NETWORK, "egress": "endpoints", "securityGroupIds": [_GROUP]}},
        without="network.subnetIds",
    ),
    Change(
        "`egress: endpoints` becomes `nat`",
        {"network": {"egress": "nat", "vpcId": None, "databaseSecurityGroupId": None}},
        needs="network.subnetIds",
    ),
    # Policies, records and alarms
    Change(
        "`resourcePolicy` is enabled",
        {"resourcePolicy": {"enabled": True, "administrators": [_DEPLOYER]}},
        without="resourcePolicy.enabled",
    ),
    Change(
        "another administrator",
        {"resourcePolicy": {"administrators": [_DEPLOYER]}},
        needs="resourcePolicy.enabled",
    ),
    Change(
        "`audit.trail` is `own`",
        {"audit": {"trail": "own"}},
        without="audit.trail",
        deletes=("protectAudit",),
        replaces=_AUDIT,
    ),
    Change(
        "`audit.trail` is `existing`",
        {
            "audit": {"trail": "existing", "logGroupName": TRAIL_LOG_GROUP},
            "monitoring": {"enabled": True},
        },
        without="audit.trail",
        deletes=("protectAudit",),
        replaces=("alarms-key", "rotation-watch-logs"),
    ),
    Change("`audit.logRetentionDays`", {"audit": {"logRetentionDays": 731}}, needs="audit.trail"),
    Change(
        "`monitoring` is enabled",
        {"monitoring": {"enabled": True}, "audit": {"trail": "own"}},
        without="monitoring.enabled",
        deletes=("protectAudit",),
        replaces=(*_AUDIT, "alarms-key", "rotation-watch-logs"),
    ),
    Change(
        "`endpoint` of a subscriber",
        {"monitoring": {"subscriptions": [{"protocol": "email", "endpoint": "b@example.com"}]}},
        needs="monitoring.enabled",
    ),
    Change(
        "`monitoring.knownReaders`",
        {"monitoring": {"knownReaders": ["arn:aws:iam::123456789012:role/backup"]}},
        needs="monitoring.enabled",
    ),
    Change("`tags`", {"tags": {"Team": "payments"}}),
)
