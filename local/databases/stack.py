"""The databases that a stack's secrets log in to: one local PostgreSQL for all of them.

Does what an operator does outside the program: creates the databases and roles, with the passwords
in the secrets.
"""

import threading
from collections.abc import Mapping
from typing import Any

from infra.config import functions
from local.config import settings
from local.config.project import Stack
from local.databases.postgres import PostgreSQL


def login_secrets(stack: Stack) -> dict[str, str | None]:
    """Return the secrets that log in to a database: logical name -> admin secret, if any.

    They rotate by logging in, or are the first secret of a function with `caBundle`.
    """
    config = settings.read(stack)
    readers = {
        function.settings.secrets[0]
        for function in functions.functions(config).values()
        if function.settings.ca_bundle and function.settings.secrets
    }
    found: dict[str, str | None] = {}
    for name, secret in config.secrets.items():
        if secret.rotation and secret.rotation.strategy != "random":
            found[name] = secret.rotation.admin_secret
        elif name in readers:
            found[name] = None
    return dict.fromkeys(filter(None, found.values())) | found


def rotating(stack: Stack) -> list[str]:
    """Return the logical names of all secrets that rotate."""
    return [name for name, secret in stack.section("secrets").items() if secret.get("rotation")]


def with_local_database(stack: Stack, server: PostgreSQL) -> Stack:
    """Return the stack with the server's `host`, `port` and CA in the config of these secrets.

    Application and rotation use this server, whatever `rotation.host` is.
    """
    secrets, address = stack.section("secrets"), {"host": server.host, "port": server.port}
    for name in login_secrets(stack):
        if "fields" in secrets[name]:
            secrets[name]["fields"] |= address
        if "host" in (secrets[name].get("rotation") or {}):
            secrets[name]["rotation"] |= address
    database = {**stack.section("database"), "caBundle": str(server.ca_bundle)}
    return stack.changed(secrets=secrets, database=database)


class Operator:
    """Creates the databases and users of a stack's secrets, once a secret has a value."""

    def __init__(self, server: PostgreSQL, stack: Stack) -> None:
        self._server = server
        self._admins = login_secrets(stack)
        self._users: dict[str, str] = {}
        self._lock = threading.Lock()

    def address(self, name: str) -> dict[str, Any]:
        """Return `host` and `port` for a secret of a database; otherwise an empty dictionary."""
        if name not in self._admins:
            return {}
        return {"host": self._server.host, "port": self._server.port}

    def make(self, name: str, value: Mapping[str, Any]) -> None:
        """Create the database and the user of a secret that logs in to one.

        An existing user is not changed.
        """
        if name not in self._admins:
            return
        from pg8000.native import identifier, literal  # noqa: PLC0415 (see local/databases/postgres.py)

        with self._lock, self._server.connect() as superuser:
            user = value["username"]
            if superuser.run("SELECT 1 FROM pg_roles WHERE rolname = :user", user=user):
                return
            # Keeps the only statement that contains a password out of the log.
            superuser.run("SET log_statement = 'none'")
            superuser.run(
                f"CREATE ROLE {identifier(user)} LOGIN PASSWORD {literal(value['password'])}"
            )
            superuser.run("RESET log_statement")
            database = value.get("dbname") or "postgres"
            if not superuser.run("SELECT 1 FROM pg_database WHERE datname = :d", d=database):
                superuser.run(f"CREATE DATABASE {identifier(database)}")
            self._users[name] = user
            for rotated, admin in self._admins.items():
                if admin and name in (rotated, admin) and {rotated, admin} <= self._users.keys():
                    boss, other = identifier(self._users[admin]), identifier(self._users[rotated])
                    superuser.run(f"ALTER ROLE {boss} CREATEROLE")
                    superuser.run(f"GRANT {other} TO {boss} WITH ADMIN OPTION")
