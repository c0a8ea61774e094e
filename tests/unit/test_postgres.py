"""Verifiers, errors and RDS's certificates. What a server makes of them is in tests/local."""

import contextlib
import hashlib
import hmac
import re
import socket
import ssl
import threading
import time
import traceback
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from asn1crypto import pem, x509
from pg8000.native import DatabaseError, InterfaceError

import postgres
from postgres import ConnectionFailed, connect, is_auth_error, scram_verifier
from tests import scripted

BUNDLE = Path(postgres.__file__).with_name("rds-ca-bundle.pem")
VALUE = {
    "host": "127.0.0.1",
    "dbname": "db-of-the-secret",
    "username": "user-of-the-secret",
    "password": "password-of-the-secret",
}
YEAR_SECONDS = 365 * 86_400


@contextlib.contextmanager
def listener(*, ipv6: bool = False) -> Iterator[socket.socket]:
    host, family = ("::1", socket.AF_INET6) if ipv6 else (VALUE["host"], socket.AF_INET)
    with socket.create_server((host, 0), family=family) as server:
        yield server


@contextlib.contextmanager
def a_server(answer: Callable[[socket.socket], None], *, ipv6: bool = False) -> Iterator[int]:
    """Answer one connection, then close it."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            answer(connection)

    with listener(ipv6=ipv6) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def a_server_that_answers(answer: bytes) -> contextlib.AbstractContextManager[int]:
    def serve(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(answer)
        if answer.startswith(b"S"):
            connection.recv(65_536)  # the client's first message of TLS

    return a_server(serve)


def parts(verifier: str) -> tuple[int, bytes, bytes, bytes]:
    match = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([^$:]+)\$([^$:]+):([^$:]+)", verifier)
    assert match
    iterations, *rest = match.groups()
    salt, stored_key, server_key = map(b64decode, rest)
    return int(iterations), salt, stored_key, server_key


def test_a_verifier_proves_the_exchange_of_the_rfc() -> None:
    # https://www.rfc-editor.org/rfc/rfc7677#section-3
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    message = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}".encode()
    proof = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    verifier = scram_verifier("pencil", b64decode(salt))
    iterations, same_salt, stored_key, server_key = parts(verifier)

    signature = hmac.digest(server_key, message, "sha256")
    assert b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    mask = hmac.digest(stored_key, message, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, mask, strict=True))
    assert hashlib.sha256(client_key).digest() == stored_key
    assert (iterations, same_salt) == (4096, b64decode(salt))


def test_two_verifiers_of_one_password_share_nothing() -> None:
    first, second = parts(scram_verifier("pencil")), parts(scram_verifier("pencil"))

    assert all(one != other for one, other in zip(first[1:], second[1:], strict=True))
    assert len(first[1]) >= 16


def test_a_verifier_is_of_the_normalised_password() -> None:
    salt = bytes(16)

    # SASLprep: a soft hyphen is nothing, the ligature is two letters.
    assert scram_verifier("\N{SOFT HYPHEN}e\N{LATIN SMALL LIGATURE FI}x", salt) == scram_verifier(
        "efix", salt
    )


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("bell-\a-tab-\t-pass", "bell-\a-tab-\t-pass"),
        (
            "private-\ue000-e\N{LATIN SMALL LIGATURE FI}x",
            "private-\ue000-e\N{LATIN SMALL LIGATURE FI}x",
        ),
        ("pa\u0308ss\U0001f600wo\u0308rd", "pa\u0308ss\U0001f600wo\u0308rd"),
        ("\ufb01 unassigned in Unicode 3.2: \u0221", "\ufb01 unassigned in Unicode 3.2: \u0221"),
        ("\ufb01 latin-\u05d0", "\ufb01 latin-\u05d0"),
        ("\u05d0\u00b2\u05d1", "\u05d02\u05d1"),
        ("\u05d0\u00b2", "\u05d0\u00b2"),
        ("\u05d0\ufb01\u05d1", "\u05d0\ufb01\u05d1"),
        ("ss\N{ZERO WIDTH SPACE}x", "ss x"),
        ("ss\N{NO-BREAK SPACE}x", "ss x"),
        ("ss\N{WORD JOINER}x", "ssx"),
        ("\N{SOFT HYPHEN}", "\N{SOFT HYPHEN}"),
        ("pa\u0308ss", "p\u00e4ss"),
    ],
)
def test_a_password_is_prepared_as_by_postgresql(password: str, prepared: str) -> None:
    """A server shows the same in tests/local/test_postgres_server.py."""
    salt = bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", prepared.encode(), salt, 4096)
    key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    assert parts(scram_verifier(password, salt))[2] == key


@pytest.mark.parametrize("sqlstate", ["28P01", "28000"])
def test_a_refused_user_or_password_is_an_auth_error(sqlstate: str) -> None:
    assert is_auth_error(DatabaseError({"C": sqlstate, "M": "..."}))
    assert is_auth_error(ConnectionFailed("refused", sqlstate))


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError({"C": "53300", "M": "too many connections"}),
        InterfaceError("network error"),
        ConnectionFailed("the server does not answer"),
        ConnectionFailed("refused", "3D000"),
        TimeoutError(),
    ],
)
def test_no_other_error_is_an_auth_error(error: Exception) -> None:
    assert not is_auth_error(error)


def test_a_refusal_counts_when_the_goodbye_after_it_fails() -> None:
    error = InterfaceError("network error")
    error.__context__ = DatabaseError({"C": "28P01"})

    assert is_auth_error(error)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"host": None, "password": None}, "the secret lacks host, password"),
        (
            {"port": "port-of-the-secret"},
            "the secret's port must be a number from 1 to 65535",
        ),
        ({"host": "host of-the-secret"}, "the secret's host has a space .* in it; remove it"),
        ({"host": "", "username": ""}, "the secret lacks host, username"),
        ({"username": 55501}, "the secret's username is not text; put it in quotes"),
        ({"password": 55501}, "the secret's password is not text; put it in quotes"),
        ({"dbname": 55501}, "the secret's dbname is not text; put it in quotes"),
        (
            {"dbname": "db\0user\0of-the-secret"},
            "the secret's dbname has a NUL in it; remove it",
        ),
        ({"username": "\0of-the-secret"}, "the secret's username has a NUL in it; remove it"),
        (
            {"port": 55501.5, "dbname": 55501},
            "the secret's port must be .*; the secret's dbname is not text; put it in quotes",
        ),
    ],
)
def test_a_value_that_leads_nowhere_is_told_without_it(
    changes: dict[str, Any], message: str
) -> None:
    value = {field: text for field, text in (VALUE | changes).items() if text is not None}

    with pytest.raises(ConnectionFailed, match=f"^{message}$") as raised:
        connect(value, ca_bundle=BUNDLE, timeout_seconds=5)

    trace = "".join(traceback.format_exception(raised.value))
    assert "of-the-secret" not in trace
    assert "55501" not in trace
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert not raised.value.lost


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("28P01", "the password is wrong"),
        ("28000", "the user may not log in"),
        ("3D000", "no database"),
        ("42501", "may not connect"),
        ("53300", "too many connections"),
        ("57P03", "starting, stopping"),
    ],
)
def test_what_the_server_refuses_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, sqlstate: str, words: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DatabaseError({"C": sqlstate, "M": "of-the-secret"})

    monkeypatch.setattr(postgres, "_encrypted", lambda connection, *_: connection)
    monkeypatch.setattr(postgres, "_ScramConnection", refuse)
    with (
        listener() as server,
        pytest.raises(ConnectionFailed, match=f"{words}.* \\(SQLSTATE {sqlstate}\\)$") as raised,
    ):
        connect(VALUE | {"port": server.getsockname()[1]}, ca_bundle=BUNDLE)

    assert "of-the-secret" not in str(raised.value)
    assert (raised.value.sqlstate, raised.value.lost) == (sqlstate, False)


def test_a_port_where_nobody_listens_is_told() -> None:
    with (
        scripted.bound_port() as bound,
        pytest.raises(
            ConnectionFailed, match=r"does not answer \(ConnectionRefusedError\)"
        ) as raised,
    ):
        connect(VALUE | {"port": bound.getsockname()[1]}, ca_bundle=BUNDLE, timeout_seconds=5)

    assert raised.value.lost


def test_a_server_that_is_silent_is_left_after_the_timeout() -> None:
    with (
        listener() as server,
        pytest.raises(ConnectionFailed, match=r"does not answer \(TimeoutError\)") as raised,
    ):
        connect(VALUE | {"port": server.getsockname()[1]}, ca_bundle=BUNDLE, timeout_seconds=0.1)

    assert raised.value.lost


@pytest.mark.parametrize(
    ("answer", "message", "lost"),
    [
        (b"N", "the connection broke off: the server does not accept TLS", False),
        (b"E", "the connection broke off: the server does not accept TLS", False),
        (b"", r"the server does not answer \(ConnectionResetError\)", True),
        (b"S", r"the server does not answer \((SSLEOFError|ConnectionResetError)\)", True),
        (b"Snever TLS", r"the server does not answer \(SSLError\)", False),
    ],
)
def test_nothing_is_sent_to_a_server_without_tls(
    answer: bytes, message: str, *, lost: bool
) -> None:
    with (
        a_server_that_answers(answer) as port,
        pytest.raises(ConnectionFailed, match=f"^{message}(; check host|$)") as raised,
    ):
        connect(VALUE | {"port": port}, ca_bundle=BUNDLE, timeout_seconds=5)

    assert raised.value.lost is lost


@pytest.mark.parametrize(
    ("host", "certified"),
    [
        (VALUE["host"], VALUE["host"]),
        ("localhost.", "localhost"),
        ("LocalHost", "localhost"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("0:0::1", "::1"),
    ],
)
def test_a_server_that_leaves_during_the_login_is_lost(
    tmp_path: Path, host: str, certified: str
) -> None:
    """Its certificate was accepted before, for its host however that is written."""
    authority, bundle = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(certified).configure_cert(tls)

    def leave(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"S")
        with tls.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(65_536)  # who logs in

    with (
        a_server(leave, ipv6=":" in host) as port,
        pytest.raises(ConnectionFailed, match=r"^the connection broke off: network err") as raised,
    ):
        connect(VALUE | {"host": host, "port": port}, ca_bundle=bundle)

    assert raised.value.lost


@pytest.mark.parametrize(("code", "lost"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)])
def test_a_host_of_no_address_is_wrong_and_one_that_nobody_looked_up_is_lost(
    monkeypatch: pytest.MonkeyPatch, code: int, *, lost: bool
) -> None:
    def fail(*_: object) -> None:
        raise socket.gaierror(code, "...")

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(ConnectionFailed, match="does not answer") as raised:
        connect(VALUE, ca_bundle=BUNDLE)

    assert raised.value.lost is lost


def test_the_bundle_is_the_one_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CA_BUNDLE", "missing.pem")

    with pytest.raises(FileNotFoundError):
        connect(VALUE)


def test_the_bundle_holds_roots_that_are_valid_for_years() -> None:
    context = ssl.create_default_context(cafile=BUNDLE)
    certificates: list[dict[str, Any]] = context.get_ca_certs()

    assert context.cert_store_stats()["x509_ca"] == len(certificates)
    of_rds = [each for each in certificates if "Amazon RDS" in str(each["subject"])]
    assert len(of_rds) == 27 * 3
    assert len(certificates) == len(of_rds) + len(AMAZON_TRUST_SERVICES)
    assert BUNDLE.read_text().count("BEGIN CERTIFICATE") == len(certificates)
    for certificate in certificates:
        assert certificate["subject"] == certificate["issuer"]
        left = ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()
        assert left > YEAR_SECONDS, certificate["subject"]


# "SHA-256 Hash of Subject Public Key Information", https://www.amazontrust.com/repository/
AMAZON_TRUST_SERVICES = {
    "Amazon Root CA 1": "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
    "Amazon Root CA 2": "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
    "Amazon Root CA 3": "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
    "Amazon Root CA 4": "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
    "Starfield Services Root Certificate Authority - G2": (
        "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92"
    ),
}


def test_the_roots_of_amazon_trust_services_have_the_keys_that_it_publishes() -> None:
    found = {}
    for _, _, der in pem.unarmor(BUNDLE.read_bytes(), multiple=True):
        certificate = x509.Certificate.load(der)
        name, key = certificate.subject.native["common_name"], certificate.public_key
        if not name.startswith("Amazon RDS "):
            found[name] = hashlib.sha256(key.dump()).hexdigest()
    assert found == AMAZON_TRUST_SERVICES


def test_the_bundle_says_where_it_comes_from() -> None:
    text = BUNDLE.read_text()
    assert "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem" in text[:300]
    for name, key in AMAZON_TRUST_SERVICES.items():
        assert f"# {name}; SHA-256 of its public key {key}\n" in text
