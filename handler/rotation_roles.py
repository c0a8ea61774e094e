"""Reads a secret's two users from the database, and rejects users that must not be changed."""

from collections.abc import Mapping
from typing import NamedTuple

from pg8000.native import Connection, identifier, literal

from postgres_fields import clone_of
from rotation_engine import RotationError, Value

Users = frozenset[str]

# Starts the line of a role's comment that says which secret it is rotated for.
_MARK = "rotated for arn:"
# The random characters that Secrets Manager adds to a name:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
_SUFFIX = len("-AbCdEf")

# The lowest minors that keep a role's `SET role`. Earlier ones lose it at DISCARD ALL, or ignore
# it: https://www.postgresql.org/docs/release/17.2/
_LOWEST_MINORS = {13: 18, 14: 15, 15: 10, 16: 6, 17: 2}

# Roles that can only read; `pg_database_owner` has only the owner of a database as its member.
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
    ARRAY(SELECT DISTINCT coalesce(datname, current_database())::text
        FROM pg_catalog.pg_shdepend LEFT JOIN pg_catalog.pg_database AS d ON d.oid = dbid
        WHERE refclassid = 'pg_catalog.pg_authid'::regclass AND refobjid = role.oid),
    EXISTS (SELECT FROM pg_catalog.pg_db_role_setting CROSS JOIN unnest(setconfig) AS each
        WHERE setrole = role.oid AND setdatabase = 0 AND split_part(each, '=', 1) = 'role'),
    coalesce(shobj_description(role.oid, 'pg_authid'), '')
    FROM pg_catalog.pg_roles AS role WHERE rolname::text IN (:user, :other)
    ORDER BY rolname"""  # noqa: S608 (constants)


class Role(NamedTuple):
    """A role, as the server describes it."""

    member_of: list[str]
    """The roles granted to it directly."""
    powers: list[str]
    """The roles with an administrator's rights that it can act as, including itself."""
    holds_in: list[str]
    """The databases where it owns something or has a direct privilege."""
    acts_as_another: bool
    """Whether its settings make it act as another role after every login."""
    comment: str
    """Its COMMENT ON ROLE, or empty."""

    @property
    def marks(self) -> list[str]:
        """The secrets that it is rotated for: at most one, unless a person added more."""
        return [line for line in self.comment.splitlines() if line.startswith(_MARK)]


Roles = Mapping[str, Role]


def read_roles(connection: Connection, pending: Value) -> Roles:
    """Return the existing ones of the two users, by name."""
    user, other = pending["username"], pending["alternateUsername"]
    return {name: Role(*row) for name, *row in connection.run(_ROLES, user=user, other=other)}


def is_member(roles: Roles, user: str, of: str) -> bool:
    """Return whether `user` is a direct member of `of`."""
    return user in roles and of in roles[user].member_of


def require_rights_of_an_application(roles: Roles) -> None:
    """Reject users with an administrator's rights."""
    for name, role in roles.items():
        if role.powers:
            source = "its own" if name in role.powers else f"by {', '.join(role.powers)}"
            raise RotationError(
                f"{name} has an administrator's rights ({source}): SUPERUSER, CREATEROLE,"
                " REPLICATION, BYPASSRLS, an RDS role with these, or a pg_ role that can do more"
                " than read; alternatingUsers changes no such user; revoke the rights, or use"
                " singleUser"
            )


def mark_of(arn: str) -> str:
    """Return the line of a clone's comment that says which secret it is rotated for.

    A secret that is recreated with the same name has the same line.
    """
    return f"rotated for {arn[:-_SUFFIX]}"


def mark_clone(connection: Connection, pending: Value, mark: str) -> None:
    """Add the mark to the comment; the altered role is locked, so nothing else writes it now."""
    roles, clone = read_roles(connection, pending), pending["username"]
    require_no_other_mark(roles, mark)
    role = roles[clone]
    if mark not in role.marks:
        comment = "\n".join(filter(None, (role.comment, mark)))
        connection.run(f"COMMENT ON ROLE {identifier(clone)} IS {literal(comment)}")


