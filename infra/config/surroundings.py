"""Reads the facts about a stack that are not in its `Settings`: account, encryption, date."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ..aws import limits
from .errors import ConfigError
from .rules.guardrails import Surroundings

_ACCOUNTS = "aws:allowedAccountIds"
# https://www.pulumi.com/docs/iac/concepts/secrets/#changing-the-secrets-provider
_PASSPHRASE = re.compile(r"^encryptionsalt:", re.MULTILINE)
# https://www.pulumi.com/docs/iac/concepts/projects/project-file/#attributes
_CONFIG_FOLDER = re.compile(r"^stackConfigDir: *[\"']?([^\s\"'#]+)", re.MULTILINE)
_CLOUD = re.compile(r"^secretsprovider: *[\"']?(?!passphrase)\w", re.MULTILINE)


def read(
    config: Mapping[str, str], project: Path, stack: str
) -> tuple[Surroundings, list[ConfigError]]:
    """Read the provider's config, and from the stack's file how its secrets are encrypted."""
    accounts, errors = _accounts(config.get(_ACCOUNTS, "[]"))
    today = datetime.now(UTC).date().isoformat()
    return Surroundings(today, accounts, has_passphrase(project, stack)), errors


def has_passphrase(project: Path, stack: str) -> bool:
    """Whether the stack's file, if there is one, says that a passphrase encrypts its secrets.

    `project` is the folder of Pulumi.yaml.
    """
    for ending in ("yaml", "yml"):
        folder = _CONFIG_FOLDER.search(_text(project / f"Pulumi.{ending}"))
        text = _text(project / (folder[1] if folder else "") / f"Pulumi.{stack}.{ending}")
        if text:
            return bool(_PASSPHRASE.search(text) and not _CLOUD.search(text))
    return False


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _accounts(text: str) -> tuple[tuple[str, ...], list[ConfigError]]:
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    if isinstance(found, list) and all(each in limits.ACCOUNT_ID for each in found):
        return tuple(found), []
    rule = f"must be a list of account IDs, each {limits.ACCOUNT_ID}"
    # A list that is wrong is not a missing one.
    return ("unknown",), [ConfigError(_ACCOUNTS, f"{rule}, got {text}")]
