"""The emulator's process: ministack, with the gaps closed that this project's promises meet.

One module or more per service. Every patch is named after the gap it closes and wraps the function
that has it, so that an upgrade of ministack shows, by `AttributeError` at the start or by its
test, which patches may go. Nothing here is imported by the process that starts the emulator.
"""

import functools
from collections.abc import Callable
from typing import Any

Response = tuple[int, dict[str, str], bytes]
"""What a handler of ministack answers: status, headers and body."""


def replaces(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: ANN401 - a module, a class or a table of handlers
    """Decorate the function that takes the place of `owner.name`, or of `owner[name]`.

    It is called with the original as its first argument. AttributeError or KeyError when there is
    no such original.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        original = owner[name] if isinstance(owner, dict) else getattr(owner, name)

        @functools.wraps(original)
        def replacement(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as the original
            return function(original, *arguments, **options)

        if isinstance(owner, dict):
            owner[name] = replacement
        else:
            setattr(owner, name, replacement)
        return function

    return decorate
