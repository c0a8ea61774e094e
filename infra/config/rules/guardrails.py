"""Rules of `protection`. Pure: no Pulumi, no boto3.

`relaxed` rejects nothing. `standard` rejects what can lose a secret, expose it or leave it
unrotated; satisfying it costs almost nothing. `strict` also requires what production needs and
costs money: replicas, alarms with subscribers, records that are kept for long. A rule can be
waived by name in `exemptions`, with the reason.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import NamedTuple

from ...aws import limits
from ..errors import ConfigError
from ..function_settings import FunctionSettings
from ..functions import functions, internal_functions
from ..schema import Settings

REASON_CHARACTERS = 10
_ROTATION_DAYS = 365
_LOG_RETENTION_DAYS = 365
_TIMEOUT_SECONDS = 30
_RECOVERY_DAYS = limits.RECOVERY_WINDOW_DAYS.least
_LEVELS = ("relaxed", "standard", "strict")
_NOT_IN_STATE = (
    "must be 'generate' or 'external', to keep the value out of Pulumi's state, got 'config'"
)


class Violation(NamedTuple):
    """One place where a rule is broken."""

    path: str
    """Key of stack config."""
    text: str
    """What is required, and what was found."""
    name: str = ""
    """Logical name, if the rule applies to each secret or parameter separately."""


Violations = Callable[[Settings], Iterator[Violation]]


class Rule(NamedTuple):
    """A rule that applies from a level of protection on."""

    level: str
    violations: Violations | None
    """None: the rule is about a deletion that only an exemption allows."""


def errors(
    settings: Settings,
    names: Collection[str],
    function_names: Collection[str],
    *,
    all_read: bool,
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule without a reason, and for each unnecessary exemption.

    `names` are those of all secrets and parameters, `function_names` those in `functions`,
    including those with errors. `all_read` says whether the whole config could be read; otherwise
    an exemption may be for a part that could not.
    """
    reasons, level = settings.exemptions, settings.protection
    violations = _violations(settings)
    for key, violation in violations.items():
        if key not in reasons:
            waive = f"to waive this rule ({level} protection), set exemptions[{key!r}] to a reason"
            yield ConfigError(violation.path, f"{violation.text}; {waive}")
    for key, reason in reasons.items():
        rule, dot, name = key.partition(".")
        path = f"exemptions[{key!r}]"
        known = RULES.get(f"{rule}.<name>" if dot else rule)
        there = function_names if rule in _OF_FUNCTIONS else names
        # With an exemption for a deletion, the name may be gone already.
        asks = known is not None and known.violations is None
        if known is None:
            yield ConfigError(path, f"names an unknown rule; known rules: {', '.join(RULES)}")
        elif dot and name not in there and not (asks and name):
            listed = ", ".join(sorted(there)) or "none"
            yield ConfigError(
                path, f"is for {name!r}, which is not in this config; known names: {listed}"
            )
        elif len(reason.strip()) < REASON_CHARACTERS:
            yield ConfigError(
                path,
                f"must be a reason of at least {REASON_CHARACTERS} characters, got {reason!r}",
            )
        elif key not in violations and not asks and all_read:
            yield ConfigError(
                path,
                f"is not needed, because protection {level!r} does not reject this; remove it",
            )


def protects(settings: Settings, key: str) -> bool:
    """Whether Pulumi protects from a deletion that this key of `exemptions` would allow."""
    return settings.protection == "strict" and not settings.exemptions.keys() & {"protect", key}


def _violations(settings: Settings) -> dict[str, Violation]:
    """All violations, by the key of `exemptions` that waives each."""
    return {
        name.replace("<name>", violation.name): violation
        for name, rule in RULES.items()
        if rule.violations and _LEVELS.index(rule.level) <= _LEVELS.index(settings.protection)
        for violation in rule.violations(settings)
    }


def _least(path: str, value: Callable[[Settings], int], least: int) -> Violations:
    def violations(settings: Settings) -> Iterator[Violation]:
        if (got := value(settings)) < least:
            yield Violation(path, f"must be at least {least}, got {got}")

    return violations


def _most(path: str, value: Callable[[Settings], int], most: int) -> Violations:
    def violations(settings: Settings) -> Iterator[Violation]:
        if (got := value(settings)) > most:
            yield Violation(path, f"must be at most {most}, got {got}")

    return violations


def _on(path: str, value: Callable[[Settings], bool]) -> Violations:
    def violations(settings: Settings) -> Iterator[Violation]:
        if not value(settings):
            yield Violation(path, "must be true, got false")

    return violations


_OF_FUNCTIONS: set[str] = set()


