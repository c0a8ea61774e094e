"""What the rules of a generated value must allow. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator

from ..errors import ConfigError
from ..schema import GeneratedField


def errors(path: str, rules: GeneratedField) -> Iterator[ConfigError]:
    """Yield an error for each broken rule; `path` is the key of the value's rules."""
    excluded = (rules.exclude_lowercase, rules.exclude_uppercase, rules.exclude_numbers)
    if all((*excluded, rules.exclude_punctuation)):
        yield ConfigError(path, "excludes every character; allow at least one kind")
