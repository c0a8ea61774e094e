"""The outcome of a check: the promise is kept or broken, or does not apply."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from local.engines.pulumi_engine import PulumiError


class CheckFailed(Exception):  # noqa: N818 (a result, not an error)
    """A promise does not hold; the text says why, and contains no secret value."""


class CheckSkipped(Exception):  # noqa: N818 (a result, not an error)
    """A promise does not apply; the text says why."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check."""

    promise: str
    passed: bool | None
    """None if the promise does not apply."""
    figure: str
    """The measured figure, or why the promise does not hold or apply; further lines are
    details."""


def run_check(promise: str, check: Callable[[], str]) -> CheckResult:
    """Run a check, which returns its figure or raises."""
    try:
        return CheckResult(promise, passed=True, figure=check())
    except CheckSkipped as skipped:
        return CheckResult(promise, passed=None, figure=str(skipped))
    except (CheckFailed, PulumiError, BotoCoreError, ClientError) as failed:
        return CheckResult(promise, passed=False, figure=str(failed))
    except Exception as error:  # noqa: BLE001 (its text may quote a secret value)
        return CheckResult(
            promise, passed=False, figure=f"the check failed with {type(error).__name__}"
        )
