"""What `monitoring` and `audit` must satisfy. Pure: no Pulumi, no boto3."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ...alarms import filters as alarm_filters
from ...alarms import incidents
from ...aws import limits
from ...names import Names
from ..errors import ConfigError
from ..functions import functions, rotation_functions
from ..schema import AuditSettings, MonitoringSettings, Settings

# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
_ENDPOINTS = {
    "email": (r"[^@\s]+@[^@\s]+", "an email address"),
    "sms": (r"\+[1-9]\d{6,14}", "a phone number such as +491701234567"),
    "https": (r"https://\S+", "a URL that starts with https://"),
    "sqs": (r"arn:[\w-]+:sqs:[\w-]+:\d{12}:\S+", "the ARN of a queue"),
    "lambda": (r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:\S+", "the ARN of a function"),
}
_READER = r"arn:[\w-]+:iam::\d{12}:(role|user)/[\w+=,.@/-]+"
# Pulumi names a role after its function, with a hyphen and seven hex digits.
_ROLE = "arn:aws:iam::123456789012:role/{}-role-0123456".format


# Without credentials, which every alarm would show, and without a fragment, which each alarm adds.
_RUNBOOK = r"https://[^\s#/?@]+([/?][^\s#]*)?"


def errors(settings: Settings, names: Names, region: str) -> Iterator[ConfigError]:
    """Yield an error for each broken rule; `region` is the stack's own, or empty."""
    yield from _audit(settings.audit, settings.tags)
    monitoring = settings.monitoring
    yield from _subscriptions(monitoring)
    known = [arn for arn in monitoring.known_readers if re.fullmatch(_READER, arn)]
    for arn in monitoring.known_readers:
        if arn not in known:
            yield ConfigError(
                "monitoring.knownReaders", f"must be ARNs of roles and users, got {arn!r}"
            )
    yield from _descriptions(settings, names)
    if not monitoring.enabled:
        return
    if settings.audit.trail == "none":
        rule = "must be 'own' or 'existing' when monitoring is enabled"
        why = "the alarms read the trail"
        yield ConfigError("audit.trail", f"{rule}, because {why}, got 'none'")
    if not settings.functions and not settings.function.telemetry:
        rule = "must be true when monitoring is enabled, because the alarms read its metrics"
        yield ConfigError("function.telemetry", f"{rule}, got false")
    yield from _alarm_names(settings, names)
    own = [
        f"{names.physical_prefix}{name}"
        for name in (*functions(settings), "seeder", *rotation_functions(settings))
    ]
    readers = [reader.role for reader in settings.readers.values()]
    # The account is not known here, so all count as in it, which needs the most characters.
    others = [re.sub(r"::\d+:", "::123456789012:", arn) for arn in (*known, *readers)]
    existing = alarm_filters.of_existing(settings.existing_arns(region))
    try:
        for secrets in (alarm_filters.of_environment(names.secret_prefix), *existing):
            if secrets.ids:
                roles = [*map(_ROLE, own)]
                alarm_filters.unknown_readers(secrets.ids, roles, others, names.physical_prefix)
    except ValueError as error:
        rule = "cannot be true with this many functions, rotations and known readers"
        remedy = "use shorter names, or split the stack"
        yield ConfigError("monitoring.enabled", f"{rule}: {error}; {remedy}")


def existing(arns: Sequence[str]) -> Iterator[ConfigError]:
    """Reject more existing secrets in the stack's account than metric filters can cover."""
    most, parts = limits.EXISTING_SECRET_PARTS, len(alarm_filters.of_existing(arns))
    if parts > most:
        rule = f"has {len(arns)} existing secrets of this account, more than alarms can watch"
        why = (
            f"they need {parts} metric filters of each kind, and the log group has room for {most}"
        )
        remedy = "move some to another stack, or set monitoring.enabled to false"
        yield ConfigError("secrets", f"{rule}: {why}; {remedy}")


def _alarm_names(settings: Settings, names: Names) -> Iterator[ConfigError]:
    """Reject names of alarms that CloudWatch rejects; only those with a function's are so long."""
    label = max((function.label for function in functions(settings).values()), key=len)
    incident = max(incidents.OF_FUNCTIONS, key=len)
    name, most = f"{names.project}-{names.stack}-{label}-{incident}", limits.ALARM_NAME_LENGTH
    if label and len(name) > most:
        rule = f"cannot be true with names this long, because CloudWatch allows {most} characters"
        remedy = f"shorten the name of the project, the stack or functions.{label}"
        yield ConfigError(
            "monitoring.enabled", f"{rule} in an alarm's name, got {len(name)}; {remedy}"
        )


