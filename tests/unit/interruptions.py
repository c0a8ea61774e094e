"""Interrupts a call of the client wherever it may be, and shows what a traceback then shows."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import TracebackException
from types import FrameType
from typing import Any

import pytest

PACKAGES = {"secret_client", "json"}


class Interrupted(Exception):  # noqa: N818 (what a signal handler might raise)
    """Comes in the middle of a call."""


def interruptions(call: Callable[[], object]) -> Iterator[Interrupted]:
    """Interrupt a call at each line in turn that runs in the client or in `json`."""
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if event == "line" and Path(frame.f_code.co_filename).parent.name in PACKAGES:
            lines -= 1
            if not lines:
                raise Interrupted
        return trace

    for line in range(1, 10_000):
        lines, before = line, sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        except Interrupted as error:
            yield error
        else:
            return
        finally:
            sys.settrace(before)
    pytest.fail("the call never ended")


def shown(error: BaseException) -> str:
    return "".join(TracebackException.from_exception(error, capture_locals=True).format())
