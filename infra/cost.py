"""Estimates the monthly cost of an environment from AWS's list prices. Pure: no Pulumi, no boto3.

Nothing is subtracted: no free tier, no discount. Items below a cent are omitted: rotations,
initial values, notifications, the trail's log files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .alarms import incidents
from .config.functions import AppFunction, functions
from .config.schema import Settings

# Region and month of the prices below; other regions differ by about 10 %.
REGION = "us-east-1"
MONTH = "2026-09"

_HOURS = 730
_SECONDS = _HOURS * 3600
_GB = 1_000_000_000


class Price(NamedTuple):
    """AWS's price of a unit."""

    usd: float
    unit: str


# https://aws.amazon.com/secrets-manager/pricing/ (a replica counts as a secret)
SECRET = Price(0.40, "secret-month")
SECRETS_CALLS = Price(0.05, "10,000 calls")
# https://aws.amazon.com/kms/pricing/ (each of the first two rotations adds the price of the key)
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
# Three metrics: the watched one, and the two edges of the band.
ANOMALY_ALARM = Price(0.30, "alarm-month")
COMPOSITE_ALARM = Price(0.50, "alarm-month")
DASHBOARD = Price(3.00, "dashboard-month")
# https://aws.amazon.com/xray/pricing/
TRACES = Price(5.00, "1,000,000 traces")
# https://aws.amazon.com/cloudtrail/pricing/ (for every trail except the first)
EVENTS = Price(2.00, "100,000 events")
# https://aws.amazon.com/privatelink/pricing/
ENDPOINT = Price(0.01, "zone-hour")
ENDPOINT_DATA = Price(0.01, "GB")

# X-Ray samples one request per second, and 5 % of the others.
# https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
_SAMPLED = 0.05
# Largest observed sizes, rounded up: a call of Secrets Manager with TLS, a CloudTrail record (a
# read has two: GetSecretValue, Decrypt), and a line of the client's telemetry.
_CALL_BYTES = 8_000
_RECORD_BYTES = 2_000
_RECORDS_OF_A_READ = 2
_TELEMETRY_BYTES = 1_000
# Metrics of the client, and of monitoring without the age of each rotating secret.
_CLIENT_METRICS = 7
_MONITORING_METRICS = 11


class Line(NamedTuple):
    """One line of the estimate."""

    what: str
    quantity: float
    """Units of `price` per month."""
    price: Price

    @property
    def usd(self) -> float:
        """US dollars a month."""
        return self.quantity * self.price.usd


@dataclass(frozen=True)
class _Function:
    """Monthly usage of one function."""

    settings: Settings
    function: AppFunction

    @property
    def readable(self) -> int:
        return len(self.function.settings.secrets)

    @property
    def fetches(self) -> int | float:
        """How often it fetches all its secrets from AWS."""
        load, ttl_seconds = self.settings.cost, self.function.extension_cache_seconds()
        if not ttl_seconds:
            return load.requests_per_month
        expired = load.environments * _SECONDS / ttl_seconds
        return min(load.requests_per_month, load.cold_starts_per_month + expired)

    @property
    def reads(self) -> float:
        return self.fetches * self.readable

    @property
    def decryptions(self) -> float:
        parameters = self.settings.parameters
        secure = [name for name in self.function.settings.parameters if parameters[name].secure]
        return self.fetches * (self.readable + len(secure))

    @property
    def gb_seconds(self) -> float:
        load = self.settings.cost
        seconds = load.requests_per_month * load.average_milliseconds / 1000
        seconds += load.cold_starts_per_month * load.cold_start_milliseconds / 1000
        return seconds * self.function.settings.memory_mb / 1024

    @property
    def logged_bytes(self) -> float:
        load = self.settings.cost
        telemetry = self.reads * _TELEMETRY_BYTES if self.function.settings.telemetry else 0
        return load.requests_per_month * load.log_bytes_per_request + telemetry

    @property
    def stored_bytes(self) -> float:
        return self.logged_bytes * _months(self.function.settings.log_retention_days)

    @property
    def traces(self) -> float:
        requests = self.settings.cost.requests_per_month
        always = min(requests, _SECONDS)
        sampled = always + _SAMPLED * (requests - always)
        return sampled if self.function.settings.tracing else 0

    def lines(self) -> list[Line]:
        """Return the lines for this function."""
        requests = self.settings.cost.requests_per_month
        compute = COMPUTE[self.function.settings.architecture]
        return [
            Line(f"Lambda requests of {self.function.name}", requests / 1_000_000, INVOCATIONS),
            Line(f"Lambda compute of {self.function.name}", self.gb_seconds, compute),
        ]


