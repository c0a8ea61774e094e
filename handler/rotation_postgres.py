"""Rotates PostgreSQL users: the password of one user, or two users in turn.

Needs PostgreSQL 13 or later; two users need a minor version listed in `rotation_roles`.

The server receives SCRAM-SHA-256 verifiers, never a password in clear text.

Environment variables:
    ROTATION_HOST, ROTATION_PORT: the server to use instead of the value's `host` and `port`, which
        any writer of the secret can change; the port is 5432 by default.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain

from pg8000.native import Connection, DatabaseError, Error, identifier, literal

import postgres_fields
from postgres import (
    POOLER,
    REFUSED,
    ConnectionFailed,
    NotByScram,
    connect,
    printable,
    scram_verifier,
    sqlstate,
)
from postgres_fields import clone_of
from rotation_engine import Refused, RotationError, Value
from rotation_roles import (
    Users,
    is_member,
    mark_clone,
    mark_of,
    read_roles,
    require_kept_role,
    require_new_clone,
    require_no_other_mark,
    require_own_pair,
    require_rights_of_an_application,
)

Values = Callable[[], Iterable[Value]]

# A repeated call is creating or altering the same role. XX000: "tuple concurrently updated".
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONCURRENT = {"23505", "42710", "XX000"}
_ATTEMPTS = 10
_PAUSE_SECONDS = 0.02
_CANCELED = "57014"
_TOO_MANY_CONNECTIONS = "53300"
_PATIENCE_SECONDS = 5.0
_ANSWER_BYTES = 1 << 20  # many times the longest response here

# Overrides settings of users and databases that could harm a rotation or its admin. By statements,
# and only for the transaction: PgBouncer rejects most parameters of a login, and may pass settings
# of a session to other clients. An unknown setting is an error: `transaction_timeout` was added in
# PostgreSQL 17.
_BEGIN = """START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    SET LOCAL statement_timeout TO 0;
    SELECT pg_catalog.set_config('transaction_timeout', '0', true)
        WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
    SET LOCAL client_encoding TO 'UTF8';
    SET LOCAL "DateStyle" TO 'ISO';
    SET LOCAL idle_in_transaction_session_timeout TO 0;
    SET LOCAL lock_timeout TO 0;
    SET LOCAL search_path TO pg_catalog;
    SET LOCAL standard_conforming_strings TO on"""  # as `literal` expects
# Settings that are lists of quoted names: `variable_is_guc_list_quote` of
# https://github.com/postgres/postgres/blob/master/src/bin/pg_dump/dumputils.c
_LISTS = {
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "temp_tablespaces",
}

_LIMITS = """SELECT rolconnlimit, coalesce(rolvaliduntil, 'infinity')::text
    FROM pg_catalog.pg_roles WHERE rolname = :role"""
# Includes whether a role in a setting is missing: ALTER ROLE accepts that.
_SETTINGS = """SELECT datname, name, value, name = 'role' AND value <> 'none'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = value)
    FROM pg_catalog.pg_db_role_setting JOIN pg_catalog.pg_roles AS r ON r.oid = setrole
    LEFT JOIN pg_catalog.pg_database AS d ON d.oid = setdatabase
    CROSS JOIN unnest(setconfig) AS each
    CROSS JOIN LATERAL (SELECT split_part(each, '=', 1) AS name,
        substr(each, strpos(each, '=') + 1) AS value) AS setting
    WHERE rolname = :role"""


class _Concurrent(RotationError):
    """Another call did the same at the same time; retry."""


class _Users:
    """What both strategies share."""

    def __init__(self, fields: frozenset[str], known: Values) -> None:
        """`fields` are generated; `known` reads older values, newest first."""
        if "password" not in fields:
            raise RotationError(
                "no password is generated; add `password` to `generate` of the secret"
            )
        self._fields = fields
        self._known = known

    def next_value(self, current: Value, generated: Mapping[str, str]) -> Value:
        """Return the value with the new texts."""
        at_server = _at_server(current)
        missing = postgres_fields.missing(at_server, "host", "username")
        wrong = [f"the value has no {field}; add it" for field in missing]
        errors = postgres_fields.rotation_errors(at_server)
        wrong += [f"the value's {field} {message}" for field, message in errors]
        if (server := postgres_fields.server(at_server)) and server.is_rds_proxy:
            wrong.append(
                "the value's host is an RDS Proxy, which accepts only AWSCURRENT's password; set"
                " rotation.host to the database's own endpoint"
            )
        if wrong:
            raise RotationError("; ".join(wrong))
        return {**current, **generated}

    def follows(self, pending: Value, current: Value) -> bool:
        """Return whether the values differ only in the generated fields."""
        generated = {field: pending.get(field, "") for field in self._fields}
        return pending == self.next_value(current, generated)

    def test(self, value: Value) -> None:
        """Log in and read."""
        with self._session(value) as connection:
            connection.run("SELECT current_user")

    @contextmanager
    def _session(self, value: Value, *, channel_binding: bool = False) -> Iterator[Connection]:
        """Log in, for one transaction. No error contains a secret value."""
        try:
            with _logged_in(_at_server(value), channel_binding=channel_binding) as connection:
                _begin(connection)
                yield connection
                connection.run("COMMIT")
        except (Error, OSError) as error:
            details = error.args[0] if error.args else None
            reason = str(details)
            if isinstance(details, dict):  # the server's message, detail and hint
                reason = "; ".join(
                    printable(details[field]) for field in "MDH" if field in details
                )
            code = sqlstate(error)
            kind = _Concurrent if code in _CONCURRENT else RotationError
            if code in {REFUSED, POOLER} or isinstance(error, NotByScram):
                kind = Refused
            where = f"{value.get('username')} at {_server(value)}"
            raise kind(f"{where}: {reason}") from None


class SingleUser(_Users):
    """One user that changes its own password; until AWSCURRENT moves, only AWSPENDING works."""

    def set(self, pending: Value) -> None:
        """Log in with a working password, and change it unless it is the pending one."""
        # Once more at the end: a repeated call may have changed the password.
        values = chain([pending], self._known(), [pending])
        logins = (
            login for login in _logins(values, pending) if login["username"] == pending["username"]
        )
        try:
            _with_accepted(logins, partial(self._change, pending))
        except Refused as error:
            raise RotationError(
                "the server rejects every password that the secret has had for this host and port"
                f" (last error: {error}); as a database administrator, set the user's password to"
                " the one in AWSCURRENT"
            ) from None

    def _change(self, pending: Value, login: Value) -> None:
        with self._session(login) as connection:
            if login["password"] != pending["password"]:
                connection.run("SET LOCAL ROLE NONE")  # the user's settings may set another role
                connection.run(f"ALTER ROLE SESSION_USER {_password(pending)}")


class AlternatingUsers(_Users):
    """Two users in turn: one serves while the admin gives the other a new password.

    `username` and `alternateUsername` are swapped. The first rotation creates the other user as a
    clone: it is a member of the original and acts as it after every login (`SET role`), so that
    what it creates has the same owner, and it has copies of the original's settings and limits.

    Anyone who can write the secret can name any users in it. So the admin changes only users that
    a value of the secret logs in as, and the clone whose name follows from such a user's name.
    """

    def __init__(self, arn: str, fields: frozenset[str], known: Values, admins: Values) -> None:
        super().__init__(fields, known)
        self._mark = mark_of(arn)
        self._admins = admins

    def next_value(self, current: Value, generated: Mapping[str, str]) -> Value:
        """Return the value of the other user."""
        following, username = super().next_value(current, generated), current["username"]
        other = current.get("alternateUsername") or clone_of(username)
        if other == username:
            raise RotationError(
                f"username and alternateUsername are both {username}; store another one"
            )
        return {**following, "username": other, "alternateUsername": username}

    def set(self, pending: Value) -> None:
        """Set the password as the admin, and create what the user lacks."""
        if not pending.get(
            "alternateUsername"
        ):  # created and set while the strategy was singleUser
            self.test(pending)
            return
        values = self._known()
        with suppress(Refused):
            if self._is_set_up(pending):
                return
            values = chain([pending], values)
        proven = self._proven(values, pending)
        _with_accepted(self._admins(), partial(self._install, pending, proven))
        if not self._is_set_up(pending):
            raise RotationError(
                f"{pending['username']} does not act as {pending['alternateUsername']} after its"
                " login; grant it that role WITH INHERIT TRUE, SET TRUE"
            )

    def _is_set_up(self, pending: Value) -> bool:
        user, other = pending["username"], pending["alternateUsername"]
        with self._session(pending) as connection:
            roles = read_roles(connection, pending)
            ((acts_as_another,),) = connection.run("SELECT current_user <> session_user")
        is_clone = is_member(roles, user, other)
        return is_member(roles, other, user) or (is_clone and acts_as_another)

    def _proven(self, values: Iterable[Value], pending: Value) -> Users:
        """Return the users of the pair that the values log in as: one or both."""
        pair = {pending["username"], pending["alternateUsername"]}
        proven: Users = frozenset()
        refusal = "none, because no value has one of them at this host and port"
        for login in _logins(values, pending):
            if login["username"] in pair - proven:
                try:
                    with self._session(login) as connection:
                        ((user,),) = connection.run("SELECT session_user")
                except RotationError as error:  # whatever the reason, it proves nothing
                    refusal = str(error)
                else:
                    proven |= {user} & pair  # the server truncates names
        if not proven:
            raise RotationError(
                f"neither AWSCURRENT nor AWSPREVIOUS logs in as {' or '.join(sorted(pair))}, so"
                f" rotation changes neither user; the server's last answer: {refusal}; make the"
                " login in AWSCURRENT work, for example by setting its password in the database"
            )
        return proven

    def _install(self, pending: Value, proven: Users, admin: Value) -> None:
        user, other = pending["username"], pending["alternateUsername"]
        has_host = bool(admin.get("host"))
        if not has_host:
            # RDS writes the master user's secret without a host. A value of this secret has
            # logged in to the server, so it is the right one; channel binding excludes a proxy.
            own = _at_server(pending)
            admin = {**admin, **{key: own.get(key) for key in ("host", "port", "dbname")}}
        if postgres_fields.server(admin) != _server(pending):
            raise RotationError(
                "the admin secret is for another host or port; set adminSecret to the right one"
            )
        if admin.get("username") == user:
            raise RotationError(f"{user} is the admin; put a different alternateUsername")
        with self._session(admin, channel_binding=not has_host) as connection:
            ((version,),) = connection.run("SELECT current_setting('server_version_num')::int")
            require_kept_role(version)
            roles = read_roles(connection, pending)
            require_no_other_mark(roles, self._mark)
            require_rights_of_an_application(roles)
            if user in roles:
                require_own_pair(roles, pending, proven, self._mark)
                connection.run(f"ALTER ROLE {identifier(user)} {_password(pending)}")
            else:
                require_new_clone(roles, pending, proven)
                grant = f"IN ROLE {identifier(other)}"
                connection.run(
                    f"CREATE ROLE {identifier(user)} LOGIN {_password(pending)} {grant}"
                )
            if not is_member(roles, other, user):
                mark_clone(connection, pending, self._mark)
                _copy_limits(connection, other, user)
                _copy_settings(connection, other, user)


def _logged_in(value: Value, *, channel_binding: bool) -> Connection:
    """Log in; if all connections are in use, wait a few seconds for one."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return connect(value, answer_bytes=_ANSWER_BYTES, channel_binding=channel_binding)
        except ConnectionFailed as error:
            if error.sqlstate != _TOO_MANY_CONNECTIONS or time.monotonic() > end:
                raise
        time.sleep(_PATIENCE_SECONDS / 20)


