"""The functions of a deployed stack: config and outputs of each, and calls to it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.config.functions import AppFunction
from local import expectations

# `errorType` of the embedded AWS for a function whose runtime this machine cannot run.
_NOT_INVOKED = "EmbeddedAws.NotInvoked"


class FunctionError(Exception):
    """The function raised an error or returned an unexpected response; the text says which."""

    def __init__(self, text: str, payload: str = "") -> None:
        super().__init__(text)
        self.payload = payload or text
        """The whole response of Lambda, including the stack trace."""


class NotInvokedError(Exception):
    """The function cannot be invoked here; the text says why."""


@dataclass(frozen=True)
class Invocation:
    """The response to one call of a function."""

    result: Any
    """The response, parsed as JSON."""
    payload: str
    """The unparsed response."""
    milliseconds: float

    @property
    def status(self) -> int | None:
        """`statusCode` of an HTTP response; None for any other."""
        return self.result.get("statusCode") if isinstance(self.result, dict) else None

    @property
    def body(self) -> dict[str, Any]:
        """The body of an HTTP response if it is a JSON object; otherwise empty."""
        try:
            read = json.loads(self.result["body"])
        except (KeyError, TypeError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}


@dataclass(frozen=True)
class Function:
    """One function of a stack."""

    config: AppFunction
    outputs: Mapping[str, str]
    """Its entry in the output `functions`: name, arn, alias_arn, role_arn, log_group_name."""
    project: Path
    """The project's folder."""
    client: Callable[[str], Any]
    """Service -> the administrator's client."""

    @property
    def name(self) -> str:
        """Logical name."""
        return self.config.name

    @property
    def event(self) -> bytes | None:
        """The payload to call it with, if config names an event.

        Raises:
            FunctionError: the file cannot be read.

        """
        if self.config.is_example:
            return b"{}"
        path = self.config.settings.event
        if path is None:
            return None
        try:
            return (self.project / path).read_bytes()
        except OSError as error:
            raise FunctionError(
                f"{self.config.section}.event {path!r} cannot be read ({error.strerror});"
                " name a JSON file in the project"
            ) from error

    def invoke(self) -> Invocation:
        """Call the function through its alias, as a user would, with its event or `{}`.

        Raises:
            FunctionError: the function raised or timed out.
            NotInvokedError: this machine cannot run it.

        """
        event = self.event or b"{}"
        start = time.perf_counter()
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["alias_arn"], Payload=event
        )
        payload = answer["Payload"].read().decode()
        milliseconds = (time.perf_counter() - start) * 1000
        try:
            result = json.loads(payload or "null")
        except ValueError:
            raise FunctionError("the function's response is not JSON") from None
        if "FunctionError" in answer:
            kind, text = (result.get(key) for key in ("errorType", "errorMessage"))
            if kind == _NOT_INVOKED:
                raise NotInvokedError(str(text))
            raise FunctionError(f"the function raised {kind}: {text}", payload)
        return Invocation(result, payload, milliseconds)

    def request(self) -> Invocation:
        """Call the function and check the response.

        Raises:
            FunctionError, NotInvokedError: as `invoke` does.
            FunctionError: the response is not as expected.

        """
        invocation = self.invoke()
        if differences := list(self.unmet(invocation)):
            raise FunctionError("; ".join(differences))
        return invocation

    def unmet(self, invocation: Invocation) -> list[str]:
        """Return the differences between a response and what config expects."""
        return list(expectations.unmet(invocation.result, self.config.settings.expect))

    @property
    def configuration(self) -> dict[str, Any]:
        """The configuration of `$LATEST`."""
        found: dict[str, Any] = self.client("lambda").get_function_configuration(
            FunctionName=self.outputs["name"]
        )
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Its environment variables, read from Lambda."""
        variables: dict[str, str] = self.configuration["Environment"]["Variables"]
        return variables
