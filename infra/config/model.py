"""Base of the models of stack config, and rules for values. Pure: no Pulumi."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ..aws import limits


@dataclass(frozen=True)
class Within:
    """Pydantic rule: a value is in a range or a list of `limits`, or matches a pattern."""

    allowed: limits.Allowed
    also: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " or ".join([*map(str, self.also), limits.shown(self.allowed)])

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check after pydantic has checked the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: int | str) -> int | str:
        if value in self.allowed or value in self.also:
            return value
        raise PydanticCustomError("within", "must be {allowed}", {"allowed": str(self)})


class Model(BaseModel):
    """A section of stack config: its keys in camelCase, no others, no conversion of types."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


def parts(annotation: object) -> Iterator[object]:
    """Yield an annotation such as `Annotated[int, Within(...)] | None` and all its parts."""
    yield annotation
    if get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from parts(part)


def rule_of(field: FieldInfo) -> Within | None:
    """Return the rule that a field's values keep, if it has one."""
    found = (*field.metadata, *parts(field.annotation))
    return next((part for part in found if isinstance(part, Within)), None)


def model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model in an annotation such as `dict[str, SecretSettings]`, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)
