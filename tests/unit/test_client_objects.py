"""JSON values that are read as objects of typed classes."""

import json
from collections import namedtuple
from collections.abc import Callable
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)

import pydantic
import pytest

from secret_client import InvalidValue
from tests import scripted
from tests.scripted import CANARY
from tests.unit import deferred_models
from tests.unit.client_support import value_of
from tests.unit.interruptions import interruptions, shown

T = TypeVar("T")


def read(kind: Any, /, **fields: object) -> Any:
    return value_of(json.dumps(fields)).as_object(kind)


def errors(kind: Any, /, **fields: object) -> str:
    with pytest.raises(InvalidValue) as raised:
        read(kind, **fields)
    assert CANARY not in scripted.told(raised.value)
    return str(raised.value).removeprefix("s: ")


def unreadable(kind: Any, /, **fields: object) -> str:
    with pytest.raises(TypeError) as raised:
        read(kind, **fields)
    text, _, rest = str(raised.value).partition("; use str, int,")
    assert rest
    return text.removeprefix("as_object cannot read ")


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


class Size(IntEnum):
    ONE = 1
    TWO = 2


class Mode(Enum):
    ON = True
    OFF = None

    @classmethod
    def _missing_(cls, value: object) -> "Mode":
        return cls[str(value).upper()]  # KeyError, where others raise ValueError


@dataclass
class Tls:
    ca: str
    mode: Literal["require", "verify-full"] = "verify-full"


class Address(NamedTuple):
    host: str
    port: int = 5432


class Limits(TypedDict, total=False):
    rate: float
    burst: int


class Base:
    host: str
    port: int = 5432


class Database(Base):
    password: "str"
    ratio: "float | None" = None
    tags: "list[int | str]" = []  # noqa: RUF012 (as a user may write it)
    extra: dict[str, Any] | None = None
    enabled: bool = True
    kind: ClassVar[str] = "database"


def test_json_is_read_as_an_object_of_a_plain_class() -> None:
    made = read(Database, host="h", password=CANARY, ratio=1, tags=["x"], extra={"a": [1]}, kind=1)
    assert (type(made), made.tags, made.kind) == (Database, ["x"], "database")
    assert (made.host, made.port, made.password) == ("h", 5432, CANARY)
    assert (made.ratio, made.extra, made.enabled) == (1, {"a": [1]}, True)


def test_what_is_missing_or_of_another_type_is_named_without_its_value() -> None:
    assert errors(
        Database, port=CANARY, ratio=CANARY, tags=5, extra=[CANARY], enabled=1, other=CANARY
    ) == (
        "host is missing, port is not int, password is missing, ratio is not float | None,"
        " tags is not list[int | str], extra is not dict[str, typing.Any] | None,"
        " enabled is not bool"
    )


ANNOTATIONS: list[tuple[Any, list[Any], list[Any]]] = [
    (str, ["x", ""], [1, None, True, [], {}]),
    (int, [1, 0], [1.5, True, "1", None]),
    (float, [1.5, 1], [True, "1", None]),
    (bool, [True, False], [1, 0, "true", None]),
    (None, [None], [0, False, ""]),
    (dict, [{}, {"a": [1]}], [[], "x", None]),
    (list, [[], [1, {"a": 1}]], [{}, "x", None]),
    (str | None, ["x", None], [1, False]),
    (Optional[str], [None, "x"], [1, False]),  # noqa: UP045 (as a user may write it)
    (Union[str, int], ["x", 1], [None, 1.5, True]),  # noqa: UP007 (as a user may write it)
    ("str|int", ["x", 1], [None, 1.5]),
    ("list[str | int] | None", [[1, "x"], None], ["x", 1, {}]),
    ("dict[str, int | str | bool]", [{}, {"a": 1, "b": "x"}], ["x", 1, True]),
    (Any, ["x", 1, None, [], {}, [{"a": [1]}]], []),
    ("Any", ["x", 1, None], []),
    (Literal["a", 1] | None, ["a", 1, None], ["b", True, 1.0, 2]),
    (Literal[True], [True], [1, False]),
]


