"""Reads config that has errors: everything except the wrong keys. Pure."""

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .errors import ConfigError, of_schema
from .schema import Settings


class Partial(NamedTuple):
    """Settings without the keys that are wrong by themselves."""

    settings: Settings
    """Wrong keys have their defaults."""
    errors: list[ConfigError]
    """The errors of the wrong keys."""
    left_out: tuple[str, ...]
    """Paths of the wrong keys, such as `function.memoryMb`."""

    def judged(self, errors: Iterable[ConfigError]) -> list[ConfigError]:
        """Return the errors of rules that are about what the user wrote, not about a default."""
        return [each for each in errors if self.judges(each.path, *each.depends_on)]

    def judges(self, path: str, *others: str) -> bool:
        """Whether a rule about a path that also reads `others` sees only what the user wrote."""
        section = path.partition(".")[0]
        if self.lacks_functions and section in ("function", "internalFunctions"):
            return False  # about the example function, which is used instead
        return not any(_overlap(each, left) for each in (path, *others) for left in self.left_out)

    @property
    def lacks_functions(self) -> bool:
        """Whether the config has `functions`, but none of them can be read."""
        left = any(path.partition(".")[0] == "functions" for path in self.left_out)
        return left and not self.settings.functions

    def is_whole(self, path: str) -> bool:
        """Whether no key at or under a path was omitted."""
        return not any(left.startswith(f"{path}.") or left == path for left in self.left_out)


def read(raw: Mapping[str, Any]) -> Partial:
    """Read the config without the keys that are wrong by themselves."""
    errors: list[ConfigError] = []
    left_out: list[str] = []
    sound = copy.deepcopy(dict(raw))
    while True:
        try:
            return Partial(Settings.model_validate(sound), errors, tuple(left_out))
        except ValidationError as error:
            details = error.errors()
        if not errors:
            errors += of_schema(details)
        before = copy.deepcopy(sound)
        for each in sorted(details, key=lambda detail: str(detail["loc"]), reverse=True):
            path = _drop(sound, each)
            # An unknown key has no default.
            if each["type"] != "extra_forbidden":
                left_out.append(path)
        if sound == before:  # no single key can be removed, so remove whole sections
            for each in details:
                sound.pop(str(each["loc"][0]), None)


def _drop(config: dict[str, Any], error: ErrorDetails) -> str:
    """Remove the wrong key, or the map that lacks it; return its path."""
    place: Any = config
    owner: dict[str, Any] | None = None
    path: list[str] = []
    for part in error["loc"]:
        # The rest is not a key: it is missing here, or a type that did not match.
        if not isinstance(place, dict) or (part not in place and error["input"] is place):
            break
        if part not in place:
            return ".".join([*path, str(part)])  # removed for an earlier error
        owner, place = place, place[part]
        path.append(str(part))
    if owner is not None:
        del owner[path[-1]]
    return ".".join(path)


def _overlap(path: str, left: str) -> bool:
    """Whether two paths are the same, or one is in the other."""
    own = re.sub(r"\['(.*)'\]", r".\1", path)  # exemptions['rotation.a']
    parts = (f"{own}.", f"{left}.")
    return parts[0].startswith(parts[1]) or parts[1].startswith(parts[0])
