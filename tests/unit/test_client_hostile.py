"""The retrieval client and a peer on the extension's port that does not behave."""

import gzip
import itertools
import json
import time
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest

from secret_client import SecretClient, Unavailable
from tests import scripted
from tests.scripted import CANARY, Answer, Aws, Server
from tests.unit.client_support import HALF_SECONDS

BODY = scripted.secret_body("s", SecretString=CANARY)
GOOD = scripted.whole(200, BODY)


def raw(answer: bytes) -> Answer:
    return lambda _, connection: connection.sendall(answer)


def headed(*lines: str, body: bytes = BODY) -> Answer:
    return raw("\r\n".join([*lines, "", ""]).encode() + body)


def with_length(length: object) -> Answer:
    return headed("HTTP/1.1 200 OK", f"Content-Length: {length}")


def kept_open(request: scripted.Request, connection: Any) -> None:
    connection.sendall(GOOD)
    scripted.hang(request, connection)


BY_THE_EXTENSION: dict[str, Answer] = {
    "HTTP/1.0": headed("HTTP/1.0 200 OK"),
    "without a reason": headed("HTTP/1.1 200 "),
    "without a length": headed("HTTP/1.1 200 OK", "Connection: close"),
    "length in lower case": headed("HTTP/1.1 200 OK", f"content-length:{len(BODY)}"),
    "the same length twice": headed(
        "HTTP/1.1 200 OK", f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY)}"
    ),
    "not closed": kept_open,
    "chunks and a length": headed("HTTP/1.1 200 OK", f"Content-Length: {len(BODY)}", "X: chunked"),
}
BY_THE_SDK: dict[str, Answer] = {
    "nothing": raw(b""),
    "HTTP/0.9": raw(BODY),
    "HTTP/2": headed("HTTP/2 200 OK"),
    "lines that end in LF": raw(GOOD.replace(b"\r\n", b"\n")),
    "Continue first": raw(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD),
    "Early Hints first": raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + GOOD),
    "a redirect": headed("HTTP/1.1 302 Found", "Location: http://127.0.0.1/"),
    "no content": headed("HTTP/1.1 204 No Content", body=b""),
    "too small a length": with_length(len(BODY) - 1),
    "too large a length": with_length(len(BODY) + 1),
    "a negative length": with_length(-5),
    "a length of 5,000 digits": with_length("1" * 5000),
    "a length in hexadecimal digits": with_length(hex(len(BODY))),
    "another length first": headed(
        "HTTP/1.1 200 OK", "Content-Length: 5", f"Content-Length: {len(BODY)}"
    ),
    "a chunk larger than all that follows": headed(
        "HTTP/1.1 200 OK", "X: chunked", body=b"FFFFFFFFFFFF\r\n" + BODY
    ),
    "gzip": headed("HTTP/1.1 200 OK", "Content-Encoding: gzip", body=gzip.compress(BODY)),
    "UTF-16": headed("HTTP/1.1 200 OK", body=BODY.decode().encode("utf-16")),
    "not UTF-8": headed("HTTP/1.1 200 OK", body=BODY.replace(b"canary", b"\xff")),
    "a list": headed("HTTP/1.1 200 OK", body=b"[1]"),
    "null": headed("HTTP/1.1 200 OK", body=b"null"),
    "text": headed("HTTP/1.1 200 OK", body=b'"s"'),
    "100,000 levels": headed("HTTP/1.1 200 OK", body=b"[" * 100_000),
    "no name": headed("HTTP/1.1 200 OK", body=BODY.replace(b'"Name"', b'"Other"')),
    "a number as the value": headed(
        "HTTP/1.1 200 OK", body=scripted.secret_body("s", SecretString=5)
    ),
    "a list as the value": headed(
        "HTTP/1.1 200 OK", body=scripted.secret_body("s", SecretString=[CANARY])
    ),
    "stages that are a number": headed(
        "HTTP/1.1 200 OK", body=scripted.secret_body("s", SecretString="x", VersionStages=5)
    ),
    "base64 that is cut off": headed(
        "HTTP/1.1 200 OK", body=scripted.secret_body("s", SecretBinary="abcde")
    ),
}


@pytest.mark.parametrize("answer", BY_THE_EXTENSION)
def test_an_answer_that_is_whole_is_read(extension: Server, answer: str) -> None:
    extension.script(BY_THE_EXTENSION[answer])
    value = SecretClient(make_client=lambda *_: None).get_secret("s")
    assert (value.text, value.source) == (CANARY, "extension")


@pytest.mark.parametrize("answer", BY_THE_SDK)
def test_an_answer_that_is_not_is_left_to_the_sdk_at_once(
    extension: Server, aws: Aws, answer: str
) -> None:
    extension.script(BY_THE_SDK[answer])
    start = time.monotonic()
    value = SecretClient(make_client=aws.client).get_secret("s")
    assert (value.text, value.source) == (CANARY, "sdk")
    assert time.monotonic() - start < HALF_SECONDS
    assert len(extension.requests) == 1


def endless(start: bytes, parts: Iterable[bytes]) -> Answer:
    def answer(_: scripted.Request, connection: Any) -> None:
        connection.sendall(start)
        for part in parts:
            connection.sendall(part)

    return answer


ENDLESS: dict[str, Answer] = {
    "body": endless(b"HTTP/1.1 200 OK\r\n\r\n", itertools.repeat(b"x" * 65_536)),
    "headers": endless(b"HTTP/1.1 200 OK\r\n", itertools.repeat(b"X: y\r\n" * 10_000)),
    "first line": endless(b"HTTP/1.1 200 ", itertools.repeat(b"x" * 65_536)),
    "chunks": endless(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        itertools.repeat(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"),
    ),
    "20 MB": endless(b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n", [b"x" * 20_000_000]),
}


@pytest.mark.parametrize("answer", ENDLESS)
def test_an_answer_without_an_end_takes_neither_time_nor_memory(
    extension: Server, aws: Aws, answer: str
) -> None:
    aws.client("secretsmanager", None)
    extension.script(ENDLESS[answer])
    client = SecretClient(make_client=aws.client)
    start = time.monotonic()
    tracemalloc.start()
    try:
        assert client.get_secret("s").source == "sdk"
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < HALF_SECONDS


@pytest.mark.parametrize(
    "pause", [scripted.hang, scripted.drip(BODY), endless(b"HTTP/1.1 200 OK\r\n\r\n", [])],
    ids=["hang", "drip", "no body"],
)  # fmt: skip
def test_an_answer_that_does_not_come_ends_at_the_deadline(
    extension: Server, aws: Aws, pause: Answer
) -> None:
    extension.script(pause)
    aws.script(scripted.hang)
    start = time.monotonic()
    with pytest.raises(Unavailable):
        SecretClient(make_client=aws.client, timeout_seconds=0.3).get_secret("s")
    assert time.monotonic() - start < HALF_SECONDS


def test_a_parameter_without_its_fields_is_left_to_the_sdk(extension: Server, aws: Aws) -> None:
    aws.script(scripted.aws_parameter())
    for found in ({}, {"Parameter": None}, {"Parameter": {"Value": 5, "Version": 1}}):
        extension.script(scripted.http(200, json.dumps(found).encode()))
        assert SecretClient(make_client=aws.client).get_parameter("/p").source == "sdk"
