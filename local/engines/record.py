"""The result of a deployment, in one form for both engines."""

from dataclasses import dataclass
from typing import Any, Protocol


class CreatedResource(Protocol):
    """One resource that an engine created."""

    @property
    def type(self) -> str:
        """Type token, such as `aws:kms/key:Key`."""

    @property
    def name(self) -> str:
        """Logical name."""

    @property
    def id(self) -> str:
        """The id in AWS; empty for a component."""

    @property
    def inputs(self) -> dict[str, Any]:
        """They may include secrets: never print them."""

    @property
    def outputs(self) -> dict[str, Any]:
        """They may include secrets: never print them."""


@dataclass(frozen=True)
class Record:
    """What a deployment created."""

    resources: tuple[CreatedResource, ...]
    """Every resource and component, in the order of creation, without the stack itself."""
    outputs: dict[str, Any]
    """The stack's outputs."""
    state: str
    """The engine's state as text: secret values are encrypted or omitted."""
    messages: tuple[str, ...] = ()
    """What the program logged for the deployer and was not shown yet."""
