"""What the tests of redaction share: a filter that knows values, formatters, and a log."""

import base64
import dataclasses
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

from secret_client import SecretClient
from secret_client.redaction import RedactValues
from tests import scripted
from tests.scripted import Server

Write = Callable[[logging.Logger], object]
"""Logs something."""


def knowing(extension: Server, *values: str | bytes, **options: Any) -> RedactValues:
    """Make the filter of a client, which then reads the values through the extension."""
    client = SecretClient()
    redact = RedactValues(client, **options)
    extension.script(
        *(
            scripted.secret(value)
            if isinstance(value, str)
            else scripted.secret(None, SecretBinary=scripted.encoded(value))
            for value in values
        )
    )
    for number in range(len(values)):
        client.get_secret(f"secret-{number}")
    return redact


class AwsFormatter(logging.Formatter):
    """Writes JSON as Lambda's own formatter does.

    https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/lambda_runtime_log_utils.py
    """

    reserved = frozenset(vars(logging.makeLogRecord({})))

    def format(self, record: logging.LogRecord) -> str:
        kind, error, trace = record.exc_info or (None, None, None)
        as_it_is = isinstance(record.msg, dict) and not record.args
        line: dict[str, Any] = {
            "timestamp": self.formatTime(record),
            "message": record.msg if as_it_is else record.getMessage(),
            "stackTrace": traceback.format_tb(trace) if kind else None,
            "errorType": kind.__name__ if kind else None,
            "errorMessage": str(error) if kind else None,
        }
        line |= {name: value for name, value in vars(record).items() if name not in self.reserved}
        return json.dumps(line, ensure_ascii=False, default=str, skipkeys=True)


class FieldsFormatter(logging.Formatter):
    """Writes JSON as python-json-logger does: the fields of dataclasses, and whole tracebacks.

    https://github.com/nhairs/python-json-logger/blob/main/src/pythonjsonlogger/core.py
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {"message": record.msg if isinstance(record.msg, dict) else record.getMessage()}
        line |= {name: each for name, each in vars(record).items() if name not in vars(EMPTY)}
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        return json.dumps(line, default=self.default, skipkeys=True)

    @staticmethod
    def default(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        if isinstance(value, bytes | bytearray):
            return base64.b64encode(value).decode()
        return f"{value} {value!r}"


EMPTY = logging.makeLogRecord({})
TEXT = logging.Formatter("%(levelname)s %(message)s")
FORMATTERS = TEXT, AwsFormatter(), FieldsFormatter()


def logged(
    write: Write,
    redact: RedactValues | None,
    formatter: logging.Formatter = TEXT,
    level: int = logging.DEBUG,
) -> list[str]:
    """Return the lines of a log; without a filter, they are the control."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    logger, handler = logging.Logger("app", level), Lines()  # noqa: LOG001 (found by no other)
    handler.setFormatter(formatter)
    if redact is not None:
        handler.addFilter(redact)
    logger.addHandler(handler)
    try:
        write(logger)
    finally:
        handler.close()
    return lines


def written(write: Write, redact: RedactValues | None) -> str:
    """Return what all formatters write, one after the other."""
    return "\n".join(line for each in FORMATTERS for line in logged(write, redact, each))
