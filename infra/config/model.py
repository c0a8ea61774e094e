"""What the models of stack config share: their base, and rules of values. Pure: no Pulumi."""

from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ..aws import limits


@dataclass(frozen=True)
class Within:
    """Pydantic rule: a value is in a range or a list of `limits`, or matches a pattern."""

    allowed: limits.Allowed
    besides: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " or ".join([*map(str, self.besides), limits.shown(self.allowed)])

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check after pydantic has checked the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: int | str) -> int | str:
        if value in self.allowed or value in self.besides:
            return value
        raise PydanticCustomError("within", "must be {allowed}", {"allowed": str(self)})


class Model(BaseModel):
    """A section of stack config: its keys in camelCase, no others, no conversion of types."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


def model_in(annotation: object) -> type[BaseModel] | None:
    """Find the model in an annotation such as `dict[str, SecretSettings]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)