def filters(needed: int) -> Iterator[ConfigError]:
    """Reject more metric filters than the trail's log group can have."""
    if needed > limits.METRIC_FILTERS:
        rule = "cannot be true with this many functions, policies and existing secrets"
        why = f"alarms need {needed} metric filters, and a log group has {limits.METRIC_FILTERS}"
        remedy = "move some functions or existing secrets to another stack"
        yield ConfigError("monitoring.enabled", f"{rule}: {why}; {remedy}")


def _descriptions(settings: Settings, names: Names) -> Iterator[ConfigError]:
    """Reject a runbook that alarms cannot link to, and descriptions that CloudWatch rejects."""
    url = settings.monitoring.runbook_url
    if url is not None and not re.fullmatch(_RUNBOOK, url):
        got = "a URL that is not shown" if "@" in url else repr(url)
        rule = "must be an https URL without # and without credentials"
        yield ConfigError("monitoring.runbookUrl", f"{rule}, got {got}")
        return
    room = limits.ALARM_DESCRIPTION_LENGTH - max(
        len(text)
        for function in functions(settings).values()
        for text in incidents.descriptions(
            incidents.LogLocations(
                names.log_group_prefix + function.log_group,
                settings.audit.log_group_name or names.trail_log_group,
                names.secret_prefix,
                names.key_alias,
                runbook="",
            )
        ).values()
    )
    why = f"CloudWatch allows {limits.ALARM_DESCRIPTION_LENGTH} characters in an alarm description"
    if room < len(incidents.RUNBOOK):
        if settings.monitoring.enabled:
            rule = "cannot be true with names this long"
            remedy = "shorten the name of the project, the stack, a function or a log group"
            yield ConfigError("monitoring.enabled", f"{rule}, because {why}; {remedy}")
    elif url is not None and len(url) > room:
        rule = f"must have at most {room} characters, because {why}"
        yield ConfigError("monitoring.runbookUrl", f"{rule}, got {len(url)}")


def _audit(audit: AuditSettings, tags: Mapping[str, str]) -> Iterator[ConfigError]:
    if audit.trail == "existing" and not audit.log_group_name:
        yield ConfigError(
            "audit.logGroupName", "is not set; set it to the log group of the existing trail"
        )
    if audit.trail != "existing" and audit.log_group_name:
        rule = f"is only for `trail: existing`, not {audit.trail!r}"
        yield ConfigError("audit.logGroupName", f"{rule}; remove it", ("audit.trail",))
    # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Tag.html
    for key in (key for key, value in tags.items() if audit.trail == "own" and not value):
        rule = "must not be empty with `audit.trail: own`, because CloudTrail rejects empty tags"
        yield ConfigError(f"tags.{key}", f"{rule}; give it a value, or remove it")


def _subscriptions(monitoring: MonitoringSettings) -> Iterator[ConfigError]:
    for number, each in enumerate(monitoring.subscriptions):
        pattern, what = _ENDPOINTS[each.protocol]
        path = f"monitoring.subscriptions[{number}].endpoint"
        if not re.fullmatch(pattern, each.endpoint):
            yield ConfigError(
                path, f"must be {what} (protocol {each.protocol}), got {_shown(each.endpoint)!r}"
            )
        elif each.endpoint != _shown(each.endpoint):
            rule = (
                "contains credentials (not shown), which Pulumi's state would hold in plain text"
            )
            why = "SNS masks them, so each refresh would subscribe again"
            remedy = "use a queue or function that forwards the alarm"
            yield ConfigError(path, f"{rule}; also, {why}; {remedy}")
    times = Counter((each.protocol, each.endpoint) for each in monitoring.subscriptions)
    for (protocol, endpoint), count in times.items():
        if count > 1:
            yield ConfigError(
                "monitoring.subscriptions",
                f"lists {protocol} {_shown(endpoint)} {count} times; keep one",
            )


def _shown(endpoint: str) -> str:
    """Return a URL without the user and password that it may contain."""
    return re.sub(r"(?<=://)[^/?#]*@", "…@", endpoint)
