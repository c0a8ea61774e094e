"""What the contract test needs to know of a type: valid inputs, other valid values, its quirks."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local.aws import ACCOUNT_ID, EmbeddedAws
from local.provider.provider import DeploymentError, Provider
from local.provider.resource import Session

REGION = "us-east-1"


class World:
    """An account in which what a resource refers to can be made."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.provider = Provider(aws, REGION)
        self.session = Session(aws, REGION)
        self.account_id = ACCOUNT_ID
        self._made: list[tuple[str, str, str, dict[str, Any]]] = []
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}

    def checked(self, type_: str, name: str, /, **given: Any) -> dict[str, Any]:
        """Return the inputs with what the provider adds to them; none of them is refused."""
        inputs, refused = self.provider.check(type_, name, given)
        assert refused == []
        return inputs

    def make(self, type_: str, name: str, /, **inputs: Any) -> dict[str, Any]:
        """Make a resource once for each name; return its state, with `id`."""
        if name not in self._known:
            id_, state = self.provider.create(type_, name, self.checked(type_, name, **inputs))
            self._made.append((type_, name, id_, state))
            self._known[name] = id_, state
        id_, state = self._known[name]
        return {**state, "id": id_}

    def client(self, service: str) -> Any:
        return self.session.client(service)

    def close(self) -> None:
        """Delete everything, the last first."""
        for type_, name, id_, state in reversed(self._made):
            with suppress(DeploymentError):
                self.provider.delete(type_, name, id_, state)


@dataclass(frozen=True)
class Specimen:
    """One type."""

    type: str
    inputs: Callable[[World], dict[str, Any]]
    """Valid inputs, every one that the program uses among them."""
    changes: Callable[[World], list[dict[str, Any]]]
    """Inputs that the first `up` after an import changes: AWS does not tell them."""
    not_changed: Mapping[str, str] = field(default_factory=dict)
    """Inputs that are not tried -> why."""
    taken: str = ""
    """Text of the error when one exists already; empty: a second creation is no error."""
    not_read: frozenset[str] = frozenset()
    """Inputs that AWS does not tell, so that no change by hand is seen."""
    found_by: frozenset[str] = frozenset()
    """Inputs that are needed to find it, next to the id."""
    deletes_twice: bool = True
    """Whether a second deletion is fine."""
    seen_gone: bool = True
    """Whether a refresh sees that it was deleted."""
    import_id: Callable[[str, dict[str, Any]], str] | None = None
    """What `pulumi import` takes, from id and state; None: the id; see also `not_imported`."""
    not_imported: str = ""
    """Why it cannot be imported."""
    import_differs: frozenset[str] = frozenset()
    """Inputs that the first `up` after an import changes: AWS does not tell them."""
