"""A stack's config as the program reads it."""

import json

from infra.config import partial
from infra.config.schema import Settings
from local.config.project import Stack


def read(stack: Stack) -> Settings:
    """Read the settings, without the keys that are wrong: the program says what is wrong."""
    prefix = f"{stack.project}:"
    raw = {
        key.removeprefix(prefix): _value(text)
        for key, text in stack.config.items()
        if key.startswith(prefix)
    }
    raw.pop("secretValues", None)
    return partial.read(raw).settings


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
