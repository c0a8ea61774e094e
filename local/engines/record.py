"""What an engine made of a stack, as `checks` looks at it: the same from either engine."""

from dataclasses import dataclass
from typing import Any, Protocol


class Made(Protocol):
    """One resource that an engine made."""

    @property
    def type(self) -> str:
        """Type token, such as `aws:kms/key:Key`."""

    @property
    def name(self) -> str:
        """Logical name."""

    @property
    def id(self) -> str:
        """What AWS calls it; empty for a component."""

    @property
    def inputs(self) -> dict[str, Any]:
        """Never print them."""

    @property
    def outputs(self) -> dict[str, Any]:
        """Never print them."""


@dataclass(frozen=True)
class Record:
    """What there is after a deployment."""

    resources: tuple[Made, ...]
    """Every resource and component, in the order of making, without the stack itself."""
    outputs: dict[str, Any]
    """The stack's outputs."""
    state: str
    """What the engine keeps, as text: secret values are encrypted or left out."""
    messages: tuple[str, ...] = ()
    """What the program logged for the deployer, if nobody has shown it yet."""
