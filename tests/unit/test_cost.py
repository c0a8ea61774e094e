"""What a month costs, worked out by hand from AWS's list prices; a bill says more."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import cost
from infra.components.alarm_topic import AlarmTopic
from infra.components.audit import Audit
from infra.components.monitoring import Monitoring
from infra.config.environment import Environment
from infra.config.schema import CostSettings, Settings
from infra.config.settings import load
from local import outputs
from local.engines.built_in import BuiltInEngine
from tests.components.test_contract import example
from tests.recording import Recording, by_type, stack
from tests.unit.test_settings import DATABASE, faults, read

SECONDS = 730 * 3600
CHEAP = {"tracing": False}
CLIENT_METRICS = 7


def settings(**keys: object) -> Settings:
    return Settings.model_validate(keys)


def secrets(count: int) -> dict[str, object]:
    return {f"s{number}": {} for number in range(count)}


def reading(config: Settings, readable: int = 1, ttl_seconds: int = 60) -> Settings:
    """Have the function read so many secrets, which its extension keeps so long."""
    names = [f"s{number}" for number in range(readable)]
    function = config.function.model_copy(update={"secret": "s0", "secrets": names})
    kept = {"secrets_ttl_seconds": ttl_seconds, "cache_enabled": ttl_seconds > 0}
    extension = config.extension.model_copy(update=kept)
    return config.model_copy(update={"function": function, "extension": extension})


def lines(config: Settings, **facts: int) -> dict[str, cost.Line]:
    return {line.what: line for line in cost.estimate(reading(config, **facts))}


def usd(config: Settings, what: str, **facts: int) -> float:
    return round(lines(config, **facts)[what].usd, 4)


def estimated(env: Environment) -> list[cost.Line]:
    return cost.estimate(env.settings)


def environment(name: str) -> list[cost.Line]:
    """Estimate a stack of the project by its file."""
    loaded = stack(name)
    found: list[list[cost.Line]] = []

    BuiltInEngine(Recording()).run(loaded, lambda: found.append(estimated(load())))
    return found[0]


def test_three_secrets_in_three_regions_are_nine_and_each_region_has_a_key() -> None:
    config = settings(secrets=secrets(3), replicaRegions=["us-west-2", "eu-west-1"])
    assert usd(config, "secrets and replicas") == 3.60  # 9 x 0.40
    assert usd(config, "KMS keys (each 2.00 more after two rotations)") == 3.00  # 3 x 1.00


def test_keys_of_topic_and_trail_count_too() -> None:
    config = settings(monitoring={"enabled": True}, audit={"trail": "own"})
    assert usd(config, "KMS keys (each 2.00 more after two rotations)") == 3.00


def test_an_environment_reads_each_secret_once_in_the_time_its_extension_keeps_it() -> None:
    assumed = {"requestsPerMonth": 10_000_000, "environments": 10, "coldStartsPerMonth": 1000}
    config = settings(cost=assumed)
    # 10 environments x 2,628,000 s / 60 s + 1,000 starts = 439,000; of 2 secrets 878,000.
    found = lines(config, readable=2)
    assert found["secret reads"].quantity == 87.8
    assert round(found["secret reads"].usd, 4) == 4.39  # 87.8 x 0.05
    assert round(found["KMS decryptions"].usd, 4) == 2.634  # 87.8 x 0.03


def test_no_more_is_read_than_is_asked_for() -> None:
    config = settings(cost={"requestsPerMonth": 5_000, "environments": 100})
    assert lines(config, readable=2)["secret reads"].quantity == 1
    # Without a cache every request reads every secret.
    config = settings(cost={"requestsPerMonth": 10_000_000})
    assert lines(config, readable=2, ttl_seconds=0)["secret reads"].quantity == 2_000


@pytest.mark.parametrize(
    ("architecture", "price"), [("arm64", 0.0000133334), ("x86_64", 0.0000166667)]
)
def test_a_million_requests_of_100_ms_at_512_mb(architecture: Any, price: float) -> None:
    assumed = {
        "requestsPerMonth": 1_000_000,
        "averageMilliseconds": 100,
        "coldStartsPerMonth": 10_000,
        "coldStartMilliseconds": 1000,
    }
    function = {"memoryMb": 512, "architecture": architecture}
    config = settings(cost=assumed, function=function)
    assert usd(config, "Lambda requests of reader") == 0.20
    # 1,000,000 x 0.1 s + 10,000 x 1 s = 110,000 s x 0.5 GB = 55,000 GB-s
    assert usd(config, "Lambda compute of reader") == round(55_000 * price, 4)


def test_logs_are_paid_when_they_come_and_as_long_as_they_are_kept() -> None:
    assumed = {"requestsPerMonth": 2_000_000, "logBytesPerRequest": 1_000}
    function = {"logRetentionDays": 365}
    config = settings(cost=assumed, function=function)
    assert usd(config, "log ingestion") == 1.00  # 2 GB x 0.50
    assert usd(config, "log storage") == 0.72  # 2 GB x 12 months x 0.03


def test_of_three_million_requests_one_a_second_and_a_twentieth_of_the_rest_are_traced() -> None:
    config = settings(cost={"requestsPerMonth": 3_000_000})
    # 2,628,000 + 5 % of 372,000 = 2,646,600, at 5.00 a million
    assert usd(config, "X-Ray traces") == 13.233
    assert "X-Ray traces" not in lines(settings(function=CHEAP))


def test_a_trail_records_the_whole_account() -> None:
    assumed = {"managementEventsPerMonth": 50_000_000, "requestsPerMonth": 0}
    config = settings(cost={**assumed, "firstTrail": True}, audit={"trail": "own"})
    # 50,000,000 x 2,000 bytes = 100 GB
    assert usd(config, "trail events in the log group") == 50.00
    assert "additional trail" not in lines(config)
    config = settings(cost=assumed, audit={"trail": "own"})
    assert usd(config, "additional trail") == 1000.00  # 500 x 2.00
    assert "trail events in the log group" not in lines(settings(cost=assumed))


def test_monitoring_in_full() -> None:
    config = settings(monitoring={"enabled": True}, function={"telemetry": True})
    assert usd(config, "alarms") == 1.60  # 16 x 0.10
    assert usd(config, "anomaly detection alarm") == 0.30  # 3 metrics x 0.10
    assert usd(config, "composite alarm") == 0.50
    assert usd(config, "dashboard") == 3.00
    assert usd(config, "CloudWatch metrics") == 5.40  # (7 + 11) x 0.30


def test_what_is_estimated_is_what_the_components_make() -> None:
    _, made = example(Monitoring)
    found = lines(settings(monitoring={"enabled": True}, function={"telemetry": True}))
    metrics = {
        each.inputs["metricTransformation"]["name"] for each in by_type(made, "MetricFilter")
    }
    # The alarm on unusual reads has a price of its own; what the watch tells has no filter.
    assert len(by_type(made, "MetricAlarm")) == found["alarms"].quantity + 1
    assert len(metrics) + 2 == found["CloudWatch metrics"].quantity - CLIENT_METRICS
    assert len(by_type(made, "CompositeAlarm")) == found["composite alarm"].quantity
    assert len(by_type(made, "Dashboard")) == found["dashboard"].quantity
    for component in (AlarmTopic, Audit):
        assert len(by_type(example(component)[1], "kms/key:Key")) == 1


def test_three_endpoints_in_two_zones_for_a_month() -> None:
    assumed = {"requestsPerMonth": 1_000_000_000, "environments": 100}
    network = {"egress": "endpoints", "subnetIds": ["a", "b"], "services": ["logs"]}
    parameters = {"level": {"value": "info"}}
    config = settings(cost=assumed, network=network, parameters=parameters)
    # Secrets Manager, Parameter Store and logs: 3 x 2 x 730 x 0.01
    assert usd(config, "interface endpoints") == 43.80
    # (100 x 43,800 + 1,000) x 8,000 bytes = 35.048 GB
    assert usd(config, "endpoint data") == 0.3505
    assert usd(settings(network=network), "interface endpoints") == 29.20
    for without in ({}, {**network, "egress": "nat"}):
        assert not {"interface endpoints", "endpoint data"} & set(lines(settings(network=without)))


def test_only_advanced_parameters_cost_and_only_secure_ones_are_decrypted() -> None:
    parameters = {
        "a": {"value": "x"},
        "b": {"value": "x", "tier": "Advanced"},
        "c": {"type": "SecureString"},
    }
    found = lines(settings(parameters=parameters))
    assert found["advanced parameters"].usd == 0.05
    assert found["KMS decryptions"].quantity == 2 * found["secret reads"].quantity


def test_each_function_has_its_lines_and_its_own_alarms() -> None:
    orders = {"code": "c", "handler": "h.h", "secrets": ["a", "b"], "memoryMb": 1024}
    mail = {**orders, "secrets": [], "tracing": False, "telemetry": True}
    monitored = {"monitoring": {"enabled": True}}
    assumed = {"requestsPerMonth": 1_000_000, "coldStartsPerMonth": 0, "averageMilliseconds": 100}
    config = settings(functions={"orders": orders, "mail": mail}, cost=assumed, **monitored)
    found = {line.what: line for line in cost.estimate(config)}
    assert found["Lambda requests of orders"].usd == 0.20
    # 1,000,000 x 0.1 s x 1 GB
    assert (
        found["Lambda compute of orders"].quantity
        == found["Lambda compute of mail"].quantity
        == 100_000
    )
    assert found["X-Ray traces"].quantity == 1  # mail's are not
    one = {line.what: line for line in cost.estimate(settings(**monitored))}
    # Three more of a function, six of one whose client prints metrics.
    assert found["alarms"].quantity == one["alarms"].quantity - 3 + 3 + 6


def test_what_costs_nothing_has_no_line() -> None:
    idle = {"requestsPerMonth": 0, "coldStartsPerMonth": 0}
    assert list(lines(settings(cost=idle))) == ["KMS keys (each 2.00 more after two rotations)"]


def test_the_development_environment_costs_less_than_five_dollars() -> None:
    assert 1.80 < cost.total(environment("dev")) < 5.00


def test_a_stack_is_estimated_with_what_its_function_reads_and_its_extension_keeps() -> None:
    config = {"secrets": {"database": DATABASE, "b": DATABASE}, "maxStalenessSeconds": 120}
    reads = {line.what: line for line in estimated(read(config))}["secret reads"]
    assert reads.quantity == pytest.approx(2 * (1000 + SECONDS / 60) / 10_000)
    without = estimated(read({**config, "extension": {"cacheEnabled": False}}))
    assert {line.what: line for line in without}["secret reads"].quantity == 20


counts = st.integers(0, 10_000_000)
MORE = {
    "requests": lambda n: settings(cost={"requestsPerMonth": n}),
    "milliseconds": lambda n: settings(cost={"averageMilliseconds": n}),
    "cold starts": lambda n: settings(cost={"coldStartsPerMonth": n}),
    "environments": lambda n: settings(cost={"environments": n}),
    "log bytes": lambda n: settings(cost={"logBytesPerRequest": n}),
    "secrets": lambda n: settings(secrets=secrets(n % 50)),
    "replicas": lambda n: settings(secrets=secrets(2), replicaRegions=["r"] * (n % 9)),
    "retention": lambda n: settings(function={"logRetentionDays": (1, 30, 365, 3653)[n % 4]}),
    "memory": lambda n: settings(function={"memoryMb": 128 + n % 10_000}),
    "tracing": lambda n: settings(function={"tracing": bool(n % 2)}),
    "telemetry": lambda n: settings(function={"telemetry": bool(n % 2)}),
    "monitoring": lambda n: settings(monitoring={"enabled": bool(n % 2)}),
    "zones": lambda n: settings(
        network={"egress": "endpoints", "subnetIds": [*map(str, range(n % 9))]}
    ),
    "audit": lambda n: settings(audit={"trail": ("none", "own")[n % 2]}),
}


@pytest.mark.parametrize("more", MORE)
@given(one=counts, other=counts, readable=st.integers(1, 9), ttl=st.integers(0, 300))
def test_more_of_anything_never_costs_less(
    more: str, one: int, other: int, readable: int, ttl: int
) -> None:
    modulus = {
        **dict.fromkeys(("tracing", "telemetry", "monitoring", "audit"), 2),
        "secrets": 50,
        "replicas": 9,
        "zones": 9,
        "retention": 4,
        "memory": 10_000,
    }.get(more, 10**9)
    less, most = sorted((one % modulus, other % modulus))

    def total(count: int) -> float:
        return cost.total(cost.estimate(reading(MORE[more](count), readable, ttl)))

    assert total(less) <= total(most)


@given(one=st.integers(1, 99), other=st.integers(1, 99))
def test_more_secrets_that_are_read_never_cost_less(one: int, other: int) -> None:
    less, more = (
        cost.total(cost.estimate(reading(Settings(), readable)))
        for readable in sorted((one, other))
    )
    assert less <= more


def test_the_output_is_json_with_every_line_and_its_price() -> None:
    found = cost.output(list(lines(settings(secrets=secrets(2))).values()))
    assert found[0] == {
        "what": "secrets and replicas",
        "quantity": 2,
        "unit": "secret-month",
        "unitPrice": 0.40,
        "usd": 0.80,
    }
    assert json.loads(json.dumps(found)) == found


def test_the_table_has_the_dearest_first_and_says_of_what_region_and_month_the_prices_are() -> (
    None
):
    found = list(lines(settings(secrets=secrets(10))).values())
    heading, *rows, last = outputs.monthly_cost({"monthly_cost": cost.output(found)}).splitlines()
    assert (
        heading.strip()
        == "USD per month at the list prices of us-east-1, 2026-09, without the free tier"
    )
    assert " ".join(rows[0].split()) == "secrets and replicas 10 secret-month 4.00"
    amounts = [float(row.split()[-1]) for row in rows]
    assert amounts == sorted(amounts, reverse=True)
    assert last.split() == ["total", f"{cost.total(found):.2f}"]
    assert len({len(row) for row in (*rows, last)}) == 1


@pytest.mark.parametrize(
    "key",
    [field.alias for field in CostSettings.model_fields.values() if field.annotation is not bool],
)
def test_an_assumption_is_a_number_that_is_not_negative(key: str) -> None:
    (fault,) = faults({"secrets": {"database": DATABASE}, "cost": {key: -1}})
    assert f"cost.{key} must be 0 to 1000000000000, got -1" in fault
