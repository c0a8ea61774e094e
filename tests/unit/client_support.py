"""What several tests of the retrieval client share."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import pytest

from secret_client import (
    Value,
    backoff,
    client,
    clocks,
    extension,
    extension_retries,
    loading,
    sdk,
)
from tests import scripted
from tests.scripted import Aws

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:app/database-AbCdEf"
REPLICAS = ("eu-west-1", "us-east-1")
BROKEN = scripted.http(400, scripted.GENERIC)
DOWN = scripted.aws_error("ServiceUnavailable", status=503)
PORT = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"


def follow(patch: pytest.MonkeyPatch, clock: scripted.Clock) -> None:
    """Let every module of the client follow a test's clock."""
    for module in (backoff, client, clocks, extension, extension_retries, loading, sdk):
        patch.setattr(module, "monotonic", clock)
        if hasattr(module, "time"):
            patch.setattr(module, "time", clock.time)


def value_of(text: str | None = None, binary: bytes | None = None) -> Value:
    return Value(
        text, binary, name="s", arn="arn", version="v", stages=("AWSCURRENT",), source="sdk"
    )


class threads:  # noqa: N801 (a context manager, read as a word)
    """Runs a call in so many threads, and joins them."""

    def __init__(self, count: int, call: Callable[[], object]) -> None:
        self.outcomes: list[object] = []
        self._call = call
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def _run(self) -> None:
        try:
            self.outcomes.append(self._call())
        except Exception as error:  # noqa: BLE001 (an outcome, too)
            self.outcomes.append(error)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.002)


# Half of the time that a client has here, which whoever fails or hangs does not take.
HALF_SECONDS = 30.0


def left(seconds: float) -> Any:
    millis = (seconds + client._RESERVE_SECONDS) * 1000  # noqa: SLF001
    return SimpleNamespace(get_remaining_time_in_millis=lambda: millis)


def asked(aws: Aws) -> list[str]:
    return [request.region for request in aws.requests]


CHECK = "check name, region, version and stage, and that the secret has a value"
