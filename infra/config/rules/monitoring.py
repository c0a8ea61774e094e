"""What `monitoring` and `audit` must keep to. Pure: no Pulumi, no boto3."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ...alarms import filters as alarm_filters
from ...aws import limits
from ..errors import ConfigError
from ..functions import functions
from ..schema import AuditSettings, MonitoringSettings, Settings

# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
_ENDPOINTS = {
    "email": (r"[^@\s]+@[^@\s]+", "an address"),
    "sms": (r"\+[1-9]\d{6,14}", "a number such as +491701234567"),
    "https": (r"https://\S+", "a URL that begins with https://"),
    "sqs": (r"arn:[\w-]+:sqs:[\w-]+:\d{12}:\S+", "ARN of a queue"),
    "lambda": (r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:\S+", "ARN of a function"),
}
_READER = r"arn:[\w-]+:iam::\d{12}:(role|user)/[\w+=,.@/-]+"
# Pulumi names a role after its function, and adds a hyphen and seven digits.
_ROLE = "arn:aws:iam::123456789012:role/{}-role-0123456".format


def errors(settings: Settings, secret_prefix: str, region: str) -> Iterator[ConfigError]:
    """Say which rules are broken.

    `secret_prefix` starts every secret's full name; `region` is the stack's own, or nothing.
    """
    yield from _audit(settings.audit, settings.tags)
    monitoring = settings.monitoring
    yield from _subscriptions(monitoring)
    known = [arn for arn in monitoring.known_readers if re.fullmatch(_READER, arn)]
    for arn in monitoring.known_readers:
        if arn not in known:
            yield ConfigError(
                "monitoring.knownReaders", f"must be ARNs of roles and users, got {arn!r}"
            )
    if not monitoring.enabled:
        return
    if settings.audit.trail == "none":
        rule = "must be own or existing beside monitoring.enabled, whose alarms look at its events"
        yield ConfigError("audit.trail", f"{rule}, got 'none'")
    if not settings.functions and not settings.function.telemetry:
        rule = "must be true beside monitoring.enabled, whose alarms look at its metrics"
        yield ConfigError("function.telemetry", f"{rule}, got false")
    rotating = [name for name, secret in settings.own_secrets.items() if secret.rotation]
    names = [*functions(settings), "seeder", *(f"{name}-rotation" for name in rotating)]
    readers = [reader.role for reader in settings.readers.values()]
    # The account is not known here: all count as its own, which takes the most characters.
    others = [re.sub(r"::\d+:", "::123456789012:", arn) for arn in (*known, *readers)]
    existing = alarm_filters.of_existing(settings.existing_arns(region))
    try:
        for secrets in (alarm_filters.of_environment(secret_prefix), *existing):
            if secrets.ids:
                alarm_filters.unknown_readers(secrets.ids, [*map(_ROLE, names), *others])
    except ValueError as error:
        rule = "cannot tell so many functions, rotations and known readers from others"
        remedy = "use shorter names, or split the stack"
        yield ConfigError("monitoring.enabled", f"{rule}: {error}; {remedy}")


def existing(arns: Sequence[str]) -> Iterator[ConfigError]:
    """Refuse more existing secrets of the stack's account than metric filters can be about."""
    most, parts = limits.EXISTING_SECRET_PARTS, len(alarm_filters.of_existing(arns))
    if parts > most:
        rule = f"has {len(arns)} existing secrets of this account, and alarms can watch fewer"
        why = f"they need {parts} metric filters of each kind, and a log group takes {most}"
        remedy = "move some to another stack, or set monitoring.enabled to false"
        yield ConfigError("secrets", f"{rule}: {why}; {remedy}")


def _audit(audit: AuditSettings, tags: Mapping[str, str]) -> Iterator[ConfigError]:
    if audit.trail == "existing" and not audit.log_group_name:
        yield ConfigError(
            "audit.logGroupName", "is not set; name the log group of the existing trail"
        )
    if audit.trail != "existing" and audit.log_group_name:
        yield ConfigError(
            "audit.logGroupName", f"goes with `trail: existing`, not {audit.trail!r}"
        )
    # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Tag.html
    for key in (key for key, value in tags.items() if audit.trail == "own" and not value):
        rule = "must not be empty with audit.trail 'own', as CloudTrail takes no empty tag"
        yield ConfigError(f"tags.{key}", f"{rule}; give it a value, or drop it")


def _subscriptions(monitoring: MonitoringSettings) -> Iterator[ConfigError]:
    for number, each in enumerate(monitoring.subscriptions):
        pattern, what = _ENDPOINTS[each.protocol]
        path = f"monitoring.subscriptions[{number}].endpoint"
        if not re.fullmatch(pattern, each.endpoint):
            yield ConfigError(
                path, f"must be {what} beside {each.protocol}, got {_shown(each.endpoint)!r}"
            )
        elif each.endpoint != _shown(each.endpoint):
            rule = "holds credentials (not shown), which would be in Pulumi's state in plain"
            why = "each refresh would subscribe again, since SNS masks them when it is asked"
            yield ConfigError(
                path, f"{rule}, and {why}; name a queue or function that passes the alarm on"
            )
    times = Counter((each.protocol, each.endpoint) for each in monitoring.subscriptions)
    for (protocol, endpoint), count in times.items():
        if count > 1:
            yield ConfigError(
                "monitoring.subscriptions", f"name {protocol} {_shown(endpoint)} {count} times"
            )


def _shown(endpoint: str) -> str:
    """Write a URL without the user and password that it may hold."""
    return re.sub(r"(?<=://)[^/?#]*@", "…@", endpoint)
