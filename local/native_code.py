"""Rebuilds functions with native code for another processor or Python version for this machine.

Functions are for arm64 by default, and their libraries run on no other processor. The preview
builds and checks the packages that AWS would get; this module only changes what is deployed to
the embedded AWS.
"""

import hashlib
import platform
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from infra.aws import layers
from infra.config import code
from infra.config.functions import AppFunction, functions
from infra.packaging import binaries, package, requirements, runtimes, store
from infra.packaging.package import Source
from local.config import settings
from local.config.project import Stack

_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
# Lambda runs Linux, and code built for Linux runs on no other system.
_OTHER_SYSTEM = "a system that Lambda does not support"


class _Target(NamedTuple):
    """The runtime and architecture of this machine."""

    runtime: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.runtime} on {self.architecture}"


def architecture() -> str:
    """Return the architecture of this machine, in Lambda's words."""
    if sys.platform != "linux":
        return _OTHER_SYSTEM
    return _ARCHITECTURES.get(platform.machine(), _OTHER_SYSTEM)


def layer_arns(region: str) -> set[str]:
    """Return the ARNs of the extension's layers that rebuilt functions need."""
    try:
        return {layers.extension_layer_arn(region, architecture())}
    except LookupError:
        return set()


def for_this_machine(
    stack: Stack, version_of: Callable[[str], str | None], cache: Path = store.DEFAULT
) -> tuple[Stack, list[str]]:
    """Return the stack with rebuilt functions, and a note for each of them.

    `version_of` returns the local language version of a runtime, such as `3.13`, or None. A
    function that cannot be rebuilt is deployed as it is, without its event.
    """
    changed, notes = stack.section("functions"), []
    for name, function in functions(settings.read(stack)).items():
        source = code.source(function, stack.program.parent)
        if function.is_example or (target := _target(source, version_of)) is None:
            continue
        files = package.build(source, cache).files
        if not any(binaries.errors(files, *target)):
            continue
        again = _again(source, target, cache)
        errors = package.build(again, cache).errors
        if errors:
            key, message = errors[0]
            notes.append(
                f"{name}: deployed but not invoked: its native code is for {source.architecture}"
                f" and cannot be rebuilt for this machine: {key} {message}"
            )
            changed[name] = _without_event(changed[name])
            continue
        notes.append(f"{name}: rebuilt for this machine, {target}")
        changed[name] = {**changed[name], **_keys(again, function)}
    return (stack.changed(functions=changed), notes) if notes else (stack, [])


def _target(source: Source, version_of: Callable[[str], str | None]) -> _Target | None:
    version = version_of(source.runtime)
    if version is None:
        return None  # this machine cannot run it
    is_python = runtimes.python(source.runtime) is not None
    return _Target(f"python{version}" if is_python else source.runtime, architecture())


def _again(source: Source, target: _Target, cache: Path) -> Source:
    """Return the source for this machine, with the versions in the function's lock."""
    version = runtimes.python(source.runtime)
    path = source.requirements
    if path is not None and version is not None:
        lock = requirements.lock_path(path, runtimes.Platform(version, source.architecture))
        constrained = f"-r {path.resolve()}\n-c {lock.resolve()}\n"
        digest = hashlib.sha256(constrained.encode()).hexdigest()
        path = cache / "machine" / digest / path.name
        store.write(path, constrained.encode())
    return replace(
        source, runtime=target.runtime, architecture=target.architecture, requirements=path
    )


def _keys(source: Source, function: AppFunction) -> dict[str, Any]:
    """Return the config keys of a function that describe the source."""
    keys: dict[str, Any] = {"runtime": source.runtime, "architecture": source.architecture}
    if function.settings.requirements is not None:
        keys["requirements"] = str(source.requirements)
    return keys


def _without_event(function: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in function.items() if key not in ("event", "expect")}