@pytest.mark.parametrize(("annotation", "right", "wrong"), ANNOTATIONS, ids=repr)
def test_every_annotation_takes_its_own_type_and_no_other(
    annotation: object, right: list[object], wrong: list[object]
) -> None:
    kind = type("Kind", (), {"__annotations__": {"field": annotation}, "__module__": __name__})
    for value in right:
        made = read(kind, field=value).field
        assert (made, type(made)) == (value, type(value))
    for value in wrong:
        assert errors(kind, field=value).startswith("field is not ")


@pytest.mark.parametrize(
    ("annotation", "value", "made"),
    [
        (Level, "low", Level.LOW),
        (Size, 2, Size.TWO),
        (Mode, True, Mode.ON),
        (Mode, "off", Mode.OFF),
        (Tls, {"ca": "c"}, Tls("c")),
        (Address, {"host": "h"}, Address("h")),
        (Limits, {"burst": 1, "other": 2}, {"burst": 1}),
        (
            list[Tls],
            [{"ca": "c"}, {"ca": "d", "mode": "require"}],
            [Tls("c"), Tls("d", "require")],
        ),
        (dict[str, Address], {"a": {"host": "h", "port": 1}}, {"a": Address("h", 1)}),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (tuple[str, Level], ["x", "high"], ("x", Level.HIGH)),
        (tuple, [[1]], ([1],)),
        (list[list[Level]], [["low"], []], [[Level.LOW], []]),
        (Optional[Tls], {"ca": "c"}, Tls("c")),  # noqa: UP045 (as a user may write it)
        (Tls | Address | None, {"host": "h"}, Address("h")),
        (Tls | str, "c", "c"),
        (Level | Literal["other"], "other", "other"),
        (dict[str, list[Size | None]], {"a": [1, None]}, {"a": [Size.ONE, None]}),
    ],
    ids=repr,
)
def test_enums_classes_and_what_holds_them_are_read(
    annotation: Any, value: object, made: object
) -> None:
    kind = type("Kind", (), {"__annotations__": {"field": annotation}})
    found = read(kind, field=value).field
    assert (found, type(found)) == (made, type(made))


@pytest.mark.parametrize(
    ("annotation", "value", "error"),
    [
        (Level, CANARY, "field is not Level"),
        (Level, [CANARY], "field is not Level"),
        (Size, True, "field is not Size"),
        (Size, "1", "field is not Size"),
        (Mode, 1, "field is not Mode"),
        (Mode, CANARY, "field is not Mode"),
        (Tls, CANARY, "field is not Tls"),
        (Tls, {}, "field.ca is missing"),
        (
            Tls,
            {"ca": 1, "mode": CANARY},
            "field.ca is not str, field.mode is not Literal['require', 'verify-full']",
        ),
        (Tls | None, {"ca": 1}, "field.ca is not str"),
        (Tls | None, CANARY, "field is not Tls | None"),
        (Tls | Address, {"port": CANARY}, "field is not Tls | Address"),
        (Address, {"port": CANARY}, "field.host is missing, field.port is not int"),
        (
            Limits,
            {"burst": CANARY, "rate": CANARY},
            "field.rate is not float, field.burst is not int",
        ),
        (list[Tls], [{"ca": "c"}, {}, CANARY], "field[1].ca is missing, field[2] is not Tls"),
        (list[Tls] | None, [{}], "field[0].ca is missing"),
        (dict[str, int], {"a": 1, "b": CANARY}, "field.b is not int"),
        (tuple[int, ...], [1, CANARY], "field[1] is not int"),
        (tuple[int, str], [1], "field is not tuple[int, str]"),
        (tuple[int, str], [1, "x", CANARY], "field is not tuple[int, str]"),
        (list[str], {"a": CANARY}, "field is not list[str]"),
    ],
    ids=repr,
)
def test_an_error_says_where_it_is_and_not_what_is_there(
    annotation: Any, value: object, error: str
) -> None:
    kind = type("Kind", (), {"__annotations__": {"field": annotation}})
    assert errors(kind, field=value) == error


def test_a_subclass_may_annotate_a_field_again() -> None:
    class Narrow(Base):
        port: str  # type: ignore[assignment]

    assert read(Narrow, host="h", port="http").port == "http"


# --- dataclasses ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Options:
    host: str
    sslmode: str = "require"
    _: KW_ONLY
    options: list[str] = field(default_factory=list)
    user: Optional[str] = None  # noqa: UP045 (as a user may write it)
    url: str = field(init=False, default="")
    kind: ClassVar[str] = "options"

    def __post_init__(self) -> None:
        self.url = f"{self.host}?sslmode={self.sslmode}"


