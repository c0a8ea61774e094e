"""Rotates PostgreSQL users: the password of one, or two users in turn. PostgreSQL 13 or later.

The server gets SCRAM-SHA-256 verifiers, never a password as text.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any

from pg8000.native import Connection, Error, identifier, literal

from postgres import DEFAULT_PORT, connect, is_auth_error, scram_verifier
from rotation import Refused, RotationError

Value = dict[str, Any]

# https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
_NAME_BYTES = 63
_CLONE = "_clone"
# A repetition has made or altered the same role meanwhile. XX000: "tuple concurrently updated".
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONCURRENT = {"23505", "42710", "XX000"}
_ATTEMPTS = 10
_PAUSE_SECONDS = 0.02

_RELATION = """WITH members AS (
        SELECT r.rolname AS role, m.rolname AS member FROM pg_catalog.pg_auth_members AS grants
        JOIN pg_catalog.pg_roles AS r ON r.oid = roleid
        JOIN pg_catalog.pg_roles AS m ON m.oid = grants.member)
    SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = :user),
    EXISTS (SELECT FROM members WHERE role = :other AND member = :user),
    EXISTS (SELECT FROM members WHERE role = :user AND member = :other)"""
_SETTINGS = """SELECT datname, split_part(each, '=', 1), substr(each, strpos(each, '=') + 1)
    FROM pg_catalog.pg_db_role_setting JOIN pg_catalog.pg_roles AS r ON r.oid = setrole
    LEFT JOIN pg_catalog.pg_database AS d ON d.oid = setdatabase
    CROSS JOIN unnest(setconfig) AS each
    WHERE rolname = :role"""


class _Concurrent(RotationError):
    """Another did the same at the same time; to be tried again."""


class _Users:
    """What both strategies have in common."""

    def __init__(self, fields: frozenset[str]) -> None:
        if "password" not in fields:
            raise RotationError("no password is generated; name it in `generate` of the secret")
        self._fields = fields

    def next_value(self, current: Value, made: Mapping[str, str]) -> Value:
        """Return the value with the new texts."""
        missing = [field for field in ("host", "username") if not current.get(field)]
        if missing:
            raise RotationError(f"the value has no field {', no '.join(missing)}; put one")
        return {**current, **made}

    def follows(self, pending: Value, current: Value) -> bool:
        """Return whether nothing differs but what is made anew."""
        made = {field: pending.get(field, "") for field in self._fields}
        return pending == self.next_value(current, made)

    def test(self, value: Value) -> None:
        """Log in and read."""
        with self._session(value) as connection:
            connection.run("SELECT current_user")

    @contextmanager
    def _session(self, value: Value) -> Iterator[Connection]:
        """Log in; whatever goes wrong on the way or later is told without the value."""
        try:
            with connect(value) as connection:
                yield connection
        except (Error, OSError) as error:
            told = error.args[0] if error.args else None
            kind, reason = RotationError, str(told)
            if isinstance(told, dict):  # the server's own words: message, detail, hint
                reason = "; ".join(told[field] for field in "MDH" if field in told)
                kind = _Concurrent if told.get("C") in _CONCURRENT else RotationError
            kind = Refused if is_auth_error(error) else kind
            where = f"{value.get('username')} at {':'.join(_server(value))}"
            raise kind(f"{where}: {reason}; mend that and repeat the step") from None


class SingleUser(_Users):
    """A user that changes its own password: until AWSCURRENT moves, AWSPENDING is what works."""

    def set(self, pending: Value, known: Iterable[Value]) -> None:
        """Log in with what works, and change the password unless it is the pending one."""
        # At the end once more: a repetition may have changed it meanwhile.
        for value in chain([pending], known, [pending]):
            if value.get("password") and value.get("username") == pending["username"]:
                with suppress(Refused):
                    _repeated(self._change, value["password"], pending)
                    return
        raise RotationError(
            f"{pending['username']}: the server refuses every password that the secret has had;"
            " set AWSCURRENT's in the database, and repeat the step"
        )

    def _change(self, password: str, pending: Value) -> None:
        with self._session({**pending, "password": password}) as connection:
            if password != pending["password"]:
                connection.run("SET ROLE NONE")  # the user's settings may say another
                connection.run(f"ALTER ROLE SESSION_USER {_password(pending)}")


class AlternatingUsers(_Users):
    """Two users in turn: one serves while the admin gives the other a new password.

    ``username`` and ``alternateUsername`` change places. The first rotation makes the other user,
    a clone: it is a member of the original and acts as it from its login on (``SET role``), so
    that what it makes has the same owner, and it has copies of the original's settings.
    """

    def __init__(self, fields: frozenset[str], admin: Callable[[], Value]) -> None:
        super().__init__(fields)
        self._admin = admin

    def next_value(self, current: Value, made: Mapping[str, str]) -> Value:
        """Return the value of the other user."""
        following, username = super().next_value(current, made), current["username"]
        room = username.encode()[: _NAME_BYTES - len(_CLONE)]
        other = current.get("alternateUsername") or room.decode(errors="ignore") + _CLONE
        if other == username:
            raise RotationError(
                f"{username} alternates with itself; put another alternateUsername"
            )
        return {**following, "username": other, "alternateUsername": username}

    def set(self, pending: Value, known: Iterable[Value]) -> None:  # noqa: ARG002 (the admin changes it)
        """Set the password as the admin, and make what is missing of the user."""
        if self._is_set_up(pending):
            return
        admin = self._admin()
        if _server(admin) != _server(pending):
            raise RotationError("the admin secret is of another host or port; name the right one")
        if admin.get("username") == pending["username"]:
            raise RotationError(
                f"{pending['username']} is the admin; put another alternateUsername"
            )
        _repeated(self._install, admin, pending)
        if not self._is_set_up(pending):
            raise RotationError(
                f"{pending['username']} does not act as {pending['alternateUsername']}: grant it"
                " that role WITH INHERIT TRUE, SET TRUE, and repeat the step"
            )

    def _is_set_up(self, pending: Value) -> bool:
        try:
            with self._session(pending) as connection:
                ((_, is_clone, is_original),) = _relation(connection, pending)
                ((acts_as_another,),) = connection.run("SELECT current_user <> session_user")
        except Refused:
            return False
        return bool(is_original or (is_clone and acts_as_another))

    def _install(self, admin: Value, pending: Value) -> None:
        user, other = pending["username"], pending["alternateUsername"]
        with self._session(admin) as connection:
            connection.run("START TRANSACTION")  # a clone is there as a whole, or not at all
            ((exists, is_clone, is_original),) = _relation(connection, pending)
            if not exists:
                grant = f"IN ROLE {identifier(other)}"
                connection.run(
                    f"CREATE ROLE {identifier(user)} LOGIN {_password(pending)} {grant}"
                )
            elif is_clone or is_original:
                connection.run(f"ALTER ROLE {identifier(user)} {_password(pending)}")
            else:
                raise RotationError(
                    f"{user} exists and is no member of {other}; grant it that role if it is the"
                    " clone, or put another alternateUsername"
                )
            if not is_original:
                _copy_settings(connection, other, user)
            connection.run("COMMIT")


def _relation(connection: Connection, pending: Value) -> Any:
    """Return one row: the user exists, is the other's clone, is its original."""
    user, other = pending["username"], pending["alternateUsername"]
    return connection.run(_RELATION, user=user, other=other)


