"""Asks the extension again where that helps, and not where it has just failed."""

import os
from collections.abc import Iterator
from time import monotonic, sleep

from .extension import Question, from_extension, request
from .refusals import Refused
from .value import Value, decode

_NOT_READY_PAUSE_SECONDS = 0.002
# On AWS, it is ready before the first invocation.
_READY_SECONDS = 1.0
# An extension that did not answer gets little time for this long, and one that accepts no token
# is not asked.
_DOWN_SECONDS = 30.0
SLOW_SECONDS = 0.25  # enough to answer from its cache
_BAD_TOKEN = (401, 403)
_REFUSES = "it did not accept the session token"
_NO_PARAMETERS = "it does not offer Parameter Store"


class Extension:
    """The extension, or AWS's agent, of one execution environment."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._waited = False
        self._slow_until = 0.0
        self._refuses_until = 0.0
        self._has_parameters = True

    def read(self, question: Question, deadline: float, failure: Exception | None) -> Value:
        """Ask, and again if it is not ready or knows another token; begin with a failure.

        Raises:
            SecretError: it named the cause.
            OSError: it did not answer, or not with a value.
            ValueError, OverflowError: the port or the token is invalid.

        """
        now = monotonic()
        if self._refuses_until > now:
            raise ConnectionError(_REFUSES)
        if question.service == "ssm" and not self._has_parameters:
            raise ConnectionError(_NO_PARAMETERS)
        if self._slow_until > now:
            deadline = min(deadline, now + SLOW_SECONDS)
        try:
            if failure is not None:
                raise failure
            if not self._token:
                return self._with_another_token(question, deadline)
            return from_extension(question, self._token, deadline)
        except Refused as refused:
            return self._after(question, deadline, refused)

    def mark_slow(self) -> None:
        """Give it little time from now on: it did not answer in time, and AWS itself did."""
        self._slow_until = monotonic() + _DOWN_SECONDS

    def _after(self, question: Question, deadline: float, refused: Refused) -> Value:
        refused.__traceback__ = None  # the locals of its frames hold the token
        if refused.is_not_ready:
            return self._when_ready(question, deadline)
        if refused.status in _BAD_TOKEN:
            try:
                return self._with_another_token(question, deadline)
            except Refused as other:
                return self._after(question, deadline, other)
        if refused.status == 404 and question.service == "ssm":
            self._has_parameters = False
            raise ConnectionError(_NO_PARAMETERS)
        if refused.code and refused.status < 500:  # else the agent itself failed
            from .sdk import error_of

            raise error_of(question.name, refused.code, refused.message)
        raise refused

    def _when_ready(self, question: Question, deadline: float) -> Value:
        """Ask until it is ready; the environment waits for that once."""
        ready_by = min(deadline, monotonic() + _READY_SECONDS)
        # Counted as well, because a test may freeze the clock.
        for _ in range(0 if self._waited else int(_READY_SECONDS / _NOT_READY_PAUSE_SECONDS)):
            sleep(_NOT_READY_PAUSE_SECONDS)
            try:
                return from_extension(question, self._token, deadline)
            except Refused as refused:
                if not refused.is_not_ready:
                    return self._after(question, deadline, refused)
            if monotonic() > ready_by:
                break
        self._waited = True
        raise ConnectionError(
            "it was not ready; ask in the handler, not while a module is imported"
        )

    def _with_another_token(self, question: Question, deadline: float) -> Value:
        """Try what AWS's extension and its agent are known to take, and remember what is taken."""
        is_any = bool(self._token)
        for token in _tokens(self._token, deadline):
            is_any = True
            try:
                value = from_extension(question, token, deadline)
            except Refused as refused:
                if refused.status in _BAD_TOKEN:
                    continue
                self._token = token
                raise
            self._token = token
            return value
        if not is_any:
            raise ConnectionError("AWS_SESSION_TOKEN is not set: is this Lambda?")
        self._refuses_until = monotonic() + _DOWN_SECONDS
        raise ConnectionError(_REFUSES)


def _tokens(refused: str, deadline: float) -> Iterator[str]:
    """Return further tokens: of the environment, and, under SnapStart, from Lambda's endpoint."""
    tried = {refused}
    for variable in ("AWS_SESSION_TOKEN", "", "AWS_CONTAINER_AUTHORIZATION_TOKEN"):
        token = os.environ.get(variable, "") if variable else _endpoint_token(deadline)
        if token and token not in tried:
            tried.add(token)
            yield token


def _endpoint_token(deadline: float) -> str:
    """Ask the endpoint of the execution environment's credentials, on this machine."""
    uri = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    _, _, rest = uri.removeprefix("http://").partition(":")
    at, _, path = rest.partition("/")
    header = f"Authorization: {os.environ.get('AWS_CONTAINER_AUTHORIZATION_TOKEN', '')}"
    try:
        _, body = request(int(at), f"/{path}", header, deadline)
        return str(decode(body.decode())["Token"])
    except (OSError, ValueError, OverflowError, KeyError, TypeError):
        return ""
