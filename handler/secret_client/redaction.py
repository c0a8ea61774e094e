"""Keeps values out of logs, in functions that log what they work with.

It knows the values that a client has read since the filter was made. It finds them as they are and
as Python and its libraries write them: in JSON and `repr`, also within each other; URL-quoted,
form-encoded and HTML-escaped; with quotes escaped for SQL, CSV or a shell; in base64 and
hexadecimal digits, also of more than the value. It also finds the parts of a value: each text or
number in JSON, and each line.

A text costs one look-up for each character, however many values are known. Each value is taken
apart once.

Not covered:
- Values shorter than six characters, not counting backslashes, and the fields that `plain_fields`
  names: words of a log would go with them.
- Values that the client no longer keeps: it keeps the last 1,000 different ones, or 8 MiB.
- What does not pass through `logging`: `print`, metrics, traces, and the exception that a handler
  raises, which Lambda logs itself. `RedactValues.redact` takes the values out of a text.
- What a later filter or a formatter adds: Powertools' `append_keys` (give its Logger a
  `json_serializer` that calls `redact`), or the local variables of a traceback's frames.
- Names that `logging` sets itself: of loggers, threads, tasks, files and functions.
- Attributes that an object shows in neither `str` nor `repr`; those of mappings, dataclasses and
  exceptions are covered.
- Other encodings: compressed, encrypted, hashed, UTF-16, another letter case, hexadecimal digits
  with separators, and text or base64 that is wrapped into lines.
- A part that the application cuts out of a value, such as its first ten characters. In base64 of
  more than the value, a letter at either end of it may stay, as it encodes the neighbour, too.
"""

import re
from collections.abc import Collection
from logging import LogRecord

from .client import SecretClient
from .redacted_copy import RedactedCopy
from .value_finder import REDACTED, ValueFinder
from .value_forms import forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .value import Value

# Fields that hold no secret: those of Secrets Manager's JSON structures, of this project, and the
# names that database drivers use.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
PLAIN_FIELDS = frozenset(
    (
        "alternateUsername", "database", "dbClusterIdentifier", "dbIdentifier",
        "dbInstanceIdentifier", "dbname", "engine", "host", "masterarn", "namespaceName", "port",
        "ssl", "user", "username", "user_arn", "validUntil",
    )
)  # fmt: skip

# At DEBUG, the SDK logs requests and responses before the client knows the value in them.
_SDK = {"aiobotocore", "boto3", "botocore", "urllib3"}
_HOLDS_VALUE = re.compile(
    r"SecretString|SecretBinary|RandomPassword|SecureString|\"Parameters?\\*\""
)
# Set by `logging` itself.
_OWN = {*vars(LogRecord("", 0, "", 0, "", None, None)), "asctime", "taskName"}
_WITHHELD = "[a record that could not be redacted]"


class RedactValues:
    """A filter for `logging`: takes every value that a client reads out of the records.

    Make it before the first read, and add it to the handlers of the root logger, which get the
    records of every logger; a logger's own filter sees no record of its children. A logger that
    does not propagate, such as Powertools', has handlers of its own::

        client = SecretClient()
        redact = RedactValues(client)
        for handler in logging.getLogger().handlers:
            handler.addFilter(redact)

    It changes the record, which later handlers get as well. It never raises, and keeps every
    record. What contains itself, or is nested in more than 40 levels, is logged as `[...]`.

    Args:
        client: whose values are redacted.
        plain_fields: names of fields that stay readable in JSON values; of nested ones, too.

    """

    def __init__(
        self, client: SecretClient, *, plain_fields: Collection[str] = PLAIN_FIELDS
    ) -> None:
        if isinstance(plain_fields, str):
            raise TypeError(f"plain_fields must be a collection of names, got {plain_fields!r}")
        self._client = client
        self._plain_fields = plain_fields
        # Replaced as a whole, so that threads need no lock.
        self._known: tuple[tuple[Value, ...], ValueFinder] = (), ValueFinder()
        client.values_read()  # from now on, the client keeps them

    def filter(self, record: LogRecord) -> bool:
        """Redact message, exception, stack and whatever `extra` has added; keep the record."""
        try:
            values = self._client.values_read()
            for _ in range(2):
                _redact(record, RedactedCopy(self._finder(values).redact))
                before, values = values, self._client.values_read()
                if values == before:  # otherwise formatting has just read a value
                    break
        except Exception:  # noqa: BLE001 (the application logs; it must not fail for that)
            _withhold(record)
        return True

    def redact(self, text: str) -> str:
        """Redact every value in a text that does not pass through `logging`."""
        return self._finder(self._client.values_read()).redact(text)

    def _finder(self, values: "tuple[Value, ...]") -> ValueFinder:
        known, finder = self._known
        if values != known:
            if not set(known).issubset(values):  # otherwise two threads may add the same
                known, finder = (), ValueFinder()
            for value in set(values).difference(known):
                finder.add(forms(value, self._plain_fields))
            self._known = values, finder
        return finder


def _redact(record: LogRecord, copied: RedactedCopy) -> None:
    _redact_message(record, copied)
    _redact_exception(record, copied)
    fields = vars(record)
    for name in fields.keys() - _OWN:
        fields[copied(name)] = copied(fields.pop(name))


def _redact_message(record: LogRecord, copied: RedactedCopy) -> None:
    if str(record.name).partition(".")[0] in _SDK:
        _redact_call(record)
    args = copied(record.args)
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 (logging would print the arguments with its own error)
        record.msg, record.args = f"{copied(record.msg)} {args}", ()
        return
    if args or isinstance(record.msg, str):
        redacted = copied(message)
        if redacted != message or args is not record.args:
            record.msg, record.args = redacted, ()
    else:
        record.msg = copied(record.msg)  # formatters of JSON write a dictionary's fields


def _redact_call(record: LogRecord) -> None:
    """Redact the body of a request or response that has a value in it, known or not."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            REDACTED if _HOLDS_VALUE.search(str(argument)) else argument
            for argument in record.args
        )
    elif _HOLDS_VALUE.search(str(record.args)):
        record.args = (REDACTED,)
    if _HOLDS_VALUE.search(str(record.msg)):
        record.msg, record.args = REDACTED, ()


def _redact_exception(record: LogRecord, copied: RedactedCopy) -> None:
    if isinstance(record.exc_info, tuple):
        error = record.exc_info[1]
        copy = copied(error)
        if copy is not error:
            record.exc_info = type(copy), copy, record.exc_info[2]
    record.exc_text, record.stack_info = copied(record.exc_text), copied(record.stack_info)


def _withhold(record: LogRecord) -> None:
    for name in set(vars(record)) - _OWN:
        delattr(record, name)
    record.msg, record.args = _WITHHELD, ()
    record.exc_info = record.exc_text = record.stack_info = None
