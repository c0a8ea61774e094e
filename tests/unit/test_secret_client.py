# ruff: noqa: E501 (a table reads by its rows)
"""The client against a scripted extension on a real socket."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import secret_client
from secret_client import (
    InvalidAnswer,
    NotReady,
    Refused,
    SecretClient,
    SecretError,
    Unauthorized,
    Unavailable,
)

CANARY = "s3cr3t-canary"
NOT_READY = b"not ready to serve traffic, please wait"
Answer = Callable[[socket.socket], None]


def http(status: int, body: bytes) -> Answer:
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


def secret(**fields: object) -> Answer:
    return http(200, json.dumps({"SecretString": None, "SecretBinary": None, **fields}).encode())


class Extension:
    """Answers the n-th request with the n-th answer, and every further one with the last."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[str] = []
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request and (part := connection.recv(65_536)):
                    request += part
                if not request:
                    return
                answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
                self.requests.append(request.decode())
                answer(connection)

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes `accept`
        self._listener.close()


@contextmanager
def extension(*answers: Answer) -> Iterator[Extension]:
    served = Extension(*answers)
    os.environ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"] = str(served.port)
    os.environ["AWS_SESSION_TOKEN"] = "the+token/="
    thread = threading.Thread(target=served.serve)
    thread.start()
    try:
        yield served
    finally:
        served.close()
        thread.join()
        del os.environ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"]
        os.environ.pop("AWS_SESSION_TOKEN", None)


def test_it_asks_as_the_extension_wants_to_be_asked() -> None:
    with extension(secret(SecretString="text")) as served:
        assert SecretClient().get_text("a/b") == "text"
    (request,) = served.requests
    lines = request.split("\r\n")
    assert lines[0] == "GET /secretsmanager/get?secretId=a%2Fb HTTP/1.0"
    assert "X-Aws-Parameters-Secrets-Token: the+token/=" in lines


@pytest.mark.parametrize(
    ("secret_id", "encoded"),
    [
        ("a/b+c=d@e.f-g_h", "a%2Fb%2Bc%3Dd%40e.f-g_h"),
        ("arn:aws:secretsmanager:x:1:secret:é", "arn%3Aaws%3Asecretsmanager%3Ax%3A1%3Asecret%3A%C3%A9"),
        ("a b&versionStage=X\r\nHost: evil", "a%20b%26versionStage%3DX%0D%0AHost%3A%20evil"),
    ],
)  # fmt: skip
def test_every_reserved_character_is_percent_encoded(secret_id: str, encoded: str) -> None:
    with extension(secret(SecretString="text")) as served:
        SecretClient().get_text(secret_id)
    assert served.requests[0].startswith(f"GET /secretsmanager/get?secretId={encoded} HTTP")


def test_version_and_stage_are_part_of_the_question() -> None:
    with extension(secret(SecretString="text")) as served:
        SecretClient().get_text("s", version_id="v/1", version_stage="AWSPREVIOUS")
    assert "?secretId=s&versionId=v%2F1&versionStage=AWSPREVIOUS " in served.requests[0]


def test_json_is_read_as_an_object() -> None:
    with extension(secret(SecretString='{"host": "h", "port": 1}')):
        assert SecretClient().get_json("s") == {"host": "h", "port": 1}


def test_a_value_of_64_kib_arrives_whole() -> None:
    value = "é" * 32_768
    with extension(secret(SecretString=value)):
        assert SecretClient().get_text("s") == value


def test_token_is_read_in_the_call_and_not_when_the_client_is_made() -> None:
    client = SecretClient()
    with extension(secret(SecretString="text")) as served:
        client.get_text("s")
        os.environ["AWS_SESSION_TOKEN"] = "another"
        client.get_text("s")
    assert "Token: another" in served.requests[1]


def test_without_a_token_nobody_is_asked() -> None:
    with extension(secret(SecretString="text")) as served:
        del os.environ["AWS_SESSION_TOKEN"]
        with pytest.raises(Unauthorized, match="AWS_SESSION_TOKEN is not set"):
            SecretClient().get_text("s")
    assert served.requests == []


