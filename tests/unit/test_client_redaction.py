"""Values that the client has read are redacted in whatever a log record carries.

Each value is looked for in the log without the filter, too, where it must be found.
"""

import collections
import dataclasses
import enum
import json
import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from secret_client import SecretClient
from secret_client.redaction import RedactValues
from tests import scripted
from tests.recording import ROOT
from tests.scripted import Server
from tests.unit.redaction_support import (
    FORMATTERS,
    AwsFormatter,
    FieldsFormatter,
    knowing,
    logged,
    written,
)

SECRET = "s3cr3t-canary-7"


class Named(NamedTuple):
    user: str
    password: str


@dataclasses.dataclass(frozen=True)
class Credentials:
    user: str
    password: str


@dataclasses.dataclass
class Reticent:
    user: str
    password: str = dataclasses.field(repr=False)


class Colour(enum.Enum):
    KEY = SECRET


class Shown:
    def __str__(self) -> str:
        return f"shown {SECRET}"


class Represented:
    def __str__(self) -> str:
        return "nothing"

    def __repr__(self) -> str:
        return f"<{SECRET}>"


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "nothing"

    __repr__ = __str__


class Rows(list[str]):
    def __str__(self) -> str:
        return f"rows of {SECRET}"


class Count(int):
    def __str__(self) -> str:
        return f"{int(self)} of {SECRET}"


class Pin(int, enum.Enum):
    MAIN = 73519284


class StatusError(Exception):
    """With an attribute that is not in its text, as the response of botocore's errors."""

    def __init__(self, response: object) -> None:
        super().__init__("status 500")
        self.response = response


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause  # noqa: TRY301 (to have a traceback)
    except BaseException as caught:  # noqa: BLE001 (to have a traceback)
        return caught


def in_context(error: Exception, context: Exception) -> BaseException:
    try:
        try:
            raise context
        finally:
            raise error
    except Exception as caught:  # noqa: BLE001 (to have a context)
        return caught


def with_note(error: Exception, note: str) -> Exception:
    error.add_note(note)
    return error