def _begin(connection: Connection) -> None:
    """Begin the transaction, with retries because `statement_timeout` may be very short."""
    for left in range(_ATTEMPTS, 0, -1):
        try:
            connection.run(_BEGIN)
        except DatabaseError as error:
            if sqlstate(error) != _CANCELED or left == 1:
                raise
            connection.run("ROLLBACK")
        else:
            return


def _copy_limits(connection: Connection, original: str, clone: str) -> None:
    ((connections, until),) = connection.run(_LIMITS, role=original)
    connection.run(
        f"ALTER ROLE {identifier(clone)} CONNECTION LIMIT {connections}"
        f" VALID UNTIL {literal(until)}"
    )


def _copy_settings(connection: Connection, original: str, clone: str) -> None:
    """Copy the original's settings to the clone, and set its role unless a setting does.

    A setting that cannot be copied is logged and skipped: only a superuser can set it, or it names
    a missing tablespace or role, which a login ignores.
    """
    there = {(row[0], row[1]): row[2] for row in connection.run(_SETTINGS, role=clone)}
    wanted, left = {(None, "role"): original}, {}
    for database, name, value, is_gone in connection.run(_SETTINGS, role=original):
        if is_gone:
            left[name] = (
                f"the role {printable(value)} does not exist; reset it, or create the role"
            )
        else:
            wanted[database, name] = value
    for database, name in {**there, **wanted}:
        value = wanted.get((database, name))
        if value == there.get((database, name)):
            continue
        alter = f"ALTER ROLE {identifier(clone)}"
        alter += f" IN DATABASE {identifier(database)}" if database else ""
        if reason := _set_or_leave(connection, alter, name, value):
            left[name] = reason
    if left:
        warning = {"message": "settings were not copied", "role": clone, "settings": left}
        print(json.dumps({"level": "WARNING", **warning}))  # noqa: T201 (Lambda's log)