def test_a_dataclass_is_made_by_its_constructor() -> None:
    assert read(Options, host="h", url="ignored") == Options("h")
    assert read(Options, host="h", url="ignored").url == "h?sslmode=require"
    assert read(Options, host="h").options is not read(Options, host="h").options
    given = {"host": "h", "sslmode": "s", "options": ["x"], "user": "u"}
    assert read(Options, **given) == Options("h", "s", options=["x"], user="u")
    assert read(Options, host="h", user=None).user is None
    assert errors(Options, user=1, options="x") == (
        "host is missing, options is not list[str], user is not str | None"
    )


def test_a_slot_is_no_default() -> None:
    class Slotted:
        __slots__ = ("host",)
        host: str

    assert read(Slotted, host="h").host == "h"
    assert errors(Slotted) == "host is missing"


def test_a_frozen_dataclass_and_its_subclass_are_read() -> None:
    @dataclass(frozen=True)
    class Frozen:
        host: str
        port: int = 1

    @dataclass(frozen=True)
    class Child(Frozen):
        port: int = 2
        name: str | None = None

    assert read(Frozen, host="h") == Frozen("h", 1)
    assert read(Child, host="h", name="n") == Child("h", 2, "n")


def test_what_a_class_itself_refuses_is_raised_as_it_is() -> None:
    @dataclass
    class Strict:
        port: int

        def __post_init__(self) -> None:
            raise ValueError("the port is privileged")

    with pytest.raises(ValueError, match=r"^the port is privileged$"):
        read(Strict, port=22)


def test_a_class_may_have_members_of_its_own_kind() -> None:
    made = read(
        deferred_models.Database,
        address={"host": "a"},
        parent={"address": {"host": "b"}, "parent": None},
    )
    assert made.parent.address.host == "b"
    assert errors(
        deferred_models.Database, address={"host": "a"}, parent={"parent": {"address": CANARY}}
    ) == ("parent.address is missing, parent.parent.address is not Address")


def test_annotations_that_are_text_are_resolved() -> None:
    m = deferred_models
    made = read(
        m.Database,
        address={"host": "a"},
        limits={"rate": 1.5},
        tls={"ca": "c"},
        level="high",
        replicas=[{"host": "r", "port": 1}],
        labels={"a": [1]},
    )
    assert made == m.Database(
        m.Address("a"),
        limits={"rate": 1.5},
        tls=m.Tls("c"),
        level=m.Level.HIGH,
        replicas=[m.Address("r", 1)],
        labels={"a": [1]},
    )
    assert read(m.Plain, address={"host": "a"}).tls is None
    assert errors(m.Database, limits={}, tls={}, level=CANARY) == (
        "address is missing, limits.rate is missing, tls.ca is missing, level is not Level"
    )


# --- NamedTuple and TypedDict --------------------------------------------------------------------


class Strict(TypedDict):
    host: str
    port: NotRequired[int]
    tls: NotRequired[Tls]


class Wide(Strict, total=False):
    name: str


def test_a_named_tuple_and_a_typed_dict_are_read() -> None:
    assert read(Address, host="h", other=1) == Address("h", 5432)
    assert errors(Address, port=CANARY) == "host is missing, port is not int"
    made = read(Wide, host="h", tls={"ca": "c"}, other=1)
    assert (made, type(made)) == ({"host": "h", "tls": Tls("c")}, dict)
    assert errors(Wide, port=CANARY, name=1) == (
        "host is missing, port is not int, name is not str"
    )


# --- what cannot be read -------------------------------------------------------------------------


class Empty:
    pass


class Model(pydantic.BaseModel):
    host: str
    port: int = 5432


class Unresolved:
    host: "Nowhere"  # type: ignore[name-defined] # noqa: F821 (that is what is tested)


class Boxed(Generic[T]):
    item: T


