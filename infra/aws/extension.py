"""The AWS Parameters and Secrets Lambda Extension: its arguments and variables. Pure: no Pulumi.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

from typing import TypedDict

from . import limits


class ExtensionArgs(TypedDict, total=False):
    """Settings of the extension; each key is one of its environment variables."""

    cache_enabled: bool
    """Whether the extension caches values (default true)."""
    cache_size: int
    """Most secrets and parameters in the cache, 0 to 1000 (default 1000)."""
    secrets_ttl_seconds: int
    """Seconds that a secret stays in the cache, 0 to 300 (default 300)."""
    parameters_ttl_seconds: int
    """Seconds that a parameter stays in the cache, 0 to 300 (default 300)."""
    secrets_timeout_millis: int
    """Timeout for Secrets Manager in milliseconds (default 2000); 0: no timeout."""
    parameters_timeout_millis: int
    """Timeout for Parameter Store in milliseconds (default 2000); 0: no timeout."""
    max_connections: int
    """Most concurrent connections to AWS, 1 to 1024 (default 3)."""
    http_port: int
    """Port on 127.0.0.1, 1 to 65535 (default 2773)."""
    log_level: str
    """One of debug, info, warn, error, none (default info)."""


def variables(args: ExtensionArgs) -> dict[str, str]:
    """Return its nine environment variables.

    Raises:
        ValueError: names each argument out of range.

    """
    ttl = args.get("secrets_ttl_seconds", limits.TTL_SECONDS.most)
    parameters_ttl = args.get("parameters_ttl_seconds", limits.TTL_SECONDS.most)
    size = args.get("cache_size", limits.CACHE_SIZE.most)
    # Without a timeout, a call that cannot reach AWS hangs as long as the function runs.
    timeout = args.get("secrets_timeout_millis", 2000)
    parameters_timeout = args.get("parameters_timeout_millis", 2000)
    connections = args.get("max_connections", 3)
    port = args.get("http_port", 2773)
    level = args.get("log_level", "info")
    limits.check(
        "extension",
        [
            ("secrets_ttl_seconds", ttl, limits.TTL_SECONDS),
            ("parameters_ttl_seconds", parameters_ttl, limits.TTL_SECONDS),
            ("cache_size", size, limits.CACHE_SIZE),
            ("secrets_timeout_millis", timeout, limits.TIMEOUT_MILLIS),
            ("parameters_timeout_millis", parameters_timeout, limits.TIMEOUT_MILLIS),
            ("max_connections", connections, limits.MAX_CONNECTIONS),
            ("http_port", port, limits.EXTENSION_PORT),
            ("log_level", level, limits.LOG_LEVELS),
        ],
    )
    prefix = "PARAMETERS_SECRETS_EXTENSION"
    return {
        f"{prefix}_CACHE_ENABLED": str(args.get("cache_enabled", True)).upper(),
        f"{prefix}_CACHE_SIZE": str(size),
        f"{prefix}_HTTP_PORT": str(port),
        f"{prefix}_LOG_LEVEL": level.upper(),
        f"{prefix}_MAX_CONNECTIONS": str(connections),
        "SECRETS_MANAGER_TTL": str(ttl),
        "SECRETS_MANAGER_TIMEOUT_MILLIS": str(timeout),
        "SSM_PARAMETER_STORE_TTL": str(parameters_ttl),
        "SSM_PARAMETER_STORE_TIMEOUT_MILLIS": str(parameters_timeout),
    }
