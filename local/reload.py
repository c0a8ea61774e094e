"""Deploys a function again when its code is saved."""

import hashlib
import json
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infra.config.settings import SettingsError
from local.deployment import Deployment, preview
from local.functions import Function
from local.provider.archive import package

SECONDS = 0.5
"""The interval between two polls."""
_IS_NO_PYTHON = 3
_COMPILE = f"""
import json, sys
for file in sys.argv[1:]:
    try:
        compile(open(file, "rb").read(), file, "exec")
    except SyntaxError as error:
        print(json.dumps([file, error.lineno, error.msg]))
        sys.exit({_IS_NO_PYTHON})
"""
_FUNCTION = "aws:lambda/function:Function"
_WAIT = {"Delay": 0.02, "MaxAttempts": 500}


class _Saved(NamedTuple):
    """The state of a saved file; it changes when the file is saved again."""

    nanoseconds: int
    size: int


_Files = dict[Path, _Saved]


class Reloader:
    """Watches the files of a stack's functions: `code`, `include` and `requirements`.

    The program determines what is in a package, as in a deployment. Everything except the code
    stays as it was deployed.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._seen = {name: _files(each) for name, each in deployment.functions.items()}
        self._deployed = dict(self._seen)

    def poll(self) -> Iterator[str]:
        """Deploy the functions saved since the last poll; yield a line for each."""
        for name, function in self._deployment.functions.items():
            files = _files(function)
            if files == self._seen[name]:
                continue
            self._seen[name] = files
            start = time.perf_counter()
            try:
                self._check(function, files)
                is_new = self._deploy(function)
            except Exception as error:  # noqa: BLE001 (the program may raise anything, and the next save may fix it)
                yield f"{name}: {_said(error)}; the previous code stays"
                continue
            self._deployed[name] = files
            if is_new:
                yield f"{name}: reloaded in {(time.perf_counter() - start) * 1000:.0f} ms"

    def _check(self, function: Function, files: _Files) -> None:
        """Compile the modules changed since the last deployment with the function's Python.

        Raises:
            SyntaxError: a module is not valid Python.

        """
        if not function.config.settings.is_python:
            return
        deployed = self._deployed[function.name]
        changed = [
            str(path)
            for path, saved in files.items()
            if path.suffix == ".py" and deployed.get(path) != saved
        ]
        if python := shutil.which(function.config.settings.runtime):
            compiled = subprocess.run(  # noqa: S603 (an interpreter on the PATH, the text above)
                [python, "-I", "-c", _COMPILE, *changed],
                capture_output=True,
                text=True,
                check=False,
            )
            if compiled.returncode == 0:
                return
            if compiled.returncode == _IS_NO_PYTHON:
                file, line, message = json.loads(compiled.stdout)
                raise SyntaxError(message, (file, line, None, None))
        # The runtime's Python is not installed, so the function runs in this one.
        for file in changed:
            compile(Path(file).read_bytes(), file, "exec")

    def _deploy(self, function: Function) -> bool:
        """Update the function, publish it and move its alias; False if the code is unchanged."""
        code = next(
            each.inputs["code"]
            for each in preview(self._deployment.stack).registrations
            if (each.type, each.name) == (_FUNCTION, f"{function.name}-function")
        )
        functions, name = function.client("lambda"), function.outputs["name"]
        zipped = package(code)
        digest = b64encode(hashlib.sha256(zipped).digest()).decode()
        if digest == function.configuration["CodeSha256"]:
            return False
        functions.update_function_code(FunctionName=name, ZipFile=zipped)
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=_WAIT)
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(
            FunctionName=name,
            Name=function.outputs["alias_arn"].rpartition(":")[2],
            FunctionVersion=version,
        )
        return True


def _files(function: Function) -> _Files:
    own = function.config.settings
    named = [own.code, *own.include, *filter(None, [own.requirements])]
    found: _Files = {}
    for root in (function.project / name for name in named):
        for path in root.rglob("*") if root.is_dir() else [root]:
            try:
                if path.is_file() and "__pycache__" not in path.parts:
                    stat = path.stat()
                    found[path] = _Saved(stat.st_mtime_ns, stat.st_size)
            except OSError:
                continue  # an editor is just replacing it
    return found


def _said(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {error.msg}"
    if isinstance(error, SettingsError):
        return "; ".join(error.errors)
    return str(error)
