"""Uses credentials that may be rotated at any moment."""

from .errors import SecretError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .client import SecretClient
    from .loading import Loader
    from .value import Value

    T = TypeVar("T")

_NOW = (None, True)
# Stage, and whether to go round the caches.
_TRIES = ((None, False), _NOW, ("AWSPENDING", True), _NOW)


def use_fresh(  # noqa: PLR0913, PLR0917 (those of `with_fresh_credentials`, and two more)
    client: "SecretClient",
    loader: "Callable[[], Loader]",
    secret_id: str,
    use: "Callable[[Value], T]",
    is_auth_error: "Callable[[Exception], bool]",
    context: "Any",
) -> "T":
    """Do what `SecretClient.with_fresh_credentials` promises."""
    refused: set[str] = set()
    failure = Exception()
    key = ("credentials", secret_id)
    for stage, refresh in _TRIES:
        try:
            value = client.get_secret(
                secret_id, version_stage=stage, refresh=refresh, context=context
            )
        except SecretError as error:
            if not refused:
                raise
            failure.add_note(str(error))
            continue
        if value.version in refused:
            continue
        try:
            used = use(value)
        except Exception as error:
            if not is_auth_error(error):
                raise
            failure = error
            refused.add(value.version)
            if value.version in (loader().backoff.recent(key) or ()):
                raise
        else:
            if refused:
                loader().backoff.worked(key)
            return used
    loader().backoff.failed(key, frozenset(refused))
    raise failure
