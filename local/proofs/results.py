"""The outcome of a check: the promise is kept or broken, or does not apply."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from local.engines.pulumi_engine import PulumiError


class Broken(Exception):  # noqa: N818 (a promise is broken)
    """A promise does not hold; the text says why, and contains no secret value."""


class Skipped(Exception):  # noqa: N818 (a check is skipped)
    """A promise does not apply; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check."""

    promise: str
    kept: bool | None
    """None if the promise does not apply."""
    figure: str
    """The measured figure, or why the promise does not hold or apply; further lines are
    details."""


def tried(promise: str, check: Callable[[], str]) -> Outcome:
    """Run a check, which returns its figure or raises."""
    try:
        return Outcome(promise, kept=True, figure=check())
    except Skipped as skipped:
        return Outcome(promise, kept=None, figure=str(skipped))
    except (Broken, PulumiError, BotoCoreError, ClientError) as broken:
        return Outcome(promise, kept=False, figure=str(broken))
    except Exception as error:  # noqa: BLE001 (its text may quote a secret value)
        return Outcome(promise, kept=False, figure=f"the check failed with {type(error).__name__}")
