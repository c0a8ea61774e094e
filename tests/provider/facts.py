"""Where a type's declared facts differ from what other sources say of its inputs."""

import functools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from local.provider.resource import Input, Resource
from tests.provider import aws, sdk

# Inputs of no AWS call steer the provider; a change of one makes nothing new. But another region
# is another resource, and triggers are there to call again.
_OWN_THAT_REPLACE = {"region", "triggers"}
_NO_END = (math.inf, 2**31 - 1)
_JSON = re.compile(r"JSON|[Pp]olicy document")
_ARN = re.compile(r"\bARNs?\b")
_EITHER = re.compile(r"\b(name|ID|identifier|Identifier)\b.* or |\bARN or ")  # "name or ARN"


class Difference(NamedTuple):
    """A fact that a source has otherwise, or has not."""

    type: str
    input: str
    """A field of one is `rotationRules.duration`."""
    fact: str
    source: str
    """sdk, cloudformation, model (of the API's calls), calls (that change it in place) or own."""
    ours: object
    theirs: object


Said = tuple[str, str, object, object]
"""Fact, source, what is declared, what the source has."""


def differences(resource: Resource) -> Iterator[Difference]:
    """Compare every input of a type, and every field of one, with all that there is about it."""
    for path, declared in flattened(resource.inputs):
        yield from differences_of(resource.type, path, declared)


def differences_of(type_: str, path: str, declared: Input) -> Iterator[Difference]:
    """Compare one input, without its fields.

    Raises:
        LookupError: AWS has no counterpart, and `counterparts` does not say so.

    """
    for fact, source, ours, theirs in _said(type_, path, declared):
        if ours != theirs:
            yield Difference(type_, path, fact, source, ours, theirs)


def flattened(inputs: Mapping[str, Input], above: str = "") -> Iterator[tuple[str, Input]]:
    """Yield the path and the facts of each input and of each field."""
    for name, declared in inputs.items():
        yield above + name, declared
        yield from flattened(declared.fields or {}, f"{above}{name}.")


def _said(type_: str, path: str, declared: Input) -> Iterator[Said]:
    said = sdk.inputs(type_).get(path)
    yield "name", "sdk", True, said is not None
    if said is not None:
        yield from _by_sdk(declared, said)
    property_ = aws.property_of(type_, path)
    if property_ is not None:
        yield from _by_cloudformation(declared, property_)
    elif (changed := aws.is_changed_by_a_call(type_, path)) is not None:
        yield "replaces", "calls", declared.replaces, not changed and "." not in path
    else:
        yield "replaces", "own", declared.replaces, path in _OWN_THAT_REPLACE
    yield from _by_model(declared, aws.member_of(type_, path) or aws.Limits())


def _by_sdk(declared: Input, said: sdk.Said) -> Iterator[Said]:
    named = declared.auto_name is not None
    yield "required", "sdk", declared.required, said.required
    yield "sensitive", "sdk", declared.sensitive, said.sensitive
    if said.computed is not None and not said.required:
        yield "computed", "sdk", declared.computed or named, said.computed
    if not declared.computed:
        yield "default", "sdk", declared.default, said.default
    yield "json", "sdk", declared.json, bool(_JSON.search(said.text))
    yield (
        "arn",
        "sdk",
        declared.arn,
        bool(_ARN.search(said.text) and not _EITHER.search(said.text)),
    )


def _by_cloudformation(declared: Input, property_: Mapping[str, Any]) -> Iterator[Said]:
    yield "replaces", "cloudformation", declared.replaces, property_.get("replaces", False)
    yield _required("cloudformation", declared, property_.get("required", False))
    if "default" in property_ and not declared.computed:
        yield "default", "cloudformation", declared.default, property_["default"]
    if "enum" in property_:
        yield "choices", "cloudformation", *_only(declared.choices, property_["enum"])


def _by_model(declared: Input, limits: aws.Limits) -> Iterator[Said]:
    if limits.required is not None:
        yield _required("model", declared, limits.required)
    yield "choices", "model", *_only(declared.choices, limits.choices)
    yield "bounds", "model", _span(declared.bounds), _span(limits.bounds)
    yield "also", "model", list(declared.also), []
    if declared.auto_name is not None:
        yield "auto_name", "model", declared.auto_name.longest, (limits.length or (0, None))[1]
    is_of_a_form = bool(declared.choices or declared.json or declared.arn)
    if declared.pattern or not is_of_a_form:
        yield "pattern", "model", *_patterns(declared.pattern, limits.pattern)
    if declared.length or not is_of_a_form:
        ours, theirs = ("", "") if limits.is_list else (declared.pattern, limits.pattern)
        yield "length", "model", _span(declared.length, ours), _span(limits.length, theirs)


def _required(source: str, declared: Input, theirs: object) -> Said:
    """Compare: what AWS requires, it also gets from an automatic name or a default."""
    made = declared.auto_name is not None or declared.default is not None
    return "required", source, declared.required or bool(theirs and made), theirs


def _only(ours: Iterable[object], theirs: Iterable[object]) -> tuple[list[str], list[str]]:
    """Return what each of two sets of values has alone."""
    here, there = {*map(str, ours)}, {*map(str, theirs)}
    return sorted(here - there), sorted(there - here)


def _span(span: aws.Span | None, pattern: str = "") -> object:
    """Write the same span the same way; a pattern that refuses the empty text is a length."""
    least, most = span or (0, None)
    most = None if most in _NO_END else most
    if span and pattern and not re.fullmatch(pattern, ""):
        least = max(least, 1)
    return None if (least, most) == (0, None) else [least, most]


_CHARACTERS = (*map(chr, range(0x20, 0x7F)), "\t", "\n", "ä", "–")
_SHAPES = ("%s", "a%s", "a%sa", "7%s", "%s7", "/%s/", "alias/%s", "alias/a%s", "lambda:%s")
TEXTS = (
    *(shape % each for shape in _SHAPES for each in _CHARACTERS),
    *("alias/aws", "lambda:*", "10h", "rate(5 minutes)", "sg-1", "0123456789ab"),
)
"""What patterns are tried on."""


@functools.cache
def _patterns(ours: str, theirs: str) -> tuple[object, object]:
    """Compare two patterns by the texts that each of them alone accepts, if there are two."""
    if not ours or not theirs:
        return ours or None, theirs or None
    here, there = (
        {text for text in TEXTS if re.fullmatch(each, text, re.ASCII)} for each in (ours, theirs)
    )
    return _some(here - there), _some(there - here)


def _some(texts: set[str]) -> list[str]:
    few = sorted(texts)[:3]
    return few if len(texts) == len(few) else [*few, f"{len(texts)} in all"]