def test_not_ready_is_asked_again_until_ready() -> None:
    with extension(*[http(400, NOT_READY)] * 5, secret(SecretString="text")) as served:
        assert SecretClient().get_text("s") == "text"
    assert len(served.requests) == 6


def test_not_ready_ends_with_the_deadline() -> None:
    with extension(http(400, NOT_READY)) as served, pytest.raises(NotReady, match="inside the"):
        SecretClient(timeout_seconds=0.1).get_text("s")
    assert len(served.requests) > 1


def test_not_ready_stays_not_ready_when_the_last_answer_comes_too_late() -> None:
    released = threading.Event()

    def hang(_: socket.socket) -> None:
        released.wait(10)

    client = SecretClient(timeout_seconds=0.2)
    with extension(http(400, NOT_READY), hang):
        with pytest.raises(NotReady):
            client.get_text("s")
        released.set()


FAILURES: dict[str, tuple[Answer, type[SecretError]]] = {
    "failed upstream": (http(400, b"an unexpected error occurred while executing"), Refused),
    "token refused": (http(401, b"bad session token or header key"), Unauthorized),
    "no such route": (http(404, b""), InvalidAnswer),
    "server error": (http(500, CANARY.encode()), InvalidAnswer),
    "no JSON": (http(200, b"{" + CANARY.encode()), InvalidAnswer),
    "no object": (http(200, f'["{CANARY}"]'.encode()), InvalidAnswer),
    "no UTF-8": (http(200, b"\xff" + CANARY.encode()), InvalidAnswer),
    "binary": (secret(SecretBinary="czNjcjN0"), InvalidAnswer),
    "closed": (lambda connection: connection.close(), Unavailable),
    "no HTTP": (lambda connection: connection.sendall(CANARY.encode()), Unavailable),
    "cut short": (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), Unavailable),
    "bad length": (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"), Unavailable),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "error"), FAILURES.values(), ids=FAILURES)
def test_each_cause_has_an_exception_that_names_the_secret_and_no_value(
    answer: Answer, error: type[SecretError]
) -> None:
    with extension(answer), pytest.raises(error, match="my/secret") as raised:
        SecretClient(timeout_seconds=2).get_text("my/secret")
    chain: BaseException | None = raised.value
    while chain is not None:
        assert CANARY not in f"{chain} {chain!r} {vars(chain)}"
        chain = chain.__cause__


@pytest.mark.parametrize("text", ["plain text", "[1]", '"text"', "{"])
def test_text_that_is_no_json_object_is_refused_without_showing_it(text: str) -> None:
    with extension(secret(SecretString=text)), pytest.raises(InvalidAnswer) as raised:
        SecretClient().get_json("s")
    assert str(raised.value) == "s: the secret's text is not a JSON object"


def test_nobody_on_the_port_is_unavailable() -> None:
    with extension(secret(SecretString="text")) as served:
        port = served.port
    os.environ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"] = str(port)
    os.environ["AWS_SESSION_TOKEN"] = "token"
    try:
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port}.*is its layer attached"):
            SecretClient().get_text("s")
    finally:
        del os.environ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"]
        del os.environ["AWS_SESSION_TOKEN"]


def test_an_extension_that_hangs_is_left_at_the_deadline() -> None:
    released = threading.Event()

    def hang(_: socket.socket) -> None:
        released.wait(10)

    with extension(hang):
        start = time.monotonic()
        with pytest.raises(Unavailable, match="TimeoutError"):
            SecretClient(timeout_seconds=0.2).get_text("s")
        released.set()
    assert time.monotonic() - start < 5


def test_an_extension_that_drips_is_left_at_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\n" * 100:
                connection.sendall(bytes([byte]))
                time.sleep(0.01)
        except OSError:
            return  # the client has left

    with extension(drip), pytest.raises(Unavailable, match="TimeoutError"):
        SecretClient(timeout_seconds=0.2).get_text("s")


def test_default_port_is_the_extensions_own() -> None:
    assert secret_client._port() == 2773  # noqa: SLF001 (2773 cannot be listened on safely here)
