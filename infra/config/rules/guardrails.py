"""Rules of `protection`. Pure: no Pulumi, no boto3.

`relaxed` rejects nothing. `standard` rejects what can lose a secret, expose it or leave it
unrotated; satisfying it costs almost nothing. `strict` also requires what production needs and
costs money: replicas, alarms with subscribers, records that are kept for long. A rule can be
waived by name in `exemptions`: with a reason, and in `strict` also with an owner and a last day.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import NamedTuple

from ...aws import limits
from ...aws import schedule_expressions as schedules
from ..errors import ConfigError
from ..function_settings import FunctionSettings
from ..functions import first, functions, internal_functions
from ..schema import ExemptionSettings, Settings

REASON_CHARACTERS = 10
_ROTATION_DAYS = {"standard": 365, "strict": 90}
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
    depends_on: tuple[str, ...] = ()
    """As in `ConfigError`."""


Violations = Callable[[Settings], Iterator[Violation]]


class Surroundings(NamedTuple):
    """Facts about a stack that are not in its `Settings`."""

    today: str
    """The day in UTC: `2027-01-31`."""
    allowed_accounts: tuple[str, ...] = ()
    """`aws:allowedAccountIds`."""
    has_passphrase: bool = False
    """Whether a passphrase encrypts the stack's secrets, and not a key of a cloud service."""
    default_tags: tuple[str, ...] = ()
    """Keys of the tags in `aws:defaultTags`, which the provider adds to those of each resource."""


class EntryNames(NamedTuple):
    """The names in a config, including those of entries with errors."""

    values: Collection[str] = ()
    """Those in `secrets` and `parameters`."""
    functions: Collection[str] = ()
    exemptions: Collection[str] = ()


class Rule(NamedTuple):
    """A rule that applies from a level of protection on."""

    level: str
    violations: Violations | None
    """None: the rule is about a deletion that only an exemption allows, or about a stack."""
    of_stack: Callable[[Settings, Surroundings], Iterator[Violation]] | None = None
    """For rules that `Settings` alone does not decide."""

    @property
    def asks(self) -> bool:
        """Whether it is about a deletion."""
        return self.violations is None and self.of_stack is None


