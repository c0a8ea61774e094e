"""Values that the retrieval client has read are redacted in logs."""

import json
import logging
from collections.abc import Iterator

import pytest

from secret_client import SecretClient
from secret_client.redaction import RedactValues
from tests import scripted
from tests.scripted import Clock, Server


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))
        self.records.append(record)


PASSWORD = 'pa"ss\\wörd/+='


@pytest.fixture
def read_client(extension: Server) -> SecretClient:
    client = SecretClient()
    extension.script(
        scripted.secret(json.dumps({"password": PASSWORD, "a": [{"b": "inner-value"}], "n": "x"})),
        scripted.secret("plain-value-2"),
        scripted.secret(None, SecretBinary=scripted.encoded(b"binary\xff-value")),
        scripted.secret(json.dumps({"pin": 73519284})),
        scripted.secret(json.dumps(["in-a-list", {"k": ["deep-in-a-list"]}])),
    )
    for name in ("json", "text", "binary", "number", "list"):
        client.get_secret(name)
    return client


@pytest.fixture
def log(read_client: SecretClient) -> Iterator[tuple[logging.Logger, Log]]:
    logger, handler = logging.Logger("app"), Log()  # noqa: LOG001 (not to be found by others)
    logger.addHandler(handler)
    logger.addFilter(RedactValues(read_client))
    yield logger, handler
    handler.close()


@pytest.mark.parametrize(
    "value",
    [
        PASSWORD,
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
        repr(PASSWORD)[1:-1],
        "inner-value",
        "plain-value-2",
        repr(b"binary\xff-value")[2:-1],
        scripted.encoded(b"binary\xff-value"),
        "73519284",
        "in-a-list",
        "deep-in-a-list",
    ],
)
def test_no_record_shows_a_value_that_was_read(
    log: tuple[logging.Logger, Log], value: str
) -> None:
    logger, handler = log
    logger.info("it is " + value + ".")  # noqa: G003 (as a user may write it)
    logger.info("it is %s%s", value, ".")
    logger.info("%(it)s", {"it": value})
    logger.info(ValueError(value))
    try:
        try:
            raise KeyError(value)  # noqa: TRY301
        except KeyError as error:
            raise ValueError(f"with {value}") from error
    except ValueError:
        logger.exception("failed")
    logger.info("here", stack_info=True)
    logger.info("%d is no number", value)
    logger.info("with more", extra={"more": value, "inside": {"list": [value], value: (value,)}})
    assert len(handler.texts) == 8
    assert handler.texts[:2] == ["it is [redacted]."] * 2
    assert "ValueError: with [redacted]" in handler.texts[4]
    assert "Stack (most recent call last)" in handler.texts[5]
    for text, record in zip(handler.texts, handler.records, strict=True):
        assert value not in text
        assert value not in str(vars(record))


def test_a_traceback_that_another_handler_has_written_already_is_redacted_too(
    read_client: SecretClient,
) -> None:
    record = logging.LogRecord("app", logging.ERROR, "f", 1, "failed", None, None)
    record.exc_text = "ValueError: plain-value-2"
    record.stack_info = "line plain-value-2"
    assert RedactValues(read_client).filter(record)
    assert (record.exc_text, record.stack_info) == ("ValueError: [redacted]", "line [redacted]")


def test_on_the_handlers_of_the_root_logger_it_redacts_every_loggers_records(
    read_client: SecretClient,
) -> None:
    root, handler = logging.getLogger(), Log()
    handler.addFilter(RedactValues(read_client))
    root.addHandler(handler)
    try:
        logging.getLogger("app.child").error("it is plain-value-2")
    finally:
        root.removeHandler(handler)
        handler.close()
    assert handler.texts == ["it is [redacted]"]


def test_numbers_and_texts_that_were_added_are_redacted_where_they_are(
    log: tuple[logging.Logger, Log],
) -> None:
    logger, handler = log
    kept = object()
    extra = {"pin": 73519284, "url": "db://plain-value-2@host", "n": 5, "kept": kept}
    logger.info("here", extra={"request": extra})
    (record,) = handler.records
    assert vars(record)["request"] == {
        "pin": "[redacted]", "url": "db://[redacted]@host", "n": 5, "kept": kept
    }  # fmt: skip
    assert extra["pin"] == 73519284


def test_of_values_within_each_other_the_longest_goes_first(extension: Server) -> None:
    client = SecretClient()
    values = ["secret" + "x" * more for more in range(12)]
    extension.script(scripted.secret(json.dumps(dict.fromkeys("s", values))))
    client.get_secret("s")
    redact = RedactValues(client)
    for value in values:
        record = logging.LogRecord("app", logging.INFO, "f", 1, value, None, None)
        redact.filter(record)
        assert record.getMessage() == "[redacted]"


def test_what_holds_no_value_is_logged_as_it_is(log: tuple[logging.Logger, Log]) -> None:
    logger, handler = log
    logger.info("nothing %s", "here")
    try:
        raise ValueError("x")  # noqa: TRY301
    except ValueError:
        logger.exception("failed")
    assert handler.texts[0] == "nothing here"
    assert handler.records[0].args == ("here",)
    assert handler.records[1].exc_info is not None
    assert handler.texts[1].endswith("ValueError: x")


def test_a_value_that_was_rotated_away_is_redacted_still(extension: Server, clock: Clock) -> None:
    client = SecretClient()
    redact = RedactValues(client)
    extension.script(scripted.secret("old-value"), scripted.secret("new-value"))
    for _ in range(2):
        client.get_secret("s")
        clock.move(200)
        record = logging.LogRecord("app", logging.INFO, "f", 1, "old-value new-value", None, None)
        redact.filter(record)
    assert record.getMessage() == "[redacted] [redacted]"