@dataclass
class Salted:
    host: str
    salt: InitVar[str]
    pepper: "InitVar[int]" = 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, "int, which has a constructor of its own: call it with `secret.json`"),
        (dict, "dict, which has a constructor of its own: call it with `secret.json`"),
        (Model, "Model, which has a constructor of its own: call it with `secret.json`"),
        (Empty, "Empty, which has no annotations"),
        (namedtuple("Untyped", "host"), "Untyped, which has no annotations"),  # noqa: PYI024
        (
            Unresolved,
            (
                "Unresolved, whose annotations cannot be resolved"
                " (NameError: name 'Nowhere' is not defined)"
            ),
        ),
        (list[int], "list[int], which is not a class"),
        ("Database", "Database, which is not a class"),
        (Salted, "Salted.salt: dataclasses.InitVar[str], Salted.pepper: dataclasses.InitVar[int]"),
        (Boxed, "Boxed.item: ~T"),
    ],
    ids=repr,
)
def test_a_class_that_cannot_be_read_is_the_callers_error(kind: Any, text: str) -> None:
    assert unreadable(kind, host="h") == text
    assert unreadable(kind) == text


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (set[str], "set[str]"),
        (bytes, "bytes, which has a constructor of its own: call it with `secret.json`"),
        (Path, "Path, which has a constructor of its own: call it with `secret.json`"),
        (dict[int, str], "dict[int, str]"),
        (list[set[str]], "set[str]"),
        (set[str] | None, "set[str]"),
        (Literal[b"x"], "Literal[b'x']"),
        (Literal[Level.LOW], "Literal[<Level.LOW: 'low'>]"),
        (Callable[[], str], "collections.abc.Callable[[], str]"),
    ],
    ids=repr,
)
def test_an_annotation_that_cannot_be_read_is_named_also_where_its_field_is_absent(
    annotation: Any, text: str
) -> None:
    kind = type("Kind", (), {"__annotations__": {"field": annotation}, "field": None})
    assert unreadable(kind) == f"Kind.field: {text}"


def test_every_annotation_that_cannot_be_read_is_named_at_once() -> None:
    class Inner:
        first: set[str]
        second: datetime

    class Outer:
        inner: Inner
        third: frozenset[str]

    assert unreadable(Outer) == (
        "Inner.first: set[str], Inner.second: datetime, which has a constructor of its own: call"
        " it with `secret.json`, Outer.third: frozenset[str]"
    )


class Discreet(Model, hide_input_in_errors=True):
    pass


def test_models_of_pydantic_are_made_by_themselves() -> None:
    secret = value_of(json.dumps({"host": "h"})).json
    assert Model.model_validate(secret) == Model(**secret) == Model(host="h")


def test_errors_of_pydantic_quote_no_value_where_they_are_told_not_to() -> None:
    secret = value_of(json.dumps({"host": "h", "port": CANARY})).json
    for kind, quoted in ((Model, True), (Discreet, False)):
        with pytest.raises(pydantic.ValidationError) as raised:
            kind.model_validate(secret)
        assert (CANARY in str(raised.value)) is quoted


# --- what is shown -------------------------------------------------------------------------------


@dataclass(repr=False)
class Everything:
    text: str
    nested: Tls
    choice: Literal["low"]
    union: int | Tls | str
    items: list[str]
    either: tuple[str, Address]
    labels: dict[str, str]
    anything: Any
    limits: Limits
    level: Level = Level.LOW


class Hidden:
    text: str

    def __repr__(self) -> str:
        return "hidden"


GIVEN = {
    "text": CANARY,
    "nested": {"ca": CANARY},
    "choice": "low",
    "union": {"ca": CANARY},
    "items": [CANARY],
    "either": [CANARY, {"host": CANARY}],
    "labels": {"a": CANARY},
    "anything": {"a": [CANARY, [CANARY]]},
    "limits": {"rate": 1},
    "level": "low",
}


@pytest.mark.parametrize("kind", [Everything, Hidden])
def test_no_frame_has_a_local_that_shows_a_value_while_an_object_is_made(kind: type) -> None:
    value = value_of(json.dumps(GIVEN))
    assert value.as_object(kind).text == CANARY
    interrupted = [shown(error) for error in interruptions(lambda: value.as_object(kind))]
    assert len(interrupted) > 20
    for each in interrupted:
        assert "self = <Value of s" in each
        assert CANARY not in each


def test_no_frame_shows_a_value_when_it_is_refused() -> None:
    value = value_of(json.dumps({**GIVEN, "limits": CANARY}))
    text = ""
    try:
        value.as_object(Everything)
    except InvalidValue as error:
        text = shown(error)
    assert "limits is not Limits" in text
    assert "errors = [('limits', 'is not Limits')]" in text
    assert CANARY not in text