@dataclass(frozen=True)
class _Month:
    """Monthly usage of an environment, by its settings."""

    settings: Settings
    functions: Sequence[_Function]

    @property
    def regions(self) -> int:
        return 1 + len(self.settings.replica_regions)

    @property
    def keys(self) -> int:
        own_trail, monitoring = self.settings.audit.trail == "own", self.monitoring
        return self.regions + own_trail + monitoring

    @property
    def monitoring(self) -> bool:
        return self.settings.monitoring.enabled

    @property
    def reads(self) -> float:
        return sum(each.reads for each in self.functions)

    @property
    def decryptions(self) -> float:
        return sum(each.decryptions for each in self.functions)

    @property
    def advanced_parameters(self) -> int:
        return sum(each.tier == "Advanced" for each in self.settings.parameters.values())

    @property
    def logged_bytes(self) -> float:
        return sum(each.logged_bytes for each in self.functions)

    @property
    def events(self) -> float:
        """Events that an `own` trail records: those of the whole account."""
        if self.settings.audit.trail != "own":
            return 0
        return self.settings.cost.management_events_per_month + _RECORDS_OF_A_READ * self.reads

    @property
    def paid_events(self) -> float:
        return 0 if self.settings.cost.first_trail else self.events

    @property
    def recorded_bytes(self) -> float:
        return self.events * _RECORD_BYTES

    @property
    def stored_bytes(self) -> float:
        logged = sum(each.stored_bytes for each in self.functions)
        return logged + self.recorded_bytes * _months(self.settings.audit.log_retention_days)

    @property
    def traces(self) -> float:
        return sum(each.traces for each in self.functions)

    @property
    def metrics(self) -> int:
        rotated = sum(bool(each.rotation) for each in self.settings.own_secrets.values())
        client = sum(_CLIENT_METRICS * each.function.settings.telemetry for each in self.functions)
        return (_MONITORING_METRICS + rotated) * self.monitoring + client

    @property
    def alarms(self) -> int:
        every = len(incidents.descriptions(incidents.LogLocations("", "", "", ""))) - 1
        shared = every - len(incidents.OF_FUNCTIONS)
        of_functions = sum(
            len(incidents.OF_FUNCTIONS)
            - len(incidents.OF_TELEMETRY) * (not each.function.settings.telemetry)
            for each in self.functions
        )
        return (shared + of_functions) * self.monitoring

    @property
    def endpoint_zones(self) -> int:
        network = self.settings.network
        endpoints = 1 + bool(self.settings.parameters) + len({*network.services})
        return endpoints * len(network.subnet_ids) if network.egress == "endpoints" else 0

    @property
    def endpoint_bytes(self) -> float:
        return self.reads * _CALL_BYTES if self.endpoint_zones else 0


_LINES: tuple[tuple[str, Price, Callable[[_Month], float]], ...] = (
    ("secrets and replicas", SECRET, lambda of: len(of.settings.own_secrets) * of.regions),
    ("secret reads", SECRETS_CALLS, lambda of: of.reads / 10_000),
    ("KMS keys (each 2.00 more after two rotations)", KEY, lambda of: of.keys),
    ("KMS decryptions", KEY_REQUESTS, lambda of: of.decryptions / 10_000),
    ("advanced parameters", ADVANCED_PARAMETER, lambda of: of.advanced_parameters),
    ("log ingestion", LOGS_INGESTED, lambda of: of.logged_bytes / _GB),
    (
        "trail events in the log group",
        LOGS_INGESTED,
        lambda of: of.recorded_bytes / _GB,
    ),
    ("additional trail", EVENTS, lambda of: of.paid_events / 100_000),
    ("log storage", LOGS_STORED, lambda of: of.stored_bytes / _GB),
    ("X-Ray traces", TRACES, lambda of: of.traces / 1_000_000),
    ("CloudWatch metrics", METRIC, lambda of: of.metrics),
    ("alarms", ALARM, lambda of: of.alarms),
    ("anomaly detection alarm", ANOMALY_ALARM, lambda of: of.monitoring),
    ("composite alarm", COMPOSITE_ALARM, lambda of: of.monitoring),
    ("dashboard", DASHBOARD, lambda of: of.monitoring),
    ("interface endpoints", ENDPOINT, lambda of: of.endpoint_zones * _HOURS),
    ("endpoint data", ENDPOINT_DATA, lambda of: of.endpoint_bytes / _GB),
)
"""Name of each line, its price, and its units per month; `_Function.lines` has the rest."""


def estimate(settings: Settings) -> list[Line]:
    """Estimate a month; items that cost nothing have no line.

    Each function gets the invocations that `cost` assumes. Each execution environment reads each
    secret at most once while its extension caches it.
    """
    usages = [_Function(settings, each) for each in functions(settings).values()]
    month = _Month(settings, usages)
    lines = [Line(what, quantity(month), price) for what, price, quantity in _LINES]
    lines += [line for each in usages for line in each.lines()]
    return [line for line in lines if line.quantity]


def total(lines: Sequence[Line]) -> float:
    """US dollars a month."""
    return sum(line.usd for line in lines)


def output(lines: Sequence[Line]) -> list[dict[str, str | float]]:
    """Return the lines as an output of the stack."""
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


def _months(days: int) -> float:
    return days * 24 / _HOURS
