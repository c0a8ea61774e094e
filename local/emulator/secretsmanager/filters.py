"""Filters of ListSecrets and BatchGetSecretValue: by prefix, by words, and negated by `!`."""

# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
from collections.abc import Callable, Iterator

from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response
from local.emulator.secretsmanager.shared import Data, Handler

OWNING_SERVICE_TAG = "aws:secretsmanager:owningService"
_WORD = re.compile(r"[^\s/_+=.@!-]+")

Matches = Callable[[Data, str], bool]


def _by_prefix(texts: Callable[[Data], Iterator[str]]) -> Matches:
    """Match a secret that has a text which starts with the filter's value."""
    return lambda secret, value: any(text.startswith(value) for text in texts(secret))


def _by_words(texts: Callable[[Data], Iterator[str]]) -> Matches:
    """Match a secret that has, for each word of the value, a word that starts with it."""

    def matches(secret: Data, value: str) -> bool:
        words = [word for text in texts(secret) for word in _WORD.findall(text.lower())]
        return all(
            any(word.startswith(start) for word in words) for start in _WORD.findall(value.lower())
        )

    return matches


def _name(secret: Data) -> Iterator[str]:
    yield secret["Name"]


def _description(secret: Data) -> Iterator[str]:
    yield secret.get("Description") or ""


def _tag_keys(secret: Data) -> Iterator[str]:
    yield from (tag["Key"] for tag in secret["Tags"])


def _tag_values(secret: Data) -> Iterator[str]:
    yield from (tag["Value"] for tag in secret["Tags"])


def _primary_region(secret: Data) -> Iterator[str]:
    yield secret.get("_PrimaryRegion") or ""


def _owning_service(secret: Data) -> Iterator[str]:
    yield from (tag["Value"] for tag in secret["Tags"] if tag["Key"] == OWNING_SERVICE_TAG)


def _everything(secret: Data) -> Iterator[str]:
    for texts in (_name, _description, _tag_keys, _tag_values):
        yield from texts(secret)


FILTERS = {
    "all": _by_words(_everything),
    "description": _by_words(_description),
    "name": _by_prefix(_name),
    "owning-service": _by_prefix(_owning_service),
    "primary-region": _by_prefix(_primary_region),
    "tag-key": _by_prefix(_tag_keys),
    "tag-value": _by_prefix(_tag_values),
}


@replaces(secretsmanager, "_filter_secret_names")
def filter_by_prefix_and_words(
    _original: Callable[..., list[str]], names: list[str], filters: list[Data]
) -> list[str]:
    """Keep the secrets that pass every filter.

    ministack looks for the value anywhere in a name, takes `!` as a character, and ignores the
    filters `all`, `primary-region` and `owning-service`.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
    """
    return [
        name
        for name in names
        if all(_passes(secretsmanager._secrets[name], each) for each in filters)
    ]


def _passes(secret: Data, one: Data) -> bool:
    """Return whether a secret has one of the values of a filter, and none that is negated."""
    matches, values = FILTERS[one["Key"]], one.get("Values", [])
    wanted = [value for value in values if not value.startswith("!")]
    unwanted = [value[1:] for value in values if value.startswith("!")]
    if any(matches(secret, value) for value in unwanted):
        return False
    return not wanted or any(matches(secret, value) for value in wanted)


@replaces(secretsmanager, "_list_secrets")
def refuse_unknown_filter(original: Handler, data: Data) -> Response:
    """Refuse a filter without a key, or with an unknown one.

    ministack ignores it.
    """
    if any(each.get("Key") not in FILTERS for each in data.get("Filters", [])):
        return error_response("InvalidParameterException", "Invalid filter key")
    return original(data)
