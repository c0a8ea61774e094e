"""SNS: the filter policies that a subscription can have.

https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
"""

import json
import math
from collections.abc import Iterator
from typing import Any

KEYS = 5
COMBINATIONS = 150
SCOPES = ("MessageBody", "MessageAttributes")


def error(text: str, scope: str) -> str | None:
    """Return why SNS refuses a policy; None if it takes it. `scope` is one of `SCOPES`."""
    try:
        policy = json.loads(text)
    except ValueError as broken:
        return f"FilterPolicy: failed to parse JSON. {broken}"
    if not isinstance(policy, dict):
        return "FilterPolicy: Filter is not an object"
    for name, rule in policy.items():
        if wrong := _wrong_rule(name, rule):
            return f"FilterPolicy: {wrong}"
    if scope == "MessageAttributes" and any(isinstance(rule, dict) for rule in policy.values()):
        return "Filter policy scope MessageAttributes does not support nested filter policy"
    return _excess(policy)


def _excess(policy: dict[str, Any]) -> str | None:
    if len(policy) > KEYS:
        return f"FilterPolicy: Filter policy can not have more than {KEYS} keys"
    if math.prod(_combinations(policy, 1)) > COMBINATIONS:
        return "FilterPolicy: Filter policy is too complex"
    return None


def _wrong_rule(name: str, rule: Any) -> str | None:  # noqa: ANN401 (JSON)
    if isinstance(rule, dict):
        return next(filter(None, map(_wrong_rule, rule.keys(), rule.values())), None)
    return None if isinstance(rule, list) else f'"{name}" must be an object or an array'


def _combinations(policy: dict[str, Any], depth: int) -> Iterator[int]:
    """Return the values of each key, times how deep it is nested."""
    for name, rule in policy.items():
        if isinstance(rule, dict):
            yield from _combinations(rule, depth + 1)
        elif name == "$or":
            yield sum(math.prod(_combinations(each, depth)) for each in rule)
        else:
            yield len(rule) * depth
