"""What an environment costs a month, by AWS's list prices. Pure: no Pulumi, no boto3.

Nothing is subtracted: no free tier, no discount. Left out is what stays under a cent: rotations,
seeding, notifications, the log files of the trail.
"""

from collections.abc import Sequence
from typing import NamedTuple

from infra.alarms import incidents
from infra.config.schema import Settings

# The prices below are those of this region and month; others differ by a tenth or so.
REGION = "us-east-1"
MONTH = "2026-09"

_HOURS = 730
_SECONDS = _HOURS * 3600
_GB = 1_000_000_000


class Price(NamedTuple):
    """What AWS asks for a unit."""

    usd: float
    unit: str


# https://aws.amazon.com/secrets-manager/pricing/ (a replica counts as a secret)
SECRET = Price(0.40, "secret-month")
SECRETS_CALLS = Price(0.05, "10,000 calls")
# https://aws.amazon.com/kms/pricing/ (the first two rotations add the price of the key, each)
KEY = Price(1.00, "key-month")
KEY_REQUESTS = Price(0.03, "10,000 requests")
# https://aws.amazon.com/systems-manager/pricing/ (Standard costs nothing)
ADVANCED_PARAMETER = Price(0.05, "parameter-month")
# https://aws.amazon.com/lambda/pricing/
INVOCATIONS = Price(0.20, "1,000,000 requests")
COMPUTE = {
    "arm64": Price(0.000_013_333_4, "GB-second"),
    "x86_64": Price(0.000_016_666_7, "GB-second"),
}
# https://aws.amazon.com/cloudwatch/pricing/
LOGS_INGESTED = Price(0.50, "GB")
LOGS_STORED = Price(0.03, "GB-month")
METRIC = Price(0.30, "metric-month")
ALARM = Price(0.10, "alarm-month")
# Three metrics: what is watched, and the two edges of what is usual.
ANOMALY_ALARM = Price(0.30, "alarm-month")
COMPOSITE_ALARM = Price(0.50, "alarm-month")
DASHBOARD = Price(3.00, "dashboard-month")
# https://aws.amazon.com/xray/pricing/
TRACES = Price(5.00, "1,000,000 traces")
# https://aws.amazon.com/cloudtrail/pricing/ (of every trail but the first)
EVENTS = Price(2.00, "100,000 events")
# https://aws.amazon.com/privatelink/pricing/
ENDPOINT = Price(0.01, "zone-hour")
ENDPOINT_DATA = Price(0.01, "GB")

# X-Ray takes one request a second and a twentieth of what is more.
# https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
_SAMPLED = 0.05
# Largest that were seen, rounded up: a call of Secrets Manager with TLS, a record in CloudTrail
# (a read makes two: GetSecretValue, Decrypt), and a line of the client's telemetry.
_CALL_BYTES = 8_000
_RECORD_BYTES = 2_000
_RECORDS_OF_A_READ = 2
_TELEMETRY_BYTES = 1_000
# Metrics of the client; of monitoring, besides the age of each secret that rotates.
_CLIENT_METRICS = 7
_MONITORING_METRICS = 11


class Line(NamedTuple):
    """One thing that is paid for."""

    what: str
    quantity: float
    """Units of ``price``, a month."""
    price: Price

    @property
    def usd(self) -> float:
        """US dollars a month."""
        return self.quantity * self.price.usd