def errors(
    settings: Settings,
    names: EntryNames,
    surroundings: Surroundings,
    *,
    all_read: bool,
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule without an exemption, and for each wrong exemption.

    `all_read` says whether the whole config could be read; otherwise an exemption may be for a
    part that could not.
    """
    exemptions, level = settings.exemptions, settings.protection
    violations = _violations(settings, surroundings)
    for key, violation in violations.items():
        if key not in names.exemptions:
            waive = f"to waive this rule ({level} protection), add exemptions[{key!r}]"
            text = f"{violation.text}; {waive}"
            yield ConfigError(violation.path, text, violation.depends_on)
    for key, exemption in exemptions.items():
        rule, dot, name = key.partition(".")
        path = f"exemptions[{key!r}]"
        known = _rule(key)
        there = names.functions if rule in _OF_FUNCTIONS else names.values
        if known is None:
            yield ConfigError(path, f"names an unknown rule; known rules: {', '.join(RULES)}")
        # With an exemption for a deletion, the name may be gone already.
        elif dot and name not in there and not (known.asks and name):
            listed = ", ".join(sorted(there)) or "none"
            of = ("functions",) if rule in _OF_FUNCTIONS else ("secrets", "parameters")
            text = f"is for {name!r}, which is not in this config; known names: {listed}"
            yield ConfigError(path, text, of)
        elif key not in violations and not known.asks and all_read:
            yield ConfigError(
                path,
                f"is not needed, because protection {level!r} does not reject this; remove it",
            )
        else:
            for fault in _faults(exemption, level, surroundings.today):
                yield ConfigError(path, fault)


class Missing(NamedTuple):
    """Which exemptions a config needs."""

    lacking: list[tuple[tuple[str, ...], str]]
    """Keys of the config that are read, and that of `exemptions`, missing or incomplete."""
    needed: list[str]
    """Keys of the exemptions that are there and needed."""


def missing(
    settings: Settings, exemption_names: Collection[str], surroundings: Surroundings
) -> Missing:
    """Find the exemptions that a config needs; `exemption_names` are as in `EntryNames`."""
    violations, exemptions = _violations(settings, surroundings), settings.exemptions
    lacking = [
        ((violation.path, *violation.depends_on), key)
        for key, violation in violations.items()
        if key not in exemption_names
    ]
    needed = [
        key for key in exemptions if key in violations or ((known := _rule(key)) and known.asks)
    ]
    lacking += [
        ((f"exemptions.{key}",), key)
        for key in needed
        if [*_faults(exemptions[key], settings.protection, surroundings.today)]
    ]
    return Missing(lacking, needed)


def _rule(key: str) -> Rule | None:
    """Return the rule that an exemption is for; None if there is none."""
    rule, dot, _ = key.partition(".")
    return RULES.get(f"{rule}.<name>" if dot else rule)


def _faults(exemption: ExemptionSettings, level: str, today: str) -> Iterator[str]:
    """Say what an exemption lacks."""
    if len(exemption.reason.strip()) < REASON_CHARACTERS:
        rule = f"must have a reason of at least {REASON_CHARACTERS} characters"
        yield f"{rule}, got {exemption.reason!r}"
    lacks = [name for name in ("owner", "expires") if not (getattr(exemption, name) or "").strip()]
    if level == "strict" and lacks:
        yield f"has no {' and no '.join(lacks)}, which `protection: strict` requires; add it"
    if exemption.expires and exemption.expires < today:
        owner = f" (owner: {exemption.owner})" if exemption.owner else ""
        remedy = "keep the rule and remove the exemption, or set a later date"
        yield f"expired on {exemption.expires}{owner}; {remedy}"


def protects(settings: Settings, key: str) -> bool:
    """Whether Pulumi protects from a deletion that this key of `exemptions` would allow."""
    return settings.protection == "strict" and not settings.exemptions.keys() & {"protect", key}


def _violations(settings: Settings, surroundings: Surroundings) -> dict[str, Violation]:
    """All violations, by the key of `exemptions` that waives each."""
    return {
        name.replace("<name>", violation.name): violation
        for name, rule in RULES.items()
        if _LEVELS.index(rule.level) <= _LEVELS.index(settings.protection)
        for violation in (
            *(rule.violations(settings) if rule.violations else ()),
            *(rule.of_stack(settings, surroundings) if rule.of_stack else ()),
        )
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


_OF_FUNCTIONS = {"network"}


def _of_functions(
    rule: str,
    level: str,
    check: Callable[[FunctionSettings], tuple[str, str] | None],
    *depends_on: str,
) -> dict[str, Rule]:
    """Return a rule for each of `functions`, by its name, and one for `function`.

    `check` returns a key of the function and what it requires, or None if the rule is satisfied;
    `depends_on` are other keys that it reads.
    """
    _OF_FUNCTIONS.add(rule)

    def violations(settings: Settings, *, named: bool) -> Iterator[Violation]:
        for function in functions(settings).values():
            failed = check(function.settings)
            if failed and named != function.is_example:
                key, text = failed
                others = tuple(f"{function.section}.{each}" for each in depends_on)
                name = function.name if named else ""
                yield Violation(f"{function.section}.{key}", text, name, others)

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
        function = first(functions(settings))
        of = (f"{function.section}.logRetentionDays",) if function else ()
        yield Violation("internalFunctions.logRetentionDays", text, depends_on=of)


def _rotation(settings: Settings) -> Iterator[Violation]:
    most = _ROTATION_DAYS[settings.protection]
    for name, secret in settings.own_secrets.items():
        path, rotation = f"secrets.{name}.rotation", secret.rotation
        if rotation is None:
            yield Violation(path, "must be set", name, (f"secrets.{name}.existing",))
        elif rotation.schedule is None:
            if (days := rotation.every_days or 0) > most:
                yield Violation(f"{path}.everyDays", f"must be at most {most}, got {days}", name)
        elif _is_seldom(rotation.schedule, most):
            rule = f"must rotate at least every {most} days, got {rotation.schedule!r}"
            yield Violation(f"{path}.schedule", rule, name)


def _is_seldom(schedule: str, most: int) -> bool:
    if schedules.parse(schedule) is None:
        return False  # an error of its own
    days = schedules.longest_gap_days(schedule)
    return days is None or days > most


def _network(settings: Settings) -> Iterator[Violation]:
    if not settings.network.subnet_ids:
        yield Violation("network.subnetIds", "must list subnets of a VPC, got none")


def _function_networks(settings: Settings) -> Iterator[Violation]:
    """Only `functions` have a network of their own; the others use the stack's."""
    for name, function in settings.functions.items():
        if function.network is not None and not function.network.subnet_ids:
            rule = "must list subnets of a VPC, got none"
            yield Violation(f"functions.{name}.network.subnetIds", rule, name)


def _allowed_accounts(_: Settings, surroundings: Surroundings) -> Iterator[Violation]:
    if not surroundings.allowed_accounts:
        what = "is not set; set it to the account of this stack, such as ['123456789012']"
        why = "so that no other account's credentials deploy it"
        yield Violation("aws:allowedAccountIds", f"{what}, {why}")


def _secrets_provider(settings: Settings, surroundings: Surroundings) -> Iterator[Violation]:
    secrets = [each for each in settings.own_secrets.values() if each.source == "config"]
    parameters = [
        each for each in settings.parameters.values() if each.secure and each.source == "config"
    ]
    if surroundings.has_passphrase and (secrets or parameters):
        rule = "must be encrypted by a key of a cloud service, but a passphrase encrypts it"
        command = "pulumi stack change-secrets-provider 'awskms://alias/NAME?region=REGION'"
        yield Violation("secretValues", f"{rule}; run `{command}`")


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
    **_of_functions("telemetry", "strict", _telemetry, "runtime"),
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
    "network": Rule("strict", _network),
    "network.<name>": Rule("strict", _function_networks),
    "allowedAccounts": Rule("strict", None, _allowed_accounts),
    "secretsProvider": Rule("strict", None, _secrets_provider),
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
