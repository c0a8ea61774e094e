"""What Lambda's Python runtime writes to a function's log: records of `logging`, and errors.

Each is one event, however many lines it has. What AWS's runtime does is in
https://github.com/aws/aws-lambda-python-runtime-interface-client

It runs in the Python of the function: 3.10 and later, the standard library only.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from typing import Any

_INDENTATION = "\N{NO-BREAK SPACE}"
_TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_SECONDS = "%Y-%m-%dT%H:%M:%S"
_OWN_ATTRIBUTES = {
    *vars(logging.makeLogRecord({})),
    *("message", "asctime", "aws_request_id"),
}


class Log:
    """The log of an execution environment, in the function's format and at its level."""

    def __init__(self, start: str, end: str) -> None:
        """Write each event between the two marks."""
        self._marks = start, end
        self._is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
        self.request_id = ""
        """The request that the records are of; empty before the first."""

    def write(self, event: str) -> None:
        """Write one event."""
        sys.stdout.flush()  # what the function has printed comes first
        start, end = self._marks
        data = f"{start}{event}{end}".encode(errors="backslashreplace")
        while data:
            data = data[os.write(1, data) :]

    def set_up_logging(self) -> None:
        """Write what is logged as AWS formats it, from the level of the function's settings."""
        root, handler = logging.getLogger(), _Handler(self)
        handler.setFormatter(_Json() if self._is_json else logging.Formatter(_TEXT, _SECONDS))
        logging.Formatter.converter = time.gmtime
        root.addHandler(handler)
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
        if level:
            root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))

    def write_error(self, error: dict[str, Any]) -> None:
        """Write an error as the runtime does that answers with it."""
        if self._is_json:
            stamp = time.strftime(_SECONDS, time.gmtime())
            self.write(json.dumps({"timestamp": stamp, "level": "ERROR", **error}))
            return
        lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}".removesuffix(": ")]
        lines.append("Traceback (most recent call last):")
        for frame in error["stackTrace"]:
            for line in frame.splitlines():
                text = line.lstrip(" ")
                lines.append(_INDENTATION * (len(line) - len(text)) + text)
        self.write("\n".join(lines))


class _Handler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = self._log.request_id
        try:
            self._log.write(self.format(record))
        except Exception:  # noqa: BLE001 (as logging's own handlers do)
            self.handleError(record)


class _Json(logging.Formatter):
    """Formats a record as an object: what it says, where it is from, and its extra fields.

    https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    """

    def format(self, record: logging.LogRecord) -> str:
        kind, error, trace = record.exc_info or (None, None, None)
        fields = {
            "timestamp": f"{time.strftime(_SECONDS, time.gmtime(record.created))}"
            f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(trace) if trace else None,
            "errorType": kind.__name__ if kind else None,
            "errorMessage": str(error) if kind else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if kind else None,
        }
        extra = {key: value for key, value in vars(record).items() if key not in _OWN_ATTRIBUTES}
        known = {key: value for key, value in {**extra, **fields}.items() if value is not None}
        return json.dumps(known, ensure_ascii=False, default=str) + "\n"