def estimate(settings: Settings, *, readable: int, ttl_seconds: int) -> list[Line]:
    """Estimate a month; what costs nothing has no line.

    ``readable`` secrets are read by the function, each at most once in ``ttl_seconds`` and in
    each execution environment, whose extension keeps them so long; 0: at each request.
    """
    function, load = settings.function, settings.cost
    secure = [each for each in settings.parameters.values() if each.secure]
    regions = 1 + len(settings.replica_regions)
    own_trail, monitoring = settings.audit.trail == "own", settings.monitoring.enabled

    caches = load.cold_starts_per_month + load.environments * _SECONDS / max(ttl_seconds, 1)
    times = min(load.requests_per_month, caches) if ttl_seconds else load.requests_per_month
    calls, decryptions = times * readable, times * (readable + len(secure))
    seconds = load.requests_per_month * load.average_milliseconds / 1000
    seconds += load.cold_starts_per_month * load.cold_start_milliseconds / 1000
    logged: float = load.requests_per_month * load.log_bytes_per_request
    logged += calls * _TELEMETRY_BYTES if function.telemetry else 0
    events = load.management_events_per_month + _RECORDS_OF_A_READ * calls if own_trail else 0
    recorded = events * _RECORD_BYTES
    stored = logged * _months(function.log_retention_days)
    stored += recorded * _months(settings.audit.log_retention_days)
    traced: float = min(load.requests_per_month, _SECONDS)
    traced += _SAMPLED * (load.requests_per_month - traced)
    advanced = [each for each in settings.parameters.values() if each.tier == "Advanced"]
    rotated = [each for each in settings.secrets.values() if each.rotation]
    metrics = (_MONITORING_METRICS + len(rotated)) * monitoring
    metrics += _CLIENT_METRICS * function.telemetry
    network = settings.network
    endpoints = 1 + bool(settings.parameters) + len({*network.services})
    zones = endpoints * len(network.subnet_ids) if network.egress == "endpoints" else 0
    alarms = len(incidents.descriptions(incidents.Sight("", "", "", ""))) - 1

    lines = [
        Line("secrets and their replicas", len(settings.secrets) * regions, SECRET),
        Line("reads of secrets", calls / 10_000, SECRETS_CALLS),
        Line(
            "KMS keys, each 2.00 more once it has rotated", regions + own_trail + monitoring, KEY
        ),
        Line("decryptions", decryptions / 10_000, KEY_REQUESTS),
        Line("advanced parameters", len(advanced), ADVANCED_PARAMETER),
        Line("requests of the function", load.requests_per_month / 1_000_000, INVOCATIONS),
        Line("its time", seconds * function.memory_mb / 1024, COMPUTE[function.architecture]),
        Line("logs", logged / _GB, LOGS_INGESTED),
        Line("the account's events in the trail's log group", recorded / _GB, LOGS_INGESTED),
        Line("a trail that is not the first", 0 if load.first_trail else events / 100_000, EVENTS),
        Line("logs that are kept", stored / _GB, LOGS_STORED),
        Line("traces", function.tracing * traced / 1_000_000, TRACES),
        Line("metrics", metrics, METRIC),
        Line("alarms", alarms * monitoring, ALARM),
        Line("alarm on unusual reads", monitoring, ANOMALY_ALARM),
        Line("alarm over all", monitoring, COMPOSITE_ALARM),
        Line("dashboard", monitoring, DASHBOARD),
        Line("interface endpoints", zones * _HOURS, ENDPOINT),
        Line("data through them", calls * _CALL_BYTES / _GB if zones else 0, ENDPOINT_DATA),
    ]
    return [line for line in lines if line.quantity]


def total(lines: Sequence[Line]) -> float:
    """US dollars a month."""
    return sum(line.usd for line in lines)


def output(lines: Sequence[Line]) -> list[dict[str, str | float]]:
    """Write the lines as an output of the stack."""
    return [
        {
            "what": line.what,
            "quantity": round(line.quantity, 3),
            "unit": line.price.unit,
            "unitPrice": line.price.usd,
            "usd": round(line.usd, 2),
        }
        for line in lines
    ]


def table(lines: Sequence[Line]) -> str:
    """Write the lines and their sum for people, dearest first."""
    dearest = sorted(lines, key=lambda line: -line.usd)
    rows = [
        (line.what, f"{line.quantity:,.3f}".rstrip("0").rstrip("."), line.price.unit)
        for line in dearest
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    written = [
        f"{what:<{widths[0]}}  {quantity:>{widths[1]}} {unit:<{widths[2]}}  {line.usd:>9,.2f}"
        for (what, quantity, unit), line in zip(rows, dearest, strict=True)
    ]
    heading = f"USD a month, list prices of {REGION}, {MONTH}, no free tier"
    width = len(written[0])
    return "\n".join([*written, f"{heading:<{width - 9}}{total(lines):>9,.2f}"])


def _months(days: int) -> float:
    return days * 24 / _HOURS
