"""The extension's environment variables."""

from __future__ import annotations

import pytest

from local.extension.settings import Settings, read_settings

P = "PARAMETERS_SECRETS_EXTENSION_"

DEFAULTS = Settings(
    log_level="INFO",
    http_port=2773,
    cache_size=1000,
    max_connections=3,
    secrets_manager_ttl_seconds=300,
    ssm_parameter_store_ttl_seconds=300,
    secrets_manager_timeout_millis=0,
    ssm_parameter_store_timeout_millis=0,
    warnings=(),
)

NUMBERS = [
    (f"{P}CACHE_SIZE", "cache_size", 0, 1000),
    (f"{P}HTTP_PORT", "http_port", 1, 65535),
    (f"{P}MAX_CONNECTIONS", "max_connections", 1, 10_000),
    ("SECRETS_MANAGER_TTL", "secrets_manager_ttl_seconds", 0, 300),
    ("SSM_PARAMETER_STORE_TTL", "ssm_parameter_store_ttl_seconds", 0, 300),
    ("SECRETS_MANAGER_TIMEOUT_MILLIS", "secrets_manager_timeout_millis", 0, 900_000),
    ("SSM_PARAMETER_STORE_TIMEOUT_MILLIS", "ssm_parameter_store_timeout_millis", 0, 900_000),
]


def test_without_variables_the_documented_defaults_hold() -> None:
    assert read_settings({}) == DEFAULTS


@pytest.mark.parametrize("name", [name for name, *_ in NUMBERS])
def test_an_empty_variable_is_an_absent_one(name: str) -> None:
    assert read_settings({name: ""}) == DEFAULTS


@pytest.mark.parametrize(("name", "field", "low", "high"), NUMBERS)
def test_a_number_is_taken_from_one_end_of_its_range_to_the_other(
    name: str, field: str, low: int, high: int
) -> None:
    for value in (low, high):
        settings = read_settings({name: str(value)})
        assert settings._asdict() == DEFAULTS._asdict() | {field: value}


@pytest.mark.parametrize("text", ["-1", "1.5", "ten", " 5", "1_0", "0x10", "\u0665", "9" * 4000])
@pytest.mark.parametrize("name", [name for name, *_ in NUMBERS])
def test_what_is_no_number_is_replaced_by_the_default_and_said(name: str, text: str) -> None:
    settings = read_settings({name: text})
    assert settings._replace(warnings=()) == DEFAULTS
    assert len(settings.warnings) == 1
    assert settings.warnings[0].startswith(f"{name} must be a whole number")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{P}CACHE_SIZE", "1001"),
        (f"{P}HTTP_PORT", "0"),
        (f"{P}HTTP_PORT", "65536"),
        (f"{P}MAX_CONNECTIONS", "0"),
    ],
)
def test_a_number_out_of_range_is_replaced_by_the_default_and_said(name: str, text: str) -> None:
    settings = read_settings({name: text})
    assert settings._replace(warnings=()) == DEFAULTS
    assert len(settings.warnings) == 1


@pytest.mark.parametrize("name", ["SECRETS_MANAGER_TTL", "SSM_PARAMETER_STORE_TTL"])
def test_a_time_to_live_above_five_minutes_is_clamped_and_said(name: str) -> None:
    settings = read_settings({name: "3600"})
    assert settings == DEFAULTS._replace(
        warnings=(f"{name} exceeds max limit. Setting it to 300 seconds.",)
    )


@pytest.mark.parametrize(
    ("text", "size"), [("TRUE", 1000), ("true", 1000), ("FALSE", 0), ("false", 0), ("False", 0)]
)
def test_the_cache_is_switched_in_upper_and_lower_case(text: str, size: int) -> None:
    assert read_settings({f"{P}CACHE_ENABLED": text}) == DEFAULTS._replace(cache_size=size)


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARN", "ERROR", "NONE", "debug"])
def test_a_log_level_is_taken_in_upper_and_lower_case(level: str) -> None:
    settings = read_settings({f"{P}LOG_LEVEL": level})
    assert settings == DEFAULTS._replace(log_level=level.upper())


@pytest.mark.parametrize("name", ["CACHE_ENABLED", "LOG_LEVEL"])
def test_a_word_that_is_not_allowed_is_replaced_by_the_default_and_said(name: str) -> None:
    settings = read_settings({P + name: "yes"})
    assert settings._replace(warnings=()) == DEFAULTS
    assert settings.warnings[0].startswith(f"{P}{name} must be one of ")


def test_the_wrong_names_in_circulation_change_nothing() -> None:
    wrong = {
        "PARAMETERS_SECRETS_CACHE_SIZE": "1",
        "PARAMETERS_SECRETS_CACHE_EXPIRATION": "1",
        "PARAMETERS_SECRETS_EXTENSION_TTL": "1",
        "parameters_secrets_extension_cache_size": "1",
    }
    assert read_settings(wrong) == DEFAULTS
