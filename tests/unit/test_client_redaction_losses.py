"""What redaction lets through, loses or breaks."""

import base64
import json
import logging
from typing import Any
from urllib.parse import quote

import pytest

from secret_client import SecretClient
from secret_client.redaction import RedactValues
from tests import scripted
from tests.scripted import Aws, Server

SECRET = 'pa"ss\\w0rd/+='
KEY = "-----BEGIN KEY-----\nMIIBszCCAVmgAwIBAgI\nMIIBszCCAVmgAwIBAgJ\n-----END KEY-----\n"


def knowing(extension: Server, *values: object) -> tuple[SecretClient, RedactValues]:
    client = SecretClient()
    extension.script(*(scripted.secret(json.dumps(value)) for value in values))
    for number in range(len(values)):
        client.get_secret(f"secret-{number}")
    return client, RedactValues(client)


def redacted(redact: RedactValues, **fields: Any) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "app", "msg": "here", **fields})
    assert redact.filter(record)
    return record


def test_the_clients_own_json_is_redacted(extension: Server) -> None:
    client, redact = knowing(extension, {"password": SECRET})
    record = redacted(redact, request=client.get_secret("secret-0").json)
    assert vars(record)["request"]["password"] != SECRET


@pytest.mark.parametrize("kind", [set, frozenset, str.encode, ValueError])
def test_other_types_are_redacted(extension: Server, kind: Any) -> None:
    value = kind([SECRET]) if kind in (set, frozenset) else kind(SECRET)
    _, redact = knowing(extension, {"password": SECRET})
    assert repr(SECRET)[1:-1] not in str(vars(redacted(redact, request=value)))


@pytest.mark.parametrize(
    "shown",
    [
        quote(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"app:{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
        json.dumps(json.dumps({"p": SECRET})),
        SECRET.replace('"', "&quot;"),
        KEY.strip(),
        KEY.replace("\n", "\r\n"),
        "MIIBszCCAVmgAwIBAgI",
        "first-value",
    ],
)
def test_other_forms_are_redacted(extension: Server, shown: str) -> None:
    client, redact = knowing(extension, {"password": SECRET, "key": KEY})
    extension.script(scripted.secret('{"p": "first-value", "p": "second-value"}'))
    client.get_secret("doubled")
    middle = shown[len(shown) // 2 - 3 :][:7]
    assert middle not in redacted(redact, msg=f"it is {shown}.").getMessage()


def test_an_answer_is_redacted_before_the_client_knows_it(
    aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    client = SecretClient(make_client=aws.client)
    caplog.handler.addFilter(redact := RedactValues(client))
    with caplog.at_level(logging.DEBUG):
        client.get_secret("app/db", refresh=True)
    caplog.handler.removeFilter(redact)
    assert "Response body" in caplog.text
    assert scripted.CANARY not in caplog.text


class Unshowable:
    def __repr__(self) -> str:
        raise LookupError


@pytest.mark.parametrize("cyclic", [True, False])
def test_it_never_raises(extension: Server, *, cyclic: bool) -> None:
    _, redact = knowing(extension, {"password": SECRET})
    cycle: dict[str, Any] = {}
    cycle["itself"] = cycle
    if cyclic:
        redacted(redact, request=cycle)
    else:
        redacted(redact, msg="%s", args=(Unshowable(),))


def test_the_numbers_of_a_record_stay(extension: Server) -> None:
    _, redact = knowing(extension, {"customer_number": 179569})
    record = redacted(redact, created=1795691234.5)
    assert logging.Formatter("%(asctime)s").format(record)


def test_plain_fields_stay_readable(extension: Server) -> None:
    _, redact = knowing(extension, {"engine": "postgres", "password": SECRET})
    assert redacted(redact, msg="postgresql").msg == "postgresql"


def test_an_exception_keeps_type_and_traceback(extension: Server) -> None:
    _, redact = knowing(extension, {"password": SECRET})
    error = ValueError(SECRET)
    record = redacted(redact, exc_info=(ValueError, error, None))
    assert record.exc_info
    assert type(record.exc_info[1]).__name__ == "ValueError"
    assert SECRET not in str(record.exc_info[1])
