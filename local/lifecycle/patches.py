"""Config with some keys changed."""

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.config.project import Stack

Patch = Mapping[str, Any]
"""Sections of the config, as deep as needed; None removes a key, a list replaces a list."""


def patched(stack: Stack, patch: Patch) -> Stack:
    """Return the stack with these keys changed; `secretValues` is encrypted."""
    config, secret_keys = dict(stack.config), {*stack.secret_keys}
    for key, value in patch.items():
        full = f"{stack.project}:{key}"
        if value is None:
            config.pop(full, None)
        elif isinstance(value, Mapping):
            config[full] = json.dumps(merged(stack.section(key), value))
        else:
            config[full] = json.dumps(value)
        if key == "secretValues":
            secret_keys.add(full)
    return replace(stack, config=config, secret_keys=tuple(sorted(secret_keys)))


def merged(config: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """Return a section with these keys changed."""
    result = copy.deepcopy(dict(config))
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result
