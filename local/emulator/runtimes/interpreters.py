"""The program that runs functions of a runtime, such as `python3.13` or `nodejs22.x`.

The embedded AWS runs Python and Node. Functions of other runtimes are deployed and described, and
an invocation says what is missing.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from local.emulator import notices

ROOT = Path(__file__).resolve().parents[3]
NODE_HOST = Path(__file__).parent / "node_host.cjs"

OLDEST_MINOR = 10  # of Python 3; `python_host` is written for it
ANSWER_SECONDS = 30

# No `site`: what is installed next to an interpreter is not in Lambda's runtime.
_PYTHON_OPTIONS = ("-s", "-S", "-c")
_PYTHON_HOST = (
    f"import sys; sys.path[0] = {str(ROOT)!r};"
    " from local.emulator.runtimes.python_host import main; main()"
)
CONTAINER_IMAGE = "container image"
"""In the place of the runtime, which a function of this package type has none of."""

_MISSING = {
    CONTAINER_IMAGE: "containers",
    "java": "a Java runtime with AWS's runtime interface client for Java",
    "dotnet": ".NET with AWS's runtime support package",
    "ruby": "Ruby with AWS's runtime interface client for Ruby",
    "provided": "Lambda's Runtime API, which a bootstrap asks",
    "nodejs": "`node` on the PATH",
}


class MissingInterpreterError(LookupError):
    """Nothing here runs functions of the runtime; the text names it and what is missing."""


class Interpreter(NamedTuple):
    """What runs a function; a program and its arguments."""

    command: tuple[str, ...]
    version: str
    """Its major and minor version, such as `3.13`."""


@functools.cache
def find(runtime: str) -> Interpreter:
    """Return the interpreter for a runtime, and give notice of it.

    Python functions run in the Python of their runtime, if the PATH has it, and otherwise in the
    Python that runs the emulator; Node functions in the `node` that is installed.

    Raises:
        MissingInterpreterError: there is none.

    """
    found: tuple[Interpreter, str] | None = None
    if runtime.startswith("python"):
        found = _find_python(runtime.removeprefix("python"))
    elif runtime.startswith("nodejs"):
        found = _find_node()
    if found is None:
        kinds = (kind for kind in _MISSING if runtime.startswith(kind))
        missing = _MISSING.get(next(kinds, ""), "an interpreter for it")
        text = f"{runtime} functions are deployed, not invoked: the embedded AWS lacks {missing}"
        notices.give(text)
        raise MissingInterpreterError(text)
    interpreter, name = found
    notices.give(f"{runtime} functions run in {name}")
    return interpreter


def missing(runtime: str) -> str | None:
    """Return why no function of a runtime is invoked; None if they are."""
    try:
        find(runtime)
    except MissingInterpreterError as error:
        return str(error)
    return None


def version(runtime: str) -> str | None:
    """Return the major and minor version that functions of a runtime run in; None: in nothing."""
    try:
        return find(runtime).version
    except MissingInterpreterError:
        return None


def _find_python(wanted: str) -> tuple[Interpreter, str] | None:
    if not re.fullmatch(r"3\.\d+", wanted):
        return None
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if wanted != own and int(wanted.removeprefix("3.")) >= OLDEST_MINOR:
        question = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])"
        for program in _on_path(f"python{wanted}"):
            match _ask(program, "-I", "-S", "-c", question):
                case [path, version] if version.startswith(f"{wanted}."):
                    return _python(path, wanted), f"Python {version} ({path})"
    version = ".".join(map(str, sys.version_info[:3]))
    instead = "" if wanted == own else f", because no working `python{wanted}` is on the PATH"
    return _python(sys.executable, own), f"Python {version} ({sys.executable}){instead}"


def _python(program: str, version: str) -> Interpreter:
    return Interpreter((program, *_PYTHON_OPTIONS, _PYTHON_HOST), version)


def _find_node() -> tuple[Interpreter, str] | None:
    for program in _on_path("node"):
        if answer := _ask(program, "--version"):
            version = answer[0].removeprefix("v")
            command = (program, str(NODE_HOST))
            return Interpreter(command, version.rpartition(".")[0]), f"Node {version} ({program})"
    return None


def _on_path(name: str) -> Iterator[str]:
    """Yield every program of a name: the first may be a shim that runs nothing."""
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if directory and (program := shutil.which(name, path=directory)):
            yield program


def _ask(*command: str) -> list[str]:
    """Return the lines that a program answers; none when it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603 (an interpreter on the PATH)
            command, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    return answer.stdout.split("\n")[:-1]
