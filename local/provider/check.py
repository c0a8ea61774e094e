"""Checks inputs before anything is created, so that a preview already fails."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.provider.resource import Input, Properties, Resource
from local.provider.wire import holds_unknown

_DEFAULTS = "__defaults"
_ARN = re.compile(r"arn:[\w-]+:[\w.-]+:[\w-]*:(\d{12}|aws|cloudfront)?:.+", re.DOTALL)

Failure = tuple[str, str]
"""Path of an input, and what is wrong with it."""


def checked(
    resource: Resource, name: str, given: Properties, previous: Properties, suffix: str
) -> tuple[Properties, list[Failure]]:
    """Return the inputs with defaults and the automatic name, and every error.

    `name` is the logical name. `previous` are the inputs of the existing resource, which keeps its
    automatic name; `suffix` ends a new automatic name.
    """
    inputs = {key: value for key, value in given.items() if value is not None}
    inputs.pop(_DEFAULTS, None)
    defaults = []
    failures: list[Failure] = []
    for key, declared in resource.inputs.items():
        if key in inputs:
            continue
        if declared.auto_name is not None:
            if key in previous.get(_DEFAULTS, ()):
                inputs[key] = previous[key]
            else:
                stem = name.lower() if declared.auto_name.lower else name
                own = f"{stem}-{suffix}"
                inputs[key] = declared.auto_name.prefix + own
                if (size := len(own)) > declared.auto_name.longest:
                    most = declared.auto_name.longest
                    failures.append(
                        (key, f"would be {own!r}, {size} characters; at most {most} are allowed")
                    )
        elif declared.default is not None:
            inputs[key] = declared.default
        else:
            continue
        defaults.append(key)
    known = {key: value for key, value in inputs.items() if not holds_unknown(value)}
    failures += _input_errors(resource.inputs, inputs)
    failures += _group_errors(resource, given)
    failures += resource.errors(known)
    return {**inputs, _DEFAULTS: defaults}, failures


def _input_errors(
    declared: Mapping[str, Input], inputs: Mapping[str, Any], within: str = ""
) -> Iterator[Failure]:
    for key in inputs.keys() - declared.keys():
        yield within + key, "is not an input of this resource"
    for key, about in declared.items():
        path, value = within + key, inputs.get(key)
        if value is None:
            if about.required:
                yield path, "is required"
            continue
        if about.fields is not None and isinstance(value, list):
            for number, each in enumerate(value):
                if isinstance(each, Mapping):
                    yield from _input_errors(about.fields, each, f"{path}[{number}].")
        elif about.fields is not None and isinstance(value, Mapping):
            yield from _input_errors(about.fields, value, f"{path}.")
        if not holds_unknown(value):
            yield from ((path, reason) for reason in _reasons(about, value))


def _reasons(about: Input, value: Any) -> Iterator[str]:
    if value in about.also:
        return
    size = len(value if isinstance(value, str | list) else str(value))
    if about.length and not about.length[0] <= size <= about.length[1]:
        least, most = about.length
        what = "items" if isinstance(value, list) else "characters"
        yield f"must have {least} to {most} {what}, has {size}"
    for each in value if isinstance(value, list) else [value]:
        yield from _reasons_of_one(about, each)


def _reasons_of_one(about: Input, value: Any) -> Iterator[str]:
    shown = "[secret]" if about.sensitive else repr(value)
    if about.sensitive and not isinstance(value, str):
        yield f"must be a string, got {shown}"  # else botocore would print the value
    if about.pattern and not re.fullmatch(about.pattern, str(value), re.ASCII):
        yield f"must match {about.pattern}, got {shown}"
    number = _number(value) if about.bounds else None
    if about.bounds and (number is None or not about.bounds[0] <= number <= about.bounds[1]):
        allowed = "".join(f"{each} or " for each in about.also)
        yield f"must be {allowed}{about.bounds[0]} to {about.bounds[1]}, got {shown}"
    if about.choices and value not in about.choices:
        yield f"must be one of {', '.join(map(str, about.choices))}, got {shown}"
    if about.arn and not _ARN.fullmatch(str(value)):
        yield f"must be an ARN, got {shown}"
    if about.json and not _is_json(value):
        yield "must be JSON"


def _group_errors(resource: Resource, given: Mapping[str, Any]) -> Iterator[Failure]:
    for group in resource.one_of:
        if len(found := [key for key in group if given.get(key) is not None]) != 1:
            named = ", ".join(group)
            yield group[0], f"exactly one of {named} must be set, got {found or 'none'}"
    for group in resource.at_least_one_of:
        if not any(given.get(key) is not None for key in group):
            yield group[0], f"one of {', '.join(group)} must be set"
    for one, other in resource.conflicts:
        if given.get(one) is not None and given.get(other) is not None:
            yield one, f"cannot be set together with {other}"
    for one, other in resource.needs:
        if given.get(one) is not None and given.get(other) is None:
            yield one, f"can be set only together with {other}"


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _is_json(text: object) -> bool:
    try:
        json.loads(str(text))
    except ValueError:
        return False
    return True
