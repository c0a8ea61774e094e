"""Counts orders in PostgreSQL through a pool of psycopg, over verified TLS.

The pool is psycopg's own, as https://www.psycopg.org/psycopg3/docs/advanced/pool.html shows it;
only how it logs in is ours: with a password that may have been rotated a moment ago.
"""

import os
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from secret_client import SecretClient, Value

client = SecretClient()


class Connection(psycopg.Connection[Any]):
    """A connection that logs in with the password as it is now."""

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> "Connection":  # type: ignore[override]
        def log_in(value: Value) -> "Connection":
            secret = value.json
            return super(Connection, cls).connect(  # type: ignore[return-value]
                conninfo,
                host=secret["host"],
                port=secret["port"],
                dbname=secret["dbname"],
                user=secret["username"],
                password=secret["password"],
                sslmode="verify-full",
                sslrootcert=Path(__file__).with_name("ca-bundle.pem"),
                **kwargs,
            )

        return client.with_fresh_credentials(os.environ["SECRET_NAME"], log_in, is_refused)


def is_refused(error: Exception) -> bool:
    """Whether a login failed for its password; libpq says it in words only."""
    refused = "password authentication failed" in str(error)
    return isinstance(error, psycopg.OperationalError) and refused


pool = ConnectionPool(
    connection_class=Connection, min_size=1, max_size=2, check=ConnectionPool.check_connection
)


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    try:
        return order(event["orders"])
    except psycopg.OperationalError:  # the server has ended the session: the pool has others
        return order(event["orders"])


def order(quantities: dict[str, int]) -> dict[str, Any]:
    with pool.connection() as connection:
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS orders (item text, quantity int)")
        connection.execute("TRUNCATE orders")
        with connection.cursor().copy("COPY orders FROM STDIN") as copy:
            for item, quantity in quantities.items():
                copy.write_row((item, quantity))
        found = connection.execute(
            "SELECT sum(quantity), current_user, (SELECT ssl FROM pg_stat_ssl"
            " WHERE pid = pg_backend_pid()) FROM orders"
        ).fetchone()
    assert found is not None
    return {"ordered": found[0], "user": found[1], "tls": found[2]}
