"""Patches of ministack: a decorator registers one, `apply` puts those of a module into place."""
# ruff: noqa: ANN401 (an owner is a module, a class or a dict, such as a table of handlers)

import functools
import importlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

Function = Callable[..., Any]


class Patch(NamedTuple):
    """What becomes of `owner.name`, or of `owner[name]`."""

    owner: Any
    name: str
    function: Function
    value: Callable[[Any], Any]
    """The original -> what takes its place."""
    is_new: bool = False
    """There is no original."""


_patches: defaultdict[str, list[Patch]] = defaultdict(list)
"""Module -> its patches, in the order of their definition."""


def replaces(owner: Any, name: str) -> Callable[[Function], Function]:
    """Decorate the function that takes the place of one of ministack's.

    It is called with the original as its first argument.
    """

    def register(function: Function) -> Function:
        def value(original: Function) -> Function:
            @functools.wraps(original)
            def replacement(*arguments: Any, **options: Any) -> Any:
                return function(original, *arguments, **options)

            return replacement

        return _register(Patch(owner, name, function, value))

    return register


def adds(owner: dict[str, Any], name: str) -> Callable[[Function], Function]:
    """Decorate the handler that one of ministack's tables lacks."""
    return lambda function: _register(
        Patch(owner, name, function, lambda _: function, is_new=True)
    )


def changes(owner: Any, name: str) -> Callable[[Function], Function]:
    """Decorate the function that is given one of ministack's values and returns the one to use."""
    return lambda function: _register(Patch(owner, name, function, function))


def _register(patch: Patch) -> Function:
    _patches[patch.function.__module__].append(patch)
    return patch.function


def apply(module: str) -> None:
    """Import a module and put its patches into place.

    AttributeError when ministack lacks what a patch replaces or changes, or has what it adds.
    LookupError when the module has no patches.
    """
    importlib.import_module(module)
    if not _patches[module]:
        raise LookupError(f"{module} has no patches")
    for patch in _patches[module]:
        _apply(patch)


def _apply(patch: Patch) -> None:
    is_table = isinstance(patch.owner, dict)
    exists = patch.name in patch.owner if is_table else hasattr(patch.owner, patch.name)
    if exists == patch.is_new:
        raise AttributeError(
            f"ministack {'has' if exists else 'lacks'} {patch.name}: see "
            f"{patch.function.__module__}.{patch.function.__name__}"
        )
    if is_table:
        patch.owner[patch.name] = patch.value(patch.owner.get(patch.name))
    else:
        setattr(patch.owner, patch.name, patch.value(getattr(patch.owner, patch.name)))
