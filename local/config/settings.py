"""A stack's config as the program reads it."""

import json

from infra.config import partial
from infra.config.schema import Settings
from local.config.project import Stack


def read(stack: Stack) -> Settings:
    """Return the settings without invalid keys, which the program reports."""
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