def require_no_other_mark(roles: Roles, mark: str) -> None:
    """Reject a role that is rotated for another secret."""
    for name, role in roles.items():
        if others := [each for each in role.marks if each != mark]:
            lines = [line for line in role.comment.splitlines() if line not in others]
            comment = literal("\n".join(lines)) if lines else "NULL"
            owners = ", ".join(each.removeprefix("rotated for ") for each in others)
            raise RotationError(
                f"{name} is rotated for another secret, {owners}; if that one is gone or has other"
                " users, release the role as an administrator of the database:"
                f" COMMENT ON ROLE {identifier(name)} IS {comment}"
            )


def require_kept_role(version: int) -> None:
    """Reject a server, by its `server_version_num`, that loses the role that a clone acts as."""
    major, minor = divmod(version, 10_000)
    if major < min(_LOWEST_MINORS) or minor < _LOWEST_MINORS.get(major, 0):
        lowest = ", ".join(f"{each}.{least}" for each, least in sorted(_LOWEST_MINORS.items()))
        raise RotationError(
            f"PostgreSQL {major}.{minor} does not keep the role that a clone acts as, so tables"
            f" would get the wrong owner; upgrade it to {lowest} or later, or use singleUser"
        )


def require_new_clone(roles: Roles, pending: Value, proven: Users) -> None:
    """Reject the creation of any role except the clone of a proven user; no clone of a clone."""
    user, other = pending["username"], pending["alternateUsername"]
    if user != clone_of(other) or other not in proven & roles.keys():
        raise RotationError(
            f"{user} does not exist, and rotation creates only clones, such as {clone_of(other)}"
            f" of {other}; put a value for {other} without alternateUsername"
        )
    for original in roles[other].member_of:
        if other == clone_of(original):
            raise RotationError(
                f"{other} is itself a clone, of {original}; put {original} as alternateUsername"
            )


def require_own_pair(roles: Roles, pending: Value, proven: Users, mark: str) -> None:
    """Reject two users that are not an original and its clone, both belonging to this secret.

    A value has logged in as one of them. The other one belongs to the secret too if a value has
    logged in as it, or if the names are those of an original and its clone. A role with the name
    of a clone but without the mark must not own anything.
    """
    user, other = pending["username"], pending["alternateUsername"]
    if is_member(roles, user, other):
        clone, original = user, other
    elif is_member(roles, other, user):
        clone, original = other, user
    else:
        raise RotationError(
            f"{user} exists but is not a member of {other}; grant it that role if it is the clone,"
            " or store a value with a different alternateUsername"
        )
    if clone != clone_of(original) and (missing := {clone, original} - proven):
        raise RotationError(
            f"neither AWSCURRENT nor AWSPREVIOUS logs in as {min(missing)}; without a login as"
            f" each of the two, {original} can alternate only with {clone_of(original)}; store a"
            " version of the secret for each user, or remove alternateUsername"
        )
    if mark not in roles[clone].marks:
        _require_nothing_of_its_own(clone, roles[clone], original, is_proven=clone in proven)


def _require_nothing_of_its_own(clone: str, role: Role, original: str, *, is_proven: bool) -> None:
    """Reject a role that would lose access to what it owns when it acts as the original.

    If no value logs in as it, reject it if it has anything that a clone does not have.
    """
    if is_proven and (role.acts_as_another or not role.holds_in):
        return
    others = [name for name in role.member_of if name != original]
    if not role.holds_in and not others:
        return
    steps = [f"REVOKE {', '.join(map(identifier, others))} FROM {identifier(clone)}"]
    steps = steps if others else []
    if role.holds_in:
        steps += [
            f"grant {identifier(original)} the privileges that {identifier(clone)} has",
            (
                f"in each of the databases {', '.join(role.holds_in)}:"
                f" REASSIGN OWNED BY {identifier(clone)} TO {identifier(original)};"
                f" DROP OWNED BY {identifier(clone)}"
            ),
        ]
    raise RotationError(
        f"{clone} cannot be used as the clone of {original}: it is a member of other roles, owns"
        " objects or has privileges of its own; either rename it, or, as an administrator,"
        f" {', '.join(f'({number}) {step}' for number, step in enumerate(steps, 1))}"
    )
