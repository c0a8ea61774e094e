"""What the config of a protected environment must not say, or lack. Pure: no Pulumi, no boto3.

`relaxed` refuses nothing. `standard` refuses what loses a secret, shows it or lets it grow
old, and costs next to nothing to keep to. `strict` asks, besides, for what production has and a
bill shows: replicas, alarms that reach somebody, records that last. A rule is kept, or its name
stands in `exemptions` with the reason.
"""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from infra.aws import limits
from infra.config.errors import ConfigError
from infra.config.schema import Settings

REASON_CHARACTERS = 10
_ROTATION_DAYS = 365
_RECOVERY_DAYS = limits.RECOVERY_WINDOW_DAYS.least
_LEVELS = ("relaxed", "standard", "strict")


class Breach(NamedTuple):
    """One place where a rule is not kept."""

    path: str
    """Key of stack config."""
    text: str
    """What must be there, and what is."""
    name: str = ""
    """Logical name, where the rule is about each secret or parameter by itself."""


Breaches = Callable[[Settings], Iterator[Breach]]


class Rule(NamedTuple):
    """What is asked for from a level of protection on."""

    level: str
    breaches: Breaches | None
    """None: Pulumi refuses the deletion at every level; an exemption allows it."""


def errors(settings: Settings, names: Collection[str]) -> Iterator[ConfigError]:
    """Say which rules are broken without a reason, and which reasons are for nothing.

    `names` are those of all secrets and parameters, also of wrong ones.
    """
    reasons, level = settings.exemptions, settings.protection
    sound = settings.secrets.keys() | settings.parameters.keys()
    found = _found(settings)
    for key, breach in found.items():
        if key not in reasons:
            remedy = f"or exemptions[{key!r}] must say why (protection: {level})"
            yield ConfigError(breach.path, f"{breach.text}; {remedy}")
    for key, reason in reasons.items():
        rule, dot, name = key.partition(".")
        path = f"exemptions[{key!r}]"
        known = RULES.get(f"{rule}.<name>" if dot else rule)
        # Whoever asks for a deletion may have removed the name, or be about to.
        asks = known is not None and known.breaches is None
        if known is None:
            yield ConfigError(path, f"is of no rule; there are {', '.join(RULES)}")
        elif dot and name not in names and not (asks and name):
            yield ConfigError(path, f"is of nothing here; there are {', '.join(sorted(names))}")
        elif len(reason.strip()) < REASON_CHARACTERS:
            yield ConfigError(
                path, f"must say why in {REASON_CHARACTERS} characters at least, got {reason!r}"
            )
        elif key not in found and not asks and (not name or name in sound):
            yield ConfigError(
                path, f"exempts from nothing that protection {level} refuses; drop it"
            )


def protects(settings: Settings, key: str) -> bool:
    """Whether Pulumi is to refuse a deletion that this key of `exemptions` would allow."""
    return settings.protection == "strict" and not settings.exemptions.keys() & {"protect", key}


def _found(settings: Settings) -> dict[str, Breach]:
    """Every breach, by the key under which it is exempted."""
    return {
        name.replace("<name>", breach.name): breach
        for name, rule in RULES.items()
        if rule.breaches and _LEVELS.index(rule.level) <= _LEVELS.index(settings.protection)
        for breach in rule.breaches(settings)
    }


def _least(
    path: str, value: Callable[[Settings], int | None], least: int, needs: str = ""
) -> Breaches:
    def breaches(settings: Settings) -> Iterator[Breach]:
        got = value(settings)
        if got is None or got < least:
            text = f"must be {least} at least{needs}, got {'none' if got is None else got}"
            yield Breach(path, text)

    return breaches


def _most(path: str, value: Callable[[Settings], int], most: int) -> Breaches:
    def breaches(settings: Settings) -> Iterator[Breach]:
        if (got := value(settings)) > most:
            yield Breach(path, f"must be {most} at most, got {got}")

    return breaches


def _on(path: str, value: Callable[[Settings], bool]) -> Breaches:
    def breaches(settings: Settings) -> Iterator[Breach]:
        if not value(settings):
            yield Breach(path, "must be true, got false")

    return breaches


def _rotation(settings: Settings) -> Iterator[Breach]:
    for name, secret in settings.secrets.items():
        if secret.rotation is None:
            yield Breach(f"secrets.{name}.rotation", "must be given", name)
        elif (days := secret.rotation.every_days or 0) > _ROTATION_DAYS:
            text = f"must be {_ROTATION_DAYS} at most, got {days}"
            yield Breach(f"secrets.{name}.rotation.everyDays", text, name)


