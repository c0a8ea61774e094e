"""What an engine made of a stack, as `checks` looks at it: the same from either engine."""

from dataclasses import dataclass
from typing import Any, Protocol


class Made(Protocol):
    """One resource that an engine made."""

    type: str
    """Type token, such as ``aws:kms/key:Key``."""
    name: str
    """Logical name."""
    id: str
    """Empty for a component."""
    inputs: dict[str, Any]
    """Never print them."""
    outputs: dict[str, Any]


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