def _of_functions(
    rule: str, level: str, check: Callable[[FunctionSettings], tuple[str, str] | None]
) -> dict[str, Rule]:
    """Return a rule for each of `functions`, by its name, and one for `function`.

    `check` returns a key of the function and what it requires, or None if the rule is satisfied.
    """
    _OF_FUNCTIONS.add(rule)

    def violations(settings: Settings, *, named: bool) -> Iterator[Violation]:
        for function in functions(settings).values():
            failed = check(function.settings)
            if failed and named != function.is_example:
                key, text = failed
                yield Violation(f"{function.section}.{key}", text, function.name if named else "")

    return {
        rule: Rule(level, partial(violations, named=False)),
        f"{rule}.<name>": Rule(level, partial(violations, named=True)),
    }


def _timeout(function: FunctionSettings) -> tuple[str, str] | None:
    seconds = function.timeout_seconds
    if seconds >= _TIMEOUT_SECONDS:
        return None
    return "timeoutSeconds", f"must be at least {_TIMEOUT_SECONDS}, got {seconds}"


def _tracing(function: FunctionSettings) -> tuple[str, str] | None:
    return None if function.tracing else ("tracing", "must be true, got false")


def _telemetry(function: FunctionSettings) -> tuple[str, str] | None:
    if function.telemetry or not function.is_python:
        return None
    return "telemetry", "must be true, got false"


def _log_retention(function: FunctionSettings) -> tuple[str, str] | None:
    days = function.log_retention_days
    if days >= _LOG_RETENTION_DAYS:
        return None
    return "logRetentionDays", f"must be at least {_LOG_RETENTION_DAYS}, got {days}"


def _reserved_concurrency(function: FunctionSettings) -> tuple[str, str] | None:
    got = function.reserved_concurrency
    if got:
        return None
    quota = "(it needs an account quota above 100)"
    shown = "none" if got is None else got
    return "reservedConcurrency", f"must be at least 1, got {shown} {quota}"


def _internal_log_retention(settings: Settings) -> Iterator[Violation]:
    days = internal_functions(settings)["log_retention_days"]
    # That of `function` has its own rule.
    if days < _LOG_RETENTION_DAYS and (
        settings.functions or settings.internal_functions.log_retention_days
    ):
        text = f"must be at least {_LOG_RETENTION_DAYS}, got {days}"
        yield Violation("internalFunctions.logRetentionDays", text)


def _rotation(settings: Settings) -> Iterator[Violation]:
    for name, secret in settings.own_secrets.items():
        if secret.rotation is None:
            yield Violation(f"secrets.{name}.rotation", "must be set", name)
        elif (days := secret.rotation.every_days or 0) > _ROTATION_DAYS:
            text = f"must be at most {_ROTATION_DAYS}, got {days}"
            yield Violation(f"secrets.{name}.rotation.everyDays", text, name)


def _config_values(settings: Settings) -> Iterator[Violation]:
    for name, secret in settings.own_secrets.items():
        if secret.source == "config":
            yield Violation(f"secrets.{name}.from", _NOT_IN_STATE, name)


def _config_parameters(settings: Settings) -> Iterator[Violation]:
    for name, parameter in settings.parameters.items():
        if parameter.secure and parameter.source == "config":
            yield Violation(f"parameters.{name}.from", _NOT_IN_STATE, name)


def _recovery_windows(settings: Settings) -> Iterator[Violation]:
    for name, secret in settings.own_secrets.items():
        days = secret.recovery_window_days
        if days is not None and days < _RECOVERY_DAYS:
            text = f"must be at least {_RECOVERY_DAYS}, got {days}"
            yield Violation(f"secrets.{name}.recoveryWindowDays", text, name)


def _replica_regions(settings: Settings) -> Iterator[Violation]:
    if not settings.replica_regions:
        yield Violation("replicaRegions", "must list at least one region, got none")


def _alarm_subscribers(settings: Settings) -> Iterator[Violation]:
    if not settings.monitoring.subscriptions:
        yield Violation("monitoring.subscriptions", "must list at least one subscriber, got none")


def _audit(settings: Settings) -> Iterator[Violation]:
    if settings.audit.trail == "none":
        yield Violation("audit.trail", "must be 'own' or 'existing', got 'none'")


RULES = {
    "rotation.<name>": Rule("standard", _rotation),
    "configValues.<name>": Rule("standard", _config_values),
    "configParameters.<name>": Rule("standard", _config_parameters),
    "recoveryWindow": Rule(
        "standard",
        _least("recoveryWindowDays", lambda of: of.recovery_window_days, _RECOVERY_DAYS),
    ),
    "recoveryWindow.<name>": Rule("standard", _recovery_windows),
    **_of_functions("timeout", "standard", _timeout),
    "staleness": Rule(
        "standard", _most("maxStalenessSeconds", lambda of: of.max_staleness_seconds, 300)
    ),
    **_of_functions("tracing", "standard", _tracing),
    **_of_functions("telemetry", "strict", _telemetry),
    **_of_functions("logRetention", "strict", _log_retention),
    **_of_functions("reservedConcurrency", "strict", _reserved_concurrency),
    "internalLogRetention": Rule("strict", _internal_log_retention),
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
"""Key of `exemptions` -> rule. Keys must not change, because stack files contain them. If each
secret or parameter needs its own exemption, a new one is not exempt yet."""
