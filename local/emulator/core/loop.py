"""The event loop, on which ministack's handlers run one at a time.

What other threads cause, such as the log lines of an invocation, is done on it too: handlers
replace whole lists, and what another thread appends in between is lost.
"""
# ruff: noqa: SLF001 (ministack's loop has a private name)

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar, TypeVarTuple, Unpack

import ministack.app

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


def soon(function: Callable[[Unpack[Arguments]], object], *arguments: *Arguments) -> None:
    """Call `function` on the loop, with this thread's account, region and caller."""
    ministack.app._MAIN_LOOP.call_soon_threadsafe(function, *arguments)


def later(
    seconds: float, function: Callable[[Unpack[Arguments]], object], *arguments: *Arguments
) -> None:
    """Call `function` in `seconds`, as `soon` does; only from the loop itself."""
    ministack.app._MAIN_LOOP.call_later(seconds, function, *arguments)


def run(coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
    """Run a coroutine on the loop, from any other thread."""
    return asyncio.run_coroutine_threadsafe(coroutine, ministack.app._MAIN_LOOP)
