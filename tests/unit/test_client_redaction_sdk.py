"""At DEBUG, botocore logs an answer before the client has read the value in it."""

import logging
from collections.abc import Iterator

import pytest

from secret_client import SecretClient
from secret_client.redaction import RedactValues
from tests import scripted
from tests.scripted import CANARY, Answer, Aws
from tests.unit.redaction_support import TEXT

LOGGERS = ("botocore", "boto3", "urllib3")


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(TEXT)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {self.format(record)}")


@pytest.fixture
def debug() -> Iterator[Lines]:
    """A handler that gets all that the SDK logs."""
    handler = Lines()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)
        handler.close()


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        scripted.aws_secret(f'{{"password": "{CANARY}"}}'),
        scripted.aws_secret(f'it\'s "{CANARY}"'),
        scripted.aws_secret(None, SecretBinary=scripted.encoded(CANARY.encode())),
    ],
    ids=["JSON", "quotes", "binary"],
)
def test_a_secret_is_redacted_before_the_client_knows_it(
    aws: Aws, debug: Lines, answer: Answer, *, filtered: bool
) -> None:
    client = SecretClient(make_client=aws.client)
    if filtered:
        debug.addFilter(RedactValues(client))
    aws.script(answer)
    value = client.get_secret("app/db", refresh=True)
    log = "\n".join(debug.lines)
    in_clear = CANARY in log or scripted.encoded(CANARY.encode()) in log
    assert in_clear is not filtered
    assert CANARY in value.binary.decode()
    assert ("botocore.parsers DEBUG Response body:\n'[redacted]'" in log) is filtered
    assert "SecretId" in log  # requests stay readable
    assert "app/db" in log


@pytest.mark.parametrize("filtered", [False, True])
def test_a_parameter_is_redacted_before_the_client_knows_it(
    aws: Aws, debug: Lines, *, filtered: bool
) -> None:
    client = SecretClient(make_client=aws.client)
    if filtered:
        debug.addFilter(RedactValues(client))
    aws.script(scripted.aws_parameter())
    client.get_parameter("/app/level", refresh=True)
    assert (CANARY in "\n".join(debug.lines)) is not filtered


@pytest.mark.parametrize("filtered", [False, True])
def test_a_request_that_puts_a_value_is_redacted(
    aws: Aws, debug: Lines, *, filtered: bool
) -> None:
    if filtered:
        debug.addFilter(RedactValues(SecretClient()))
    aws.script(scripted.http(200, b"{}"))
    aws.client("secretsmanager", None).put_secret_value(SecretId="s", SecretString=CANARY)
    assert (CANARY in "\n".join(debug.lines)) is not filtered


def test_errors_of_the_sdk_stay_readable(aws: Aws, debug: Lines) -> None:
    client = SecretClient(make_client=aws.client)
    debug.addFilter(RedactValues(client))
    aws.script(scripted.aws_error("AccessDeniedException", "not authorized to read app/db"))
    with pytest.raises(Exception, match="not authorized"):
        client.get_secret("app/db", refresh=True)
    assert "not authorized to read app/db" in "\n".join(debug.lines)
    assert "[redacted]" not in "\n".join(debug.lines)


def test_the_words_of_others_are_no_answer() -> None:
    redact = RedactValues(SecretClient())
    text = 'no SecretString in "Parameters"'
    for name, kept in (("app.botocore", True), ("botocore.parsers", False), ("botocore", False)):
        record = logging.makeLogRecord({"name": name, "msg": text})
        assert redact.filter(record)
        assert (record.getMessage() == text) is kept
    record = logging.LogRecord("boto3", 10, "f", 1, "R %r", ({"SecretString": CANARY},), None)
    assert redact.filter(record)
    assert record.getMessage() == "R '[redacted]'"
