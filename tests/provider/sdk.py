"""What Pulumi's SDK says of a type: it is generated from the schema of the real provider.

It knows names, what is required, what the provider fills in, and what is sensitive. Its
documentation tells defaults, and which texts are JSON or ARNs. It does not know what a change
replaces, nor patterns and limits.
"""

import functools
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, ForwardRef, NamedTuple, Union, get_args, get_origin

import pulumi

from local.provider.wire import is_archive
from tests.recording import ROOT

LOCKED = f"pulumi-aws=={version('pulumi-aws')} " in (ROOT / "requirements.txt").read_text()
"""Whether the SDK is the one that the facts are those of."""
_READ = {each: (each,) for each in (str, int, bool)} | {float: (int, float)}
_NOT_INPUTS = {"__self__", "resource_name", "opts", "__props__"}
_REQUIRED = re.compile(r"Missing required property '(\w+)'")
_SECRET = re.compile(r'__dict__\["(\w+)"\] = None if \w+ is None else pulumi\.Output\.secret\(')
_NESTED = re.compile(r"'(\w+Args)'")
_DEFAULT = re.compile(r"[Dd]efaults?(?: value)?(?: to| is) (?:`\"?([^`\"]+)\"?`|(\d+)\b)")


class Said(NamedTuple):
    """What the SDK says of an input."""

    required: bool
    computed: bool | None
    """Whether the provider fills it in; None: unknown, as of a field of another input."""
    sensitive: bool
    text: str
    """Its documentation, on one line."""

    @property
    def default(self) -> object:
        """The default that the documentation names in so many words: `true`, 30, `/`."""
        if not (found := _DEFAULT.search(self.text)):
            return None
        value = found[1] or found[2]
        try:
            return json.loads(value)
        except ValueError:
            return value


@functools.cache
def inputs(type_: str) -> dict[str, Said]:
    """Return what is said of each input; a field of one is `rotationRules.duration`."""
    module, cls = _class(type_)
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    required, secret = set(_REQUIRED.findall(source)), set(_SECRET.findall(source))
    found = {}
    for name, parameter in inspect.signature(cls._internal_init).parameters.items():
        if name in _NOT_INPUTS:
            continue
        getter = getattr(cls, name).fget
        computed = "Optional[" not in str(getter.__annotations__["return"])
        path = _camel(getter, name)
        found[path] = Said(name in required, computed, name in secret, _text(getter))
        for nested in _nested(module, parameter):
            found |= dict(_fields(module, nested, f"{path}."))
    return found


def mistyped(type_: str, state: Mapping[str, Any]) -> Iterator[str]:
    """Say which properties of a state are of another type than the SDK reads, or not read by it.

    None stands for what is left out.
    """
    module, cls = _class(type_)
    yield from _mistyped(f"{module.__package__}.outputs", cls, state, "")


def _mistyped(nested: str, cls: Any, state: Mapping[str, Any], above: str) -> Iterator[str]:
    getters = [(name, each.fget) for name, each in inspect.getmembers(cls, _is_property)]
    read = {_camel(get, name): get.__annotations__["return"] for name, get in getters}
    for key, value in state.items():
        if key not in read:
            yield f"{above}{key} is not read"
        elif value is not None:
            yield from _unlike(nested, read[key], value, f"{above}{key}")


def _unlike(nested: str, wanted: Any, value: Any, path: str) -> Iterator[str]:
    outer = get_origin(wanted) or wanted
    inner = [each for each in get_args(wanted) if each is not type(None)]
    if outer in {pulumi.Output, Union}:  # of one type, or None
        yield from _unlike(nested, inner[0], value, path)
    elif isinstance(wanted, ForwardRef):
        yield from _unlike(nested, wanted.__forward_arg__, value, path)
    elif isinstance(wanted, str) and isinstance(value, dict):
        cls = getattr(importlib.import_module(nested), wanted.removeprefix("outputs."))
        yield from _mistyped(nested, cls, value, f"{path}.")
    elif outer is Sequence and isinstance(value, list):
        for number, each in enumerate(value):
            yield from _unlike(nested, inner[0], each, f"{path}[{number}]")
    elif outer is Mapping and isinstance(value, dict):
        for key, each in value.items():
            yield from _unlike(nested, inner[1], each, f"{path}[{key}]")
    elif outer is pulumi.Archive and is_archive(value):
        pass
    elif type(value) not in _READ.get(outer, ()):
        yield f"{path} is {type(value).__name__}, and the SDK reads {wanted}"


def _is_property(member: object) -> bool:
    return isinstance(member, property)


def _fields(module: ModuleType, cls: Any, above: str) -> Iterator[tuple[str, Said]]:
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        if name in _NOT_INPUTS:
            continue
        getter = getattr(cls, name).fget
        path = above + _camel(getter, name)
        required = parameter.default is inspect.Parameter.empty
        yield path, Said(required, computed=None, sensitive=False, text=_text(getter))
        for nested in _nested(module, parameter):
            yield from _fields(module, nested, f"{path}.")


def _class(type_: str) -> tuple[ModuleType, Any]:
    """Import the class of a type such as `aws:kms/key:Key`, and the module that defines it."""
    service, _, name = type_.removeprefix("aws:").partition("/")
    package = "lambda_" if service == "lambda" else service
    cls = getattr(importlib.import_module(f"pulumi_aws.{package}"), name.partition(":")[2])
    return importlib.import_module(cls.__module__), cls


def _nested(module: ModuleType, parameter: inspect.Parameter) -> Iterator[Any]:
    package = importlib.import_module(f"{module.__package__}._inputs")
    for name in _NESTED.findall(str(parameter.annotation)):
        yield getattr(package, name)


def _camel(getter: Any, name: str) -> str:
    return str(getattr(getter, "_pulumi_name", name))


def _text(getter: Any) -> str:
    return " ".join((getter.__doc__ or "").split())