def _copy_settings(connection: Connection, original: str, clone: str) -> None:
    """Give the clone the settings of the original, and its role unless it has another there."""
    there, wanted = (
        {(database, name): value for database, name, value in connection.run(_SETTINGS, role=role)}
        for role in (clone, original)
    )
    wanted = {(None, "role"): original} | wanted
    for database, name in {**there, **wanted}:
        value = wanted.get((database, name))
        if value == there.get((database, name)):
            continue
        alter = f"ALTER ROLE {identifier(clone)}"
        alter += f" IN DATABASE {identifier(database)}" if database else ""
        setting = ".".join(map(identifier, name.split(".")))
        if value is None:
            connection.run(f"{alter} RESET {setting}")
        elif name == "role":
            connection.run(f"{alter} SET {setting} TO {identifier(value)}")
        else:  # by the server's own means, as some are lists
            connection.run("SELECT pg_catalog.set_config(:name, :to, true)", name=name, to=value)
            connection.run(f"{alter} SET {setting} FROM CURRENT")


def _password(value: Value) -> str:
    return f"PASSWORD {literal(scram_verifier(value['password']))}"


def _server(value: Value) -> tuple[str, str]:
    return str(value.get("host")).lower(), str(value.get("port", DEFAULT_PORT))


def _repeated(change: Callable[..., None], *arguments: Any) -> None:
    for attempt in range(1, _ATTEMPTS):
        try:
            change(*arguments)
        except _Concurrent:
            time.sleep(attempt * _PAUSE_SECONDS)
        else:
            return
    change(*arguments)