def _set_or_leave(connection: Connection, alter: str, name: str, value: str | None) -> str:
    """Change a setting; return why it cannot be changed, or nothing."""
    connection.run("SAVEPOINT setting")
    try:
        _set(connection, alter, name, value)
    except DatabaseError as error:
        if sqlstate(error) in _CONCURRENT:
            raise
        connection.run("ROLLBACK TO SAVEPOINT setting")
        return printable(error.args[0].get("M", ""))
    return ""


def _set(connection: Connection, alter: str, name: str, value: str | None) -> None:
    setting = ".".join(map(identifier, name.split(".")))
    if value is None:
        connection.run(f"{alter} RESET {setting}")
    elif name in _LISTS:  # the server splits the list
        connection.run("SELECT pg_catalog.set_config(:name, :to, true)", name=name, to=value)
        connection.run(f"{alter} SET {setting} FROM CURRENT")
        connection.run("SET LOCAL search_path TO pg_catalog")
    else:
        connection.run(f"{alter} SET {setting} TO {literal(value)}")


def _password(value: Value) -> str:
    return f"PASSWORD {literal(scram_verifier(value['password']))}"


def _at_server(value: Value) -> Value:
    """Return the value with the server to rotate at, which the deployer may have set.

    The secret of an application behind a pooler has the pooler's host.
    """
    host = os.environ.get("ROTATION_HOST")
    return {**value, "host": host, "port": os.environ.get("ROTATION_PORT")} if host else value


def _server(value: Value) -> postgres_fields.Server | None:
    return postgres_fields.server(_at_server(value))


def _logins(values: Iterable[Value], pending: Value) -> Iterator[Value]:
    """Yield the logins for the pending value's server; passwords of other servers are skipped."""
    for value in values:
        login = {field: value.get(field) for field in ("username", "password")}
        if _server(value) == _server(pending) and all(isinstance(t, str) for t in login.values()):
            yield {**pending, **login}


def _with_accepted(credentials: Iterable[Value], change: Callable[[Value], None]) -> None:
    """Make the change with the first accepted credentials; `Refused` if none are."""
    refusal = Refused("there is no password to try")
    for each in credentials:
        try:
            _repeated(change, each)
        except Refused as error:
            refusal = error
        else:
            return
    raise refusal


def _repeated(change: Callable[[Value], None], credentials: Value) -> None:
    for attempt in range(1, _ATTEMPTS):
        try:
            change(credentials)
        except _Concurrent:
            time.sleep(attempt * _PAUSE_SECONDS)
        else:
            return
    change(credentials)
