"""Reads facts about a stack that are not in its `Settings`: accounts, encryption, tags, date."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from ..aws import limits
from .errors import ConfigError
from .rules.guardrails import Surroundings

_ACCOUNTS = "aws:allowedAccountIds"
_DEFAULT_TAGS = "aws:defaultTags"
_NULL = "tag:yaml.org,2002:null"


class _Text(yaml.BaseLoader):
    """Reads every value as text, except null: PyYAML rejects dates that the CLI accepts."""


_Text.add_implicit_resolver(_NULL, re.compile("(~|null|Null|NULL)?$"), ["~", "n", "N", ""])
_Text.add_constructor(_NULL, lambda *_: None)


def read(
    config: Mapping[str, str], folders: Sequence[Path], stack: str
) -> tuple[Surroundings, list[ConfigError]]:
    """Read the provider's config, and from the stack's file how its secrets are encrypted.

    `folders` are those where Pulumi.yaml may be.
    """
    accounts, errors = _accounts(config.get(_ACCOUNTS, "[]"))
    today = datetime.now(UTC).date().isoformat()
    default_tags = _default_tags(config.get(_DEFAULT_TAGS, "{}"))
    return Surroundings(today, accounts, has_passphrase(folders, stack), default_tags), errors


def value(text: str) -> object:
    """Read the value of a config key; Pulumi writes everything except text as JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def has_passphrase(folders: Iterable[Path], stack: str) -> bool:
    """Whether the stack's file, if there is one, says that a passphrase encrypts its secrets.

    The first folder with the stack's file counts.
    https://www.pulumi.com/docs/iac/concepts/secrets/#changing-the-secrets-provider
    https://www.pulumi.com/docs/iac/concepts/projects/project-file/#attributes
    """
    for path in map(_project_file, folders):
        folder = path.parent / (_keys(path).get("stackConfigDir") or "")
        # As in the CLI, a stack's file has the ending of the project's.
        if keys := _keys(folder / f"Pulumi.{stack}{path.suffix}"):
            provider = keys.get("secretsprovider") or "passphrase"
            return provider == "passphrase" and bool(keys.get("encryptionsalt"))
    return False


def _project_file(folder: Path) -> Path:
    other = folder / "Pulumi.yml"
    return other if other.is_file() else folder / "Pulumi.yaml"


def _keys(path: Path) -> dict[str, Any]:
    """Return the top-level keys of a YAML file, which the CLI has read without an error."""
    keys = yaml.load(path.read_bytes(), _Text) if path.is_file() else None  # noqa: S506 (text)
    return keys if isinstance(keys, dict) else {}


def _default_tags(text: str) -> tuple[str, ...]:
    """Return the keys of a map of default tags; the provider itself refuses another form."""
    found = value(text)
    tags = found.get("tags") if isinstance(found, dict) else None
    return tuple(tags) if isinstance(tags, dict) else ()


def _accounts(text: str) -> tuple[tuple[str, ...], list[ConfigError]]:
    found = value(text)
    if isinstance(found, list) and all(each in limits.ACCOUNT_ID for each in found):
        return tuple(found), []
    rule = f"must be a list of account IDs, each {limits.ACCOUNT_ID}"
    # A list that is wrong is not a missing one.
    return ("unknown",), [ConfigError(_ACCOUNTS, f"{rule}, got {text}")]
