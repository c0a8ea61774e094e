"""What `tags` must satisfy. Pure: no Pulumi, no boto3."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping

from ...aws import limits
from ..errors import ConfigError
from . import sensitive

# Tags of all resources: the names of project and stack.
OWN_TAGS = ("Project", "Environment")


def errors(tags: Mapping[str, str], default_keys: Collection[str]) -> Iterator[ConfigError]:
    """Yield an error for each broken rule; `default_keys` are those of `aws:defaultTags`."""
    if len(tags) > limits.TAGS - len(OWN_TAGS):
        yield ConfigError(
            "tags", f"must have at most {limits.TAGS - len(OWN_TAGS)} entries, got {len(tags)}"
        )
    first: dict[str, str] = {}
    for key, value in tags.items():
        for rule in _violations(key, value):
            yield ConfigError(f"tags.{key}", rule)
        # The key may say what the value is, such as `Password`.
        yield from sensitive.errors(f"tags.{key}", f"{key}={value}")
        if (other := first.setdefault(key.lower(), key)) != key:
            rule = f"differs from {other!r} only by case, which IAM ignores; keep one"
            yield ConfigError(f"tags.{key}", rule)
    yield from _defaults((*OWN_TAGS, *tags), default_keys)


def _defaults(keys: Collection[str], default_keys: Collection[str]) -> Iterator[ConfigError]:
    """Reject default tags that a resource would have twice, as IAM reads it."""
    first = {key.lower(): key for key in reversed([*keys])}
    for key in default_keys:
        if (other := first.setdefault(key.lower(), key)) != key:
            rule = f"differs from the tag {other!r} only by case, which IAM ignores"
            remedy = f"write {other!r}, or remove it"
            yield ConfigError(f"aws:defaultTags.tags.{key}", f"{rule}; {remedy}")


def _violations(key: str, value: str) -> Iterator[str]:
    if not 1 <= len(key) <= limits.TAG_KEY_LENGTH or key.lower().startswith("aws:"):
        yield f"must have 1 to {limits.TAG_KEY_LENGTH} characters and not start with aws:"
    if key.lower() in map(str.lower, OWN_TAGS):  # IAM ignores case
        yield "is set by this program to the name of the project or stack; remove it"
    if len(value) > limits.TAG_VALUE_LENGTH:
        yield f"must have a value of at most {limits.TAG_VALUE_LENGTH} characters"
    if not all(map(_is_allowed, key + value)):
        yield "may contain only letters, digits, spaces and +-=.:/@_ (no tabs or line breaks)"


def _is_allowed(character: str) -> bool:
    return character in limits.TAG_SYMBOLS or unicodedata.category(character)[0] in "LNZ"
