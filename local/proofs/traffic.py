"""Callers of a stack's function who never pause, and what became of their requests."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import Deployment, FunctionError

_OK = 200
_POLL_SECONDS = 0.02


Caller = Callable[[], dict[str, Any]]
"""Makes one request; answers with `secret_version` at least, or raises when it fails."""


class Request(NamedTuple):
    """One request and its outcome, by the monotonic clock."""

    caller: int
    start: float
    end: float
    fault: str
    """What it said when it failed; else nothing."""
    body: dict[str, Any]


class Traffic:
    """Threads that call the function, one request after the other, for the time of a `with` block.

    A request has failed when the function raises, or answers with any status but 200. In addition
    to `callers` of the function there is a thread for each of `others`.
    """

    def __init__(self, deployment: Deployment, callers: int, *others: Caller) -> None:
        self._deployment = deployment
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._call, args=[number, request])
            for number, request in enumerate([self._invoke] * callers + list(others))
        ]
        self.requests = 0
        self.log: list[Request] = []
        self.failures: Counter[str] = Counter()
        """What failing requests said -> how often."""
        self.last_answers: dict[str, float] = {}
        """Version of the secret -> when the last answer by it came, by the monotonic clock."""
        self.slowest_milliseconds = 0.0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_every_caller(self, seconds: float = 60) -> list[Request]:
        """Wait until every caller has had an answer, and return the first one of each.

        These are the requests that a new execution environment or client answers: all callers
        start at once.

        Raises:
            TimeoutError: some caller has had none after so long.

        """
        deadline = time.monotonic() + seconds
        while True:
            with self._lock:
                first = {each.caller: each for each in reversed(self.log)}
            if len(first) == len(self._threads):
                return list(first.values())
            if time.monotonic() > deadline:
                of_all = f"{len(self._threads) - len(first)} of {len(self._threads)} callers"
                raise TimeoutError(f"{of_all} have had no answer in {seconds:.0f} s")
            time.sleep(_POLL_SECONDS)

    def wait_for_requests(self, count: int, seconds: float = 60) -> None:
        """Wait until so many more requests were answered, or for so long."""
        aim, deadline = self.requests + count, time.monotonic() + seconds
        while self.requests < aim and time.monotonic() < deadline:
            time.sleep(0.01)

    def _invoke(self) -> dict[str, Any]:
        invocation = self._deployment.invoke()
        if invocation.status != _OK:
            raise FunctionError(invocation.body.get("error"))
        return invocation.body

    def _call(self, caller: int, request: Caller) -> None:
        while not self._stop.is_set():
            body: dict[str, Any] = {}
            start, fault = time.monotonic(), ""
            try:
                body = request()
            except (FunctionError, BotoCoreError, ClientError) as error:
                fault = str(error)
            except Exception as error:  # noqa: BLE001 (a caller that dies would count no failure)
                fault = type(error).__name__
            end = time.monotonic()
            with self._lock:
                self.requests += 1
                self.log.append(Request(caller, start, end, fault, body))
                self.slowest_milliseconds = max(self.slowest_milliseconds, (end - start) * 1000)
                if fault:
                    self.failures[fault] += 1
                elif "secret_version" in body:
                    self.last_answers[body["secret_version"]] = end


def rotate(deployment: Deployment, secret_id: str, seconds: float = 60) -> str:
    """Rotate a secret now and wait until the new version is current; return its id.

    Raises:
        TimeoutError: it is not current after so long; the rotation function's log says why.

    """
    client = deployment.client("secretsmanager")
    deadline, version = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        if not version:
            # One that has just been deployed is still being tried.
            with suppress(client.exceptions.InvalidRequestException):
                version = client.rotate_secret(SecretId=secret_id)["VersionId"]
        stages = client.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
        if "AWSCURRENT" in stages.get(version, ()):
            return version
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{secret_id} was not rotated in {seconds:.0f} s; see its function's log")
