"""What the database knows of a secret's two users, and of which of them a rotation keeps off."""

from collections.abc import Mapping
from typing import NamedTuple

from pg8000.native import Connection

from rotation_engine import RotationError, Value

Users = frozenset[str]

# https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
_NAME_BYTES = 63
_CLONE = "_clone"

# What reads only; `pg_database_owner` is nobody's but the owner's of a database.
# https://www.postgresql.org/docs/current/predefined-roles.html
_HARMLESS = """'pg_database_owner', 'pg_monitor', 'pg_read_all_data', 'pg_read_all_settings',
    'pg_read_all_stats', 'pg_stat_scan_tables'"""
_ROLES = f"""SELECT rolname::text,
    ARRAY(SELECT DISTINCT each.rolname::text FROM pg_catalog.pg_auth_members AS grants
        JOIN pg_catalog.pg_roles AS each ON each.oid = roleid WHERE grants.member = role.oid),
    ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles AS each
        WHERE pg_has_role(role.oid, each.oid, 'MEMBER')
        AND (rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls
            OR rolname IN ('rds_superuser', 'rds_replication')
            OR rolname ~ '^pg_' AND rolname NOT IN ({_HARMLESS}))),
    EXISTS (SELECT FROM pg_catalog.pg_shdepend
        WHERE refclassid = 'pg_catalog.pg_authid'::regclass AND refobjid = role.oid)
    FROM pg_catalog.pg_roles AS role WHERE rolname::text IN (:user, :other)
    ORDER BY rolname"""  # noqa: S608 (constants)


class Role(NamedTuple):
    """What the server knows of a role."""

    member_of: list[str]
    """The roles that were granted to it."""
    powers: list[str]
    """The roles, itself included, that it may act as and that may do an administrator's work."""
    holds: bool
    """Whether it owns something, or was granted a privilege, in any database."""


Roles = Mapping[str, Role]


def read_roles(connection: Connection, pending: Value) -> Roles:
    """Return those of the two users that exist, by name."""
    user, other = pending["username"], pending["alternateUsername"]
    return {name: Role(*row) for name, *row in connection.run(_ROLES, user=user, other=other)}


def is_member(roles: Roles, user: str, of: str) -> bool:
    """Return whether the one role was granted to the other itself."""
    return user in roles and of in roles[user].member_of


def clone_of(user: str) -> str:
    """Return the name of a user's clone."""
    return user.encode()[: _NAME_BYTES - len(_CLONE)].decode(errors="ignore") + _CLONE


def require_rights_of_an_application(roles: Roles) -> None:
    """Refuse users that may do an administrator's work."""
    for name, role in roles.items():
        if role.powers:
            by = "itself" if name in role.powers else ", ".join(role.powers)
            raise RotationError(
                f"{name} has an administrator's rights (by {by}): SUPERUSER, CREATEROLE,"
                " REPLICATION, BYPASSRLS, a role of RDS with these, or a pg_ role that does more"
                " than read; the admin changes no such user; revoke them, or use singleUser"
            )


def require_new_clone(roles: Roles, pending: Value, proven: Users) -> None:
    """Refuse to make a role under a name that the secret chose, or a clone of a clone."""
    user, other = pending["username"], pending["alternateUsername"]
    if user != clone_of(other) or other not in proven & roles.keys():
        raise RotationError(
            f"{user} does not exist, and only the clone of a user is created,"
            f" {clone_of(other)} for {other}; put a value of {other} without alternateUsername"
        )
    for original in roles[other].member_of:
        if other == clone_of(original):
            raise RotationError(
                f"{other} is a clone itself, of {original}; put alternateUsername {original}"
            )


def require_own_pair(roles: Roles, pending: Value, proven: Users) -> None:
    """Refuse two users that are not an original and its clone, both of this secret.

    A value has logged in as one of them. The other one belongs to the secret as well where a value
    has logged in as it, or the names are those of an original and its clone; but a role that only
    bears the name of a clone must be one, with nothing of its own.
    """
    user, other = pending["username"], pending["alternateUsername"]
    if is_member(roles, user, other):
        clone, original = user, other
    elif is_member(roles, other, user):
        clone, original = other, user
    else:
        raise RotationError(
            f"{user} exists and is no member of {other}; grant it that role if it is the clone, or"
            " put another alternateUsername"
        )
    if {clone, original} <= proven:
        return
    if clone != clone_of(original):
        (missing,) = {clone, original} - proven
        raise RotationError(
            f"neither AWSCURRENT nor AWSPREVIOUS logs in as {missing}; without a login as each of"
            f" the two, {original} alternates with {clone_of(original)} only; put a value of each"
        )
    if clone not in proven and (roles[clone].member_of != [original] or roles[clone].holds):
        raise RotationError(
            f"{clone} is more than the clone of {original}: it is a member of other roles, owns"
            f" something or was granted something itself; REASSIGN OWNED BY it TO {original} and"
            " DROP OWNED BY it in each database, and revoke the other roles, or give it another"
            " name"
        )
