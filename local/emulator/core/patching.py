"""Replacing functions of ministack with functions that wrap them."""

import functools
from collections.abc import Callable
from typing import Any


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
