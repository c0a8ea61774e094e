"""Calls a stack's functions without pause, and records the results."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import Deployment
from local.functions import Function, FunctionError, NotInvokedError

_POLL_SECONDS = 0.02
_LOG_LINES = 5


Caller = Callable[[], dict[str, Any]]
"""Makes one request; returns the response, or raises if it fails."""


class Request(NamedTuple):
    """One request and its result; times are of the monotonic clock."""

    caller: int
    start: float
    end: float
    error: str
    """The error of a failed request; otherwise empty."""
    body: dict[str, Any]


def callers_of(functions: Collection[Function], count: int) -> list[Caller]:
    """Return about `count` callers of these functions, at least one for each.

    A function has no more callers than its reserved concurrency. A request fails unless the
    response is as expected.
    """
    share = max(1, count // max(1, len(functions)))
    found: list[Caller] = []
    for function in functions:
        reserved = function.config.settings.reserved_concurrency
        found += [_caller(function)] * (share if reserved is None else min(share, reserved))
    return found


def _caller(function: Function) -> Caller:
    return lambda: function.request().body


def callers(deployment: Deployment, count: int) -> list[Caller]:
    """Return about `count` callers of the functions that have an event and can run here."""
    return callers_of([each for each in deployment.functions.values() if _can_run(each)], count)


def _can_run(function: Function) -> bool:
    if function.event is None:
        return False
    try:
        function.invoke()
    except NotInvokedError:
        return False
    except FunctionError:
        return True  # the error counts as a failed request
    return True


class Traffic:
    """Makes requests without pause, with a thread for each caller, in a `with` block."""

    def __init__(self, *callers: Caller) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._call, args=[number, request])
            for number, request in enumerate(callers)
        ]
        self._answered = [0] * len(callers)
        self.requests = 0
        self.log: list[Request] = []
        self.failures: Counter[str] = Counter()
        """Error -> how many requests failed with it."""
        self.last_answers: dict[str, float] = {}
        """`secret_version` of responses that have it -> when the last one arrived, by the
        monotonic clock."""
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
        """Wait until every caller has had a response, and return the first request of each.

        These are cold starts: all callers start at once, each with a new execution environment or
        client.

        Raises:
            TimeoutError: a caller has had no response within `seconds`.

        """
        deadline = time.monotonic() + seconds
        while True:
            with self._lock:
                first = {each.caller: each for each in reversed(self.log)}
            if len(first) == len(self._threads):
                return list(first.values())
            if time.monotonic() > deadline:
                of_all = f"{len(self._threads) - len(first)} of {len(self._threads)} callers"
                raise TimeoutError(f"{of_all} got no answer within {seconds:.0f} s")
            time.sleep(_POLL_SECONDS)

    def wait_for_requests(self, each: int, seconds: float = 60) -> None:
        """Wait until every caller had `each` more responses, or for `seconds`."""
        goals = [count + each for count in self._answered]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if all(count >= goal for count, goal in zip(self._answered, goals, strict=True)):
                return
            time.sleep(0.01)

    def _call(self, caller: int, request: Caller) -> None:
        while not self._stop.is_set():
            body: dict[str, Any] = {}
            start, failure = time.monotonic(), ""
            try:
                body = request()
            except (FunctionError, NotInvokedError, BotoCoreError, ClientError) as error:
                failure = str(error)
            except Exception as error:  # noqa: BLE001 (a dead thread would record no failures)
                failure = type(error).__name__
            end = time.monotonic()
            with self._lock:
                self.requests += 1
                self._answered[caller] += 1
                self.log.append(Request(caller, start, end, failure, body))
                self.slowest_milliseconds = max(self.slowest_milliseconds, (end - start) * 1000)
                if failure:
                    self.failures[failure] += 1
                elif "secret_version" in body:
                    self.last_answers[body["secret_version"]] = end


def rotate(deployment: Deployment, secret_id: str, seconds: float = 60) -> str:
    """Rotate a secret now and wait until the new version is current; return its id.

    Raises:
        TimeoutError: it is not current within `seconds`; with how Secrets Manager answered, the
            labels of the versions, and the end of the function's log.

    """
    client = deployment.client("secretsmanager")
    deadline, version, answer = time.monotonic() + seconds, "", ""
    stages: dict[str, list[str]] = {}
    while time.monotonic() < deadline:
        if not version:
            try:
                version = client.rotate_secret(SecretId=secret_id)["VersionId"]
                answer = f"it began to rotate to {version}"
            except client.exceptions.InvalidRequestException as error:
                # Secrets Manager is still testing the rotation of a new deployment.
                answer = str(error)
        stages = client.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
        if "AWSCURRENT" in stages.get(version, ()):
            return version
        time.sleep(_POLL_SECONDS)
    failed = f"{secret_id} was not rotated within {seconds:.0f} s"
    logged = "\n".join(_last_log_lines(deployment, secret_id)) or "nothing"
    raise TimeoutError(
        f"{failed}: {answer}; its versions: {stages}; its function's log ends with:\n{logged}"
    )


def _last_log_lines(deployment: Deployment, secret_id: str) -> list[str]:
    """Return the last lines of the function that rotates a secret."""
    secret = deployment.client("secretsmanager").describe_secret(SecretId=secret_id)
    found = deployment.client("lambda").get_function_configuration(
        FunctionName=secret["RotationLambdaARN"]
    )
    lines = deployment.log_lines(found["LoggingConfig"]["LogGroup"])
    return [line.strip() for line in lines[-_LOG_LINES:]]