def _config_values(settings: Settings) -> Iterator[Breach]:
    for name, secret in settings.secrets.items():
        if secret.source == "config":
            text = "must be 'generate' or 'external', which no state holds, got 'config'"
            yield Breach(f"secrets.{name}.from", text, name)


def _config_parameters(settings: Settings) -> Iterator[Breach]:
    for name, parameter in settings.parameters.items():
        if parameter.secure and parameter.source == "config":
            text = "must be 'generate' or 'external', which no state holds, got 'config'"
            yield Breach(f"parameters.{name}.from", text, name)


def _recovery_windows(settings: Settings) -> Iterator[Breach]:
    for name, secret in settings.secrets.items():
        days = secret.recovery_window_days
        if days is not None and days < _RECOVERY_DAYS:
            text = f"must be {_RECOVERY_DAYS} at least, got {days}"
            yield Breach(f"secrets.{name}.recoveryWindowDays", text, name)


def _replica_regions(settings: Settings) -> Iterator[Breach]:
    if not settings.replica_regions:
        yield Breach("replicaRegions", "must name a region at least, got none")


def _alarm_subscribers(settings: Settings) -> Iterator[Breach]:
    if not settings.monitoring.subscriptions:
        yield Breach("monitoring.subscriptions", "must name a subscriber at least, got none")


def _audit(settings: Settings) -> Iterator[Breach]:
    if settings.audit.trail == "none":
        yield Breach("audit.trail", "must be 'own' or 'existing', got 'none'")


RULES = {
    "rotation.<name>": Rule("standard", _rotation),
    "configValues.<name>": Rule("standard", _config_values),
    "configParameters.<name>": Rule("standard", _config_parameters),
    "recoveryWindow": Rule(
        "standard",
        _least("recoveryWindowDays", lambda of: of.recovery_window_days, _RECOVERY_DAYS),
    ),
    "recoveryWindow.<name>": Rule("standard", _recovery_windows),
    "timeout": Rule(
        "standard",
        _least("function.timeoutSeconds", lambda of: of.function.timeout_seconds, 30),
    ),
    "staleness": Rule(
        "standard", _most("maxStalenessSeconds", lambda of: of.max_staleness_seconds, 300)
    ),
    "tracing": Rule("standard", _on("function.tracing", lambda of: of.function.tracing)),
    "telemetry": Rule("strict", _on("function.telemetry", lambda of: of.function.telemetry)),
    "logRetention": Rule(
        "strict",
        _least("function.logRetentionDays", lambda of: of.function.log_retention_days, 365),
    ),
    "reservedConcurrency": Rule(
        "strict",
        _least(
            "function.reservedConcurrency",
            lambda of: of.function.reserved_concurrency,
            1,
            " (in an account with a quota above 100)",
        ),
    ),
    "keyRotation": Rule(
        "strict",
        _most("key.rotationPeriodDays", lambda of: of.key.rotation_period_days, 365),
    ),
    "keyDeletionWindow": Rule(
        "strict",
        _least("key.deletionWindowDays", lambda of: of.key.deletion_window_days, 30),
    ),
    "replicaRegions": Rule("strict", _replica_regions),
    "monitoring": Rule("strict", _on("monitoring.enabled", lambda of: of.monitoring.enabled)),
    "alarmSubscribers": Rule("strict", _alarm_subscribers),
    "audit": Rule("strict", _audit),
    "auditRetention": Rule(
        "strict", _least("audit.retentionDays", lambda of: of.audit.retention_days, 365)
    ),
    "auditLogRetention": Rule(
        "strict", _least("audit.logRetentionDays", lambda of: of.audit.log_retention_days, 365)
    ),
    "resourcePolicy": Rule(
        "strict", _on("resourcePolicy.enabled", lambda of: of.resource_policy.enabled)
    ),
    "protect": Rule("strict", None),
    "protect.<name>": Rule("strict", None),
    "protectParameters.<name>": Rule("strict", None),
    "protectKeys": Rule("strict", None),
    "protectAudit": Rule("strict", None),
}
"""Key of `exemptions` -> rule. Keys stay as they are: they stand in stack files. Where each
secret or parameter is exempted by itself, a new one has no reason yet."""
