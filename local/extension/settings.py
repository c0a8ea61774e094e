"""The nine environment variables of the extension.

Names, defaults and ranges:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
AWS does not document what happens to a value out of range. The TTL is known to be clamped; here
every other invalid value is logged and replaced by the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT_VARIABLE = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"
DEFAULT_PORT = 2773
MAX_PORT = 65535

LOG_LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "NONE")

# A higher TTL is clamped: "SECRETS_MANAGER_TTL exceeds max limit", as logged in
# https://github.com/aws-samples/aws-lambda-extensions/issues/104
MAX_TTL_SECONDS = 300
MAX_CACHE_SIZE = 1000
# AWS documents no upper bound for the others; this one is small enough for clocks and pools.
_UNBOUNDED = 2**31 - 1


def http_port(environ: Mapping[str, str]) -> int:
    """Return the port in the variables; the default if it is missing or invalid."""
    configured = environ.get(PORT_VARIABLE, "")
    port = int(configured) if configured.isascii() and configured.isdecimal() else 0
    return port if 1 <= port <= MAX_PORT else DEFAULT_PORT


class Settings(NamedTuple):
    """The settings of one extension process."""

    log_level: str
    """One of LOG_LEVELS."""
    http_port: int
    cache_size: int
    """Entries, secrets and parameters together; 0 when the cache is off."""
    max_connections: int
    """Outbound connections to each of the two services."""
    secrets_manager_ttl_seconds: int
    ssm_parameter_store_ttl_seconds: int
    secrets_manager_timeout_millis: int
    """0 means none."""
    ssm_parameter_store_timeout_millis: int
    """0 means none."""
    warnings: tuple[str, ...]
    """A sentence for each value that was replaced or clamped."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the variables; unset and empty ones have their defaults. Never raises."""
    warnings: list[str] = []

    def choice(name: str, allowed: tuple[str, ...], default: str) -> str:
        text = environ.get(name, "").upper() or default
        if text in allowed:
            return text
        warnings.append(f"{name} must be one of {', '.join(allowed)}. Using {default}.")
        return default

    def number(name: str, default: int, low: int, high: int) -> int:
        text = environ.get(name, "") or str(default)
        # Only digits, as in Go: int() would also accept "1_000" and " 5".
        value = int(text) if text.isascii() and text.isdecimal() else -1
        if low <= value <= high:
            return value
        warnings.append(f"{name} must be a whole number, {low} to {high}. Using {default}.")
        return default

    def ttl_seconds(name: str) -> int:
        seconds = number(name, MAX_TTL_SECONDS, 0, _UNBOUNDED)
        if seconds > MAX_TTL_SECONDS:
            warnings.append(f"{name} exceeds max limit. Setting it to {MAX_TTL_SECONDS} seconds.")
        return min(seconds, MAX_TTL_SECONDS)

    enabled = choice("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED", ("TRUE", "FALSE"), "TRUE")
    size = number("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", MAX_CACHE_SIZE, 0, MAX_CACHE_SIZE)
    return Settings(
        log_level=choice("PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL", LOG_LEVELS, "INFO"),
        http_port=number(PORT_VARIABLE, DEFAULT_PORT, 1, MAX_PORT),
        cache_size=size if enabled == "TRUE" else 0,
        max_connections=number("PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS", 3, 1, _UNBOUNDED),
        secrets_manager_ttl_seconds=ttl_seconds("SECRETS_MANAGER_TTL"),
        ssm_parameter_store_ttl_seconds=ttl_seconds("SSM_PARAMETER_STORE_TTL"),
        secrets_manager_timeout_millis=number("SECRETS_MANAGER_TIMEOUT_MILLIS", 0, 0, _UNBOUNDED),
        ssm_parameter_store_timeout_millis=number(
            "SSM_PARAMETER_STORE_TIMEOUT_MILLIS", 0, 0, _UNBOUNDED
        ),
        warnings=tuple(warnings),
    )
