"""Which values are redacted: those that the client has read, but not their plain fields."""

import json
import logging
import threading
from collections.abc import Callable

import pytest

from secret_client import SecretClient, Value
from secret_client.redaction import RedactValues
from tests import scripted
from tests.scripted import Aws, Clock, Server
from tests.unit.client_support import threads, wait_until
from tests.unit.redaction_support import (
    AwsFormatter,
    knowing,
    logged,
)

SECRET = "s3cr3t-canary-7"


EXAMPLE = {
    "engine": "postgres", "host": "db.example.com", "port": 543210, "dbname": "production",
    "username": "appuser", "alternateUsername": "appuser_clone", "password": SECRET,
}  # fmt: skip
LINE = (
    "postgres at db.example.com:543210/production as appuser, then appuser_clone: s3cr3t-canary-7"
)


def test_plain_fields_stay_readable(extension: Server) -> None:
    def write(log: logging.Logger) -> None:
        log.info(LINE)
        log.info(json.dumps(EXAMPLE))

    redact = knowing(extension, json.dumps(EXAMPLE))
    control = logged(write, None)
    assert SECRET in control[0]
    assert SECRET in control[1]
    assert logged(write, redact) == [line.replace(SECRET, "[redacted]") for line in control]


def test_which_fields_are_plain_can_be_chosen(extension: Server) -> None:
    value = json.dumps({"host": "db.example.com", "a": [{"tenant": "tenant-1"}], "key": SECRET})
    redact = knowing(extension, value, plain_fields={"tenant"})
    assert redact.redact("db.example.com tenant-1") == "[redacted] tenant-1"
    usual = knowing(extension, value)
    assert usual.redact("db.example.com tenant-1") == "db.example.com [redacted]"


def test_what_is_nested_in_a_plain_field_is_redacted(extension: Server) -> None:
    redact = knowing(extension, json.dumps({"host": {"token": SECRET, "host": "db.example.com"}}))
    assert redact.redact(f"{SECRET} at db.example.com") == "[redacted] at db.example.com"


def test_one_name_instead_of_a_collection_is_refused() -> None:
    with pytest.raises(TypeError, match=r"plain_fields must be a collection of names, got 'host'"):
        RedactValues(SecretClient(), plain_fields="host")


def test_a_password_that_equals_a_plain_field_is_redacted(extension: Server) -> None:
    redact = knowing(extension, json.dumps({"username": "appuser", "password": "appuser"}))
    assert redact.redact("it is appuser") == "it is [redacted]"


@pytest.mark.parametrize(("value", "stays"), [("12345", True), ("123456", False)])
def test_values_shorter_than_six_characters_stay(
    extension: Server, value: str, *, stays: bool
) -> None:
    redact = knowing(extension, value)
    assert (redact.redact(f"it is {value}") == f"it is {value}") is stays


def test_of_values_within_each_other_nothing_is_left(extension: Server) -> None:
    values = ["secret" + "x" * more for more in range(12)]
    redact = knowing(extension, json.dumps({"s": values, "t": "xxyyyyyyyyzz", "u": "yyyyyy"}))
    for value in values:
        assert redact.redact(value) == "[redacted]"
    assert redact.redact("secretxxyyyyyyyyzz!") == "[redacted]!"
    assert redact.redact("secretx, secretxx") == "[redacted], [redacted]"


def test_a_value_that_was_rotated_away_is_redacted_still(extension: Server, clock: Clock) -> None:
    client = SecretClient()
    redact = RedactValues(client)
    extension.script(scripted.secret("old-value"), scripted.secret("new-value"))
    for _ in range(2):
        client.get_secret("s")
        clock.move(200)
        text = redact.redact("old-value new-value")
    assert text == "[redacted] [redacted]"


class Forgetful(SecretClient):
    """Keeps two values only."""

    def values_read(self) -> tuple[Value, ...]:
        return super().values_read()[-2:]


def test_what_the_client_still_keeps_is_redacted_after_it_drops_others(extension: Server) -> None:
    values = ["value-1", "value-2", "value-3"]
    extension.script(*map(scripted.secret, values))
    client = Forgetful()
    redact = RedactValues(client)
    for number in range(3):
        client.get_secret(str(number))
        text = redact.redact(" ".join(values))
    assert text == "value-1 [redacted] [redacted]"


class Lazy:
    """A setting that is read when it is first shown."""

    def __init__(self, read: Callable[[], Value]) -> None:
        self._read = read

    def __str__(self) -> str:
        return f"password={self._read().text}"


@pytest.mark.parametrize("place", ["message", "argument", "extra"])
def test_a_value_that_is_first_read_while_it_is_logged_is_redacted(
    extension: Server, place: str
) -> None:
    extension.script(scripted.secret(SECRET))

    def logged_by(client: SecretClient, redact: RedactValues | None) -> str:
        lazy = Lazy(lambda: client.get_secret("s"))

        def write(log: logging.Logger) -> None:
            if place == "message":
                log.info(lazy)
            elif place == "argument":
                log.info("with %s", lazy)
            else:
                log.info("here", extra={"with": lazy})

        return "\n".join(logged(write, redact, AwsFormatter()))

    assert SECRET in logged_by(SecretClient(), None)
    client = SecretClient()
    redacted = logged_by(client, RedactValues(client))
    assert SECRET not in redacted
    assert "password=[redacted]" in redacted


@pytest.mark.parametrize("cold", [True, False])
def test_a_value_is_redacted_although_a_newer_one_was_cached_meanwhile(
    extension: Server, aws: Aws, *, cold: bool
) -> None:
    client = SecretClient(make_client=aws.client, timeout_seconds=60)
    redact = RedactValues(client)
    if not cold:
        client.get_secret("other", refresh=True)
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret("old-value")))
    aws.script(scripted.aws_secret("new-value"))
    with threads(1, lambda: client.get_secret("s").text) as ran:
        wait_until(lambda: len(extension.requests) == 1)
        assert client.get_secret("s", refresh=True).text == "new-value"
        gate.set()
    assert ran.outcomes == ["old-value"]
    assert redact.redact("old-value new-value") == "[redacted] [redacted]"
