"""Classes whose annotations are text, as `from __future__ import annotations` makes them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal, NamedTuple, NotRequired, TypedDict


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


@dataclass(slots=True)
class Tls:
    ca: str
    mode: Literal["require", "verify-full"] = "verify-full"


class Address(NamedTuple):
    host: str
    port: int = 5432


class Limits(TypedDict):
    rate: float
    burst: NotRequired[int]


@dataclass(frozen=True)
class Database:
    kind: ClassVar[str] = "database"
    address: Address
    _: KW_ONLY
    limits: Limits | None = None
    tls: Tls | None = None
    level: Level = Level.LOW
    replicas: list[Address] = field(default_factory=list)
    labels: dict[str, Any] = field(default_factory=dict)
    parent: Database | None = None


class Plain:
    address: Address
    tls: Tls | None = None
