"""The databases that a stack's secrets log in to: one PostgreSQL on this machine for all of them.

What an operator does outside of the program is done here: databases and roles are made, with the
passwords that the secrets hold.
"""

import threading
from collections.abc import Mapping
from typing import Any

from infra.config import functions
from local.config import settings
from local.config.project import Stack
from local.databases.postgres import PostgreSQL

_STRATEGIES = ("singleUser", "alternatingUsers")


def login_secrets(stack: Stack) -> dict[str, str | None]:
    """Secrets that log in to a database: logical name -> that of its administrator's, if any.

    They rotate by logging in, or are the first one of a function with `caBundle`.
    """
    config = settings.read(stack)
    readers = {
        function.settings.secrets[0]
        for function in functions.functions(config).values()
        if function.settings.ca_bundle and function.settings.secrets
    }
    found: dict[str, str | None] = {}
    for name, secret in config.secrets.items():
        if secret.rotation and secret.rotation.strategy in _STRATEGIES:
            found[name] = secret.rotation.admin_secret
        elif name in readers:
            found[name] = None
    return dict.fromkeys(filter(None, found.values())) | found


def rotating(stack: Stack) -> list[str]:
    """Logical names of the secrets that rotate, whether they are of a database or not."""
    return [name for name, secret in stack.section("secrets").items() if secret.get("rotation")]


def with_local_database(stack: Stack, server: PostgreSQL) -> Stack:
    """Return the stack with these secrets' `host` and `port`, and the CA, of the server.

    Application and rotation log in at the same one, whatever `rotation.host` is.
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
    """Makes the databases and the users of a stack's secrets, each when its value is there."""

    def __init__(self, server: PostgreSQL, stack: Stack) -> None:
        self._server = server
        self._admins = login_secrets(stack)
        self._users: dict[str, str] = {}
        self._lock = threading.Lock()

    def address(self, name: str) -> dict[str, Any]:
        """Where the database of a secret is; of any other secret, nothing."""
        if name not in self._admins:
            return {}
        return {"host": self._server.host, "port": self._server.port}

    def make(self, name: str, value: Mapping[str, Any]) -> None:
        """Make the database and the user of the secret of a logical name, if it is of one.

        A user that is there already stays as it is, whatever the value says.
        """
        if name not in self._admins:
            return
        from pg8000.native import identifier, literal  # noqa: PLC0415 (see local/databases/postgres.py)

        with self._lock, self._server.connect() as superuser:
            user = value["username"]
            if superuser.run("SELECT 1 FROM pg_roles WHERE rolname = :user", user=user):
                return
            # The only statement here with a password in it is not to stand in the log.
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