CARRIERS = {
    "a text": SECRET,
    "a text within more": f"it is {SECRET}.",
    "bytes": SECRET.encode(),
    "a bytearray": bytearray(SECRET.encode()),
    "a dict": {"user": "app", "password": SECRET},
    "a key": {SECRET: 1},
    "a nested dict": {"a": [{"b": ({"c": SECRET},)}]},
    "a read-only mapping": MappingProxyType({"password": SECRET}),
    "a dict of its own kind": collections.UserDict({"password": SECRET}),
    "a list": ["app", SECRET],
    "a list of its own kind": collections.UserList([SECRET]),
    "a tuple": ("app", SECRET),
    "a namedtuple": Named("app", SECRET),
    "a set": {"app", SECRET},
    "a frozenset": frozenset({SECRET}),
    "a deque": collections.deque([SECRET]),
    "the values of a dict": {"password": SECRET}.values(),
    "a dataclass": Credentials("app", SECRET),
    "a dataclass in a set": {Credentials("app", SECRET)},
    "a dataclass that hides it": Reticent("app", SECRET),
    "a namespace": SimpleNamespace(password=SECRET),
    "an enum": Colour.KEY,
    "a path": PurePosixPath("/home") / SECRET,
    "an object by its text": Shown(),
    "an object by its repr": Represented(),
    "a kind of text": Text(SECRET),
    "a kind of list, by its text": Rows(),
    "an exception": ValueError(SECRET),
    "a group": ExceptionGroup("x", [ValueError("y"), KeyError(SECRET)]),
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_value_is_redacted_in_whatever_carries_it(extension: Server, carrier: str) -> None:
    value = CARRIERS[carrier]

    def write(log: logging.Logger) -> None:
        log.info(value)
        log.info("it is %s, %r, and %s", value, value, "more")
        log.info("it is %(it)s or %(it)r", {"it": value})
        log.info("here", extra={"request": value})
        log.info("here", extra={"request": {"more": [value]}})

    redact = knowing(extension, json.dumps({"password": SECRET}))
    control, redacted = written(write, None), written(write, redact)
    encoded = scripted.encoded(SECRET.encode())
    assert SECRET in control or encoded in control
    assert SECRET not in redacted
    assert encoded not in redacted
    assert redacted.count("\n") == control.count("\n")


def test_a_name_of_an_extra_field_is_redacted(extension: Server) -> None:
    def write(log: logging.Logger) -> None:
        log.info("here", extra={f"{SECRET}-hits": 5})

    assert f'"{SECRET}-hits": 5' in written(write, None)
    redacted = written(write, knowing(extension, SECRET))
    assert SECRET not in redacted
    assert '"[redacted]-hits": 5' in redacted


def test_an_enum_of_numbers_is_redacted(extension: Server) -> None:
    def write(log: logging.Logger) -> None:
        log.info("here", extra={"pin": Pin.MAIN})

    assert '"pin": 73519284' in written(write, None)
    assert "73519284" not in written(write, knowing(extension, json.dumps({"pin": 73519284})))


AROUND: dict[str, Callable[[Any], Any]] = {
    "dict": lambda value: {"a": value},
    "list": lambda value: [1, value],
    "tuple": lambda value: (value,),
    "deque": lambda value: collections.deque([value]),
    "mapping": lambda value: MappingProxyType({"a": value}),
    "dict of its own kind": lambda value: collections.ChainMap({"a": value}),
    "values": lambda value: {"a": value}.values(),
    "dataclass": lambda value: Credentials("app", value),
    "dataclass that hides it": lambda value: Reticent("app", value),
    "namespace": lambda value: SimpleNamespace(a=value),
    "exception": lambda value: raised(ValueError(value)),
    "cause": lambda value: raised(KeyError("x"), ValueError(value)),
    "group": lambda value: ExceptionGroup("x", [ValueError(value)]),
    "attribute": StatusError,
    "JSON": lambda value: json.dumps(value, default=str),
    "repr": repr,
    "bytes": lambda value: str(value).encode(),
}


@pytest.fixture(scope="module")
def knows(served: Server) -> RedactValues:
    return knowing(served, json.dumps({"password": SECRET}))


@settings(max_examples=150)
@given(
    carrier=st.sampled_from(list(CARRIERS)),
    around=st.lists(st.sampled_from(list(AROUND)), min_size=1, max_size=4),
    place=st.sampled_from(["message", "argument", "extra", "exception"]),
)
def test_a_value_is_redacted_in_carriers_within_each_other(
    knows: RedactValues, carrier: str, around: list[str], place: str
) -> None:
    value = CARRIERS[carrier]
    for name in around:
        value = AROUND[name](value)

    def write(log: logging.Logger) -> None:
        if place == "message":
            log.info(value)
        elif place == "argument":
            log.info("it is %s", value)
        elif place == "extra":
            log.info("here", extra={"request": value})
        else:
            log.error("here", exc_info=raised(ValueError("x"), RefusedError(value)))

    assume(SECRET in written(write, None))
    assert SECRET not in written(write, knows)


def test_a_number_with_a_text_of_its_own_is_redacted(extension: Server) -> None:
    formatter = logging.Formatter("%(message)s %(request)s")

    def write(log: logging.Logger) -> None:
        log.info("here", extra={"request": Count(5)})

    redact = knowing(extension, SECRET)
    assert logged(write, None, formatter) == [f"here 5 of {SECRET}"]
    assert logged(write, redact, formatter) == ["here 5 of [redacted]"]


@pytest.mark.parametrize("place", ["message", "extra", "extra, inside"])
def test_the_clients_own_json_is_redacted(extension: Server, place: str) -> None:
    client = SecretClient()
    redact = RedactValues(client)
    extension.script(scripted.secret(json.dumps({"a": {"password": SECRET}, "host": "db"})))
    value = client.get_secret("s").json

    def write(log: logging.Logger) -> None:
        if place == "message":
            log.info(value)
        else:
            log.info("x", extra={"db": value if place == "extra" else {"x": [dict(value)]}})

    assert SECRET in written(write, None)
    assert SECRET not in written(write, redact)
    assert "db" in written(write, redact)


def test_the_rest_of_a_structure_stays(extension: Server) -> None:
    redact = knowing(extension, SECRET, "73519284")
    kept = object()
    extra: dict[str, Any] = {
        "pin": 73519284, "url": f"db://{SECRET}@host", "n": 5, "kept": kept,
        "named": Named("app", SECRET), "fields": Credentials("app", SECRET),
        "queue": collections.deque([SECRET, 1]), "raw": b"a " + SECRET.encode(),
        "view": memoryview(b"a " + SECRET.encode()),
        "time": 1735192840.25, "none": None, "yes": True,
    }  # fmt: skip
    record = logging.makeLogRecord({"msg": "here", "request": extra})
    assert redact.filter(record)
    assert vars(record)["request"] == {
        "pin": "[redacted]", "url": "db://[redacted]@host", "n": 5, "kept": kept,
        "named": Named("app", "[redacted]"),
        "fields": {"user": "app", "password": "[redacted]"},
        "queue": ["[redacted]", 1], "raw": b"a [redacted]", "view": b"a [redacted]",
        "time": 1735192840.25, "none": None, "yes": True,
    }  # fmt: skip
    assert type(vars(record)["request"]["named"]) is Named
    assert extra["pin"] == 73519284


def test_arguments_that_the_message_does_not_show_are_redacted(extension: Server) -> None:
    redact = knowing(extension, SECRET, "73519284")
    record = logging.makeLogRecord({"msg": "%.2s and %x", "args": (SECRET, 73519284)})
    assert redact.filter(record)
    assert record.getMessage() == "s3 and 461d0b4"
    assert SECRET not in str(vars(record))
    assert "73519284" not in str(vars(record))


@pytest.mark.parametrize(("levels", "shown"), [(30, "[redacted]"), (50, "[...]")])
def test_what_is_nested_deeply_is_left_out(extension: Server, levels: int, shown: str) -> None:
    redact = knowing(extension, SECRET)
    record = logging.makeLogRecord({"msg": "here", "request": deep(levels)})
    assert redact.filter(record)
    assert str(vars(record)["request"]).strip("[]'") == shown.strip("[]")


def test_what_holds_no_value_is_logged_as_it_is(extension: Server) -> None:
    redact = knowing(extension, SECRET)
    error = raised(ValueError("x"), KeyError("y"))
    args = ({"a": [1, ("b", {"c"})]}, Credentials("app", "x"), Shown)
    extra: dict[str, Any] = {"a": collections.deque([1]), "b": {"c": [error]}, "d": b"e"}
    before: dict[str, Any] = {
        "msg": "a %s b %s c %s",
        "args": args,
        "exc_info": (KeyError, error, None),
    }
    before |= extra
    record = logging.makeLogRecord(before)
    assert redact.filter(record)
    for name, value in before.items():
        assert vars(record)[name] is value


# --- exceptions ----------------------------------------------------------------------------------


class RefusedError(Exception):
    """With a text that is not made of its arguments."""

    def __init__(self, password: object) -> None:
        super().__init__()
        self.password = password

    def __str__(self) -> str:
        return f"refused: {self.password}"


ERRORS = {
    "its text": lambda: raised(ValueError(f"with {SECRET}")),
    "a text of its own": lambda: raised(RefusedError(SECRET)),
    "the cause": lambda: raised(ValueError("x"), RefusedError(SECRET)),
    "the context": lambda: in_context(ValueError("x"), RefusedError(SECRET)),
    "a note": lambda: raised(with_note(ValueError("x"), f"note {SECRET}")),
    "a group": lambda: raised(ExceptionGroup("x", [ValueError("y"), RefusedError(SECRET)])),
    "a group's text": lambda: raised(ExceptionGroup(SECRET, [ValueError("y")])),
    "a syntax error's line": lambda: parsed(f"x = '{SECRET}' y"),
    "an exit": lambda: raised(SystemExit(SECRET)),
}


def parsed(text: str) -> BaseException:
    try:
        compile(text, "<config>", "exec")
    except SyntaxError as error:
        return error
    raise AssertionError(text)


@pytest.mark.parametrize("kind", ERRORS)
def test_an_exception_keeps_type_and_traceback_and_loses_the_value(
    extension: Server, kind: str
) -> None:
    error = ERRORS[kind]()

    def write(log: logging.Logger) -> None:
        log.error("failed", exc_info=error)

    redact = knowing(extension, SECRET)
    name = type(error).__name__
    for formatter in FORMATTERS:
        (control,), (line,) = logged(write, None, formatter), logged(write, redact, formatter)
        assert SECRET not in line
        assert name in line
        if isinstance(formatter, AwsFormatter):
            before, after = json.loads(control), json.loads(line)
            assert after["errorType"] == name
            assert after["stackTrace"] == before["stackTrace"]
        else:
            assert SECRET in control
            if kind != "a syntax error's line":
                assert line == control.replace(SECRET, "[redacted]")


def test_an_attribute_of_an_exception_is_redacted(extension: Server) -> None:
    """Formatters that write the attributes of an exception would show it."""
    redact = knowing(extension, SECRET)
    cause = StatusError({"password": SECRET, "status": 500})
    error = raised(ValueError("x"), cause)
    record = logging.makeLogRecord({"exc_info": (ValueError, error, None), "request": [error]})
    assert redact.filter(record)
    assert record.exc_info is not None
    for copy in (record.exc_info[1], vars(record)["request"][0]):
        assert isinstance(copy, Exception)
        assert str(copy) == "x"
        assert str(copy.__cause__) == "status 500"
        shown = {"password": "[redacted]", "status": 500}
        assert vars(copy.__cause__) == {"response": shown}
    assert cause.response == {"password": SECRET, "status": 500}


def test_the_application_keeps_its_exception(extension: Server) -> None:
    redact = knowing(extension, SECRET)
    error = raised(RefusedError(SECRET), with_note(ValueError(SECRET), SECRET))
    record = logging.makeLogRecord({"exc_info": (type(error), error, error.__traceback__)})
    assert redact.filter(record)
    assert record.exc_info is not None
    assert record.exc_info[1] is not error
    assert (str(error), type(error)) == (f"refused: {SECRET}", RefusedError)
    assert str(error.__cause__) == SECRET
    assert vars(error.__cause__) == {"__notes__": [SECRET]}


def test_no_local_variable_is_rendered(extension: Server) -> None:
    redact = knowing(extension, SECRET)

    def fail(text: str) -> None:
        local = text + "x"
        raise LookupError(len(local))

    def write(log: logging.Logger) -> None:
        try:
            fail(SECRET)
        except LookupError:
            log.exception("failed with %s", SECRET)

    try:
        fail(SECRET)
    except LookupError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert SECRET in "".join(shown.format())
    assert SECRET not in written(write, redact)
    assert "LookupError: 16" in written(write, redact)


def test_a_traceback_that_another_handler_has_written_already_is_redacted_too(
    extension: Server,
) -> None:
    redact = knowing(extension, SECRET)
    error = raised(ValueError(SECRET))
    for exc_info in (None, (type(error), error, error.__traceback__)):
        record = logging.LogRecord("app", logging.ERROR, "f", 1, "failed", None, exc_info)
        record.exc_text = f"ValueError: {SECRET}"
        record.stack_info = f"line {SECRET}"
        vars(record)["message"] = f"rendered {SECRET}"
        assert redact.filter(record)
        assert (record.exc_text, record.stack_info) == (
            "ValueError: [redacted]",
            "line [redacted]",
        )
        assert record.message == "rendered [redacted]"


# --- never in the way ----------------------------------------------------------------------------


class Unshowable:
    def __repr__(self) -> str:
        raise LookupError(SECRET)


class Unreadable(dict[str, str]):
    def items(self) -> Any:
        raise LookupError(SECRET)


class MuteError(Exception):
    def __str__(self) -> str:
        raise LookupError(SECRET)


def cycle() -> dict[str, Any]:
    found: dict[str, Any] = {"a": SECRET}
    found["itself"] = [found] * 3
    return found


def deep(levels: int) -> list[Any]:
    found: list[Any] = [SECRET]
    for _ in range(levels):
        found = [found]
    return found


def chain(length: int) -> Exception:
    first = error = ValueError(SECRET)
    for _ in range(length):
        error.__context__ = error = ValueError(SECRET)
    return first


HARD: dict[str, Callable[[], Any]] = {
    "a cycle": cycle,
    "depth": lambda: deep(10_000),
    "what cannot be shown": Unshowable,
    "a mapping that cannot be read": lambda: Unreadable(a=SECRET),
    "an exception without a text": MuteError,
    "a number too long for a text": lambda: 10**5000,
    "a long chain of exceptions": lambda: chain(3000),
    "half a character": lambda: "\ud800" + SECRET,
    "no bytes of a text": lambda: b"\xff\xfe" + SECRET.encode(),
}


@pytest.mark.parametrize("kind", HARD)
def test_it_never_raises_and_keeps_the_line(extension: Server, kind: str) -> None:
    redact = knowing(extension, SECRET)
    value = HARD[kind]()
    error = value if isinstance(value, BaseException) else ValueError("x")

    def write(log: logging.Logger) -> None:
        log.info("before", extra={"request": value, "id": "r-1"})
        log.info({"request": value, "id": "r-1"})
        log.info("it is %s of %s", value, "r-1")
        log.info("%d is no number of %s", value, "r-1")
        log.error("r-1", exc_info=error)

    for formatter in FORMATTERS:
        lines = logged(write, redact, formatter)
        assert len(lines) == 5
        assert SECRET not in "".join(lines)
        assert all("r-1" in line for line in lines[1:])


def test_where_nothing_else_is_left_the_record_is_withheld(
    extension: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in the last frames before the recursion limit.
    redact = knowing(extension, SECRET)
    monkeypatch.setattr(SecretClient, "values_read", lambda _: 1 / 0)

    def write(log: logging.Logger) -> None:
        log.error("it is %s", SECRET, extra={"a": SECRET}, exc_info=ValueError(SECRET))

    assert SECRET in written(write, None)
    assert logged(write, redact) == ["ERROR [a record that could not be redacted]"]
    assert SECRET not in written(write, redact)


def test_close_to_the_recursion_limit_the_application_goes_on(extension: Server) -> None:
    redact = knowing(extension, SECRET)
    record = logging.makeLogRecord({"msg": SECRET, "request": [[[[[[SECRET]]]]]]})

    def at_depth(left: int) -> bool:
        return redact.filter(record) if left == 0 else at_depth(left - 1)

    used = len(traceback.extract_stack())
    assert at_depth(sys.getrecursionlimit() - used - 30)
    assert SECRET not in str(vars(record))


def test_the_numbers_of_a_record_stay(extension: Server) -> None:
    record = logging.makeLogRecord(
        {
            "msg": "of 179569", "created": 1795691234.5, "msecs": 179569.5, "process": 179569,
            "thread": 179569, "relativeCreated": 179569, "lineno": 179569, "taskName": "179569",
            "name": "179569", "filename": "179569",
        }
    )  # fmt: skip
    before = dict(vars(record))
    redact = knowing(extension, json.dumps({"customer_number": 179569}))
    assert redact.filter(record)
    assert vars(record) == before | {"msg": "of [redacted]", "args": ()}
    line = logging.Formatter("%(asctime)s %(message)s").format(record)
    assert line.endswith(" of [redacted]")


def test_threads_may_log_while_values_are_read(extension: Server) -> None:
    values = [f"value-{number:04}" for number in range(30)]
    client = SecretClient()
    redact = RedactValues(client)
    extension.script(*map(scripted.secret, values))
    found: list[str] = []
    done = threading.Event()

    def log() -> None:
        while not done.is_set():
            known = len(client.values_read())
            record = logging.makeLogRecord({"msg": " ".join(values[:known])})
            redact.filter(record)
            found.append(record.getMessage())

    threads = [threading.Thread(target=log) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(30):
        client.get_secret(str(number))
    done.set()
    for thread in threads:
        thread.join()
    assert found
    assert not any("value-" in text for text in found)


RECORDS_OF_ITS_OWN = """
import logging, sys
sys.path.insert(0, sys.argv[1])
make = logging.getLogRecordFactory()

def factory(*args, **kwargs):
    record = make(*args, **kwargs)
    record.tenant = "s3cr3t-canary-7"
    return record

logging.setLogRecordFactory(factory)
from secret_client import SecretClient, Value
from secret_client.redaction import RedactValues

class Client(SecretClient):
    def values_read(self):
        text = "s3cr3t-canary-7"
        return (Value(text, None, name="s", arn="a", version="v", stages=(), source="sdk"),)

record = logging.makeLogRecord({"msg": "here"})
print(record.tenant)
RedactValues(Client()).filter(record)
print(record.tenant)
"""


def test_what_a_record_factory_adds_is_redacted() -> None:
    """Whichever is set first: the factory, or the filter's module."""
    handler = str(ROOT / "handler")
    ran = subprocess.run(  # noqa: S603 (this Python, the text above)
        [sys.executable, "-c", RECORDS_OF_ITS_OWN, handler],
        capture_output=True,
        check=True,
        text=True,
    )
    assert ran.stdout.split() == [SECRET, "[redacted]"]


def test_on_the_handlers_of_the_root_logger_it_redacts_every_loggers_records(
    extension: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(redact := knowing(extension, SECRET))
    logging.getLogger("app.child").error("it is %s", SECRET)
    caplog.handler.removeFilter(redact)
    logging.getLogger("app.child").error("it is %s", SECRET)
    assert caplog.messages == ["it is [redacted]", f"it is {SECRET}"]


def test_formatters_of_json_get_the_fields(extension: Server) -> None:
    redact = knowing(extension, SECRET)
    value = {"user": "app", "password": SECRET, "more": Credentials("app", SECRET)}
    shown = {"user": "app", "password": "[redacted]"}
    for formatter in (AwsFormatter(), FieldsFormatter()):
        (line,) = logged(lambda log: log.info(value), redact, formatter)
        assert json.loads(line)["message"] == shown | {"more": shown}
