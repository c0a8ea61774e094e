"""A stack's config and state, as the Pulumi CLI has them."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.names import Names


class StackError(Exception):
    """The CLI cannot read the stack; the text says why."""


@dataclass(frozen=True)
class Stack:
    """What `ops` needs to know of a stack."""

    names: Names
    region: str
    config: Mapping[str, Any]
    """Section -> its value, without what is encrypted."""
    resources: tuple[Mapping[str, Any], ...]
    """The resources of the state; what is secret is encrypted."""

    @property
    def secrets(self) -> list[str]:
        """Logical names of the secrets that the stack creates."""
        declared = self.config.get("secrets") or {}
        return [name for name, each in declared.items() if "existing" not in (each or {})]

    def has(self, type_: str, name: str) -> bool:
        """Whether the state has a resource of this type and logical name."""
        return any(
            each["type"] == type_ and each["urn"].endswith(f"::{name}") for each in self.resources
        )

    @property
    def ids(self) -> set[str]:
        """Every id and ARN in the state."""
        ids = {each.get("id") for each in self.resources}
        arns = {each.get("outputs", {}).get("arn") for each in self.resources}
        return {each for each in ids | arns if isinstance(each, str)}


def read(name: str) -> Stack:
    """Read the stack of the project in this folder.

    Raises:
        StackError: there is no project here, or the CLI fails.

    """
    try:
        project = yaml.safe_load(Path("Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    except OSError as error:
        raise StackError(
            f"Pulumi.yaml: {error.strerror}; run this in the project's folder"
        ) from None
    given = json.loads(_pulumi("config", "--json", "--stack", name))
    state = json.loads(_pulumi("stack", "export", "--stack", name))
    config = {
        key.removeprefix(f"{project}:"): each.get("objectValue", each.get("value"))
        for key, each in given.items()
    }
    resources = state["deployment"].get("resources") or []
    return Stack(Names(project, name), str(config.get("aws:region", "")), config, tuple(resources))


def _pulumi(*arguments: str) -> str:
    try:
        done = subprocess.run(["pulumi", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise StackError("the Pulumi CLI is not on the PATH") from None
    if done.returncode:
        raise StackError(f"`pulumi {' '.join(arguments)}`: {done.stderr.strip()}")
    return done.stdout
