"""The modules that the retrieval client imports."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import secret_client
from tests import scripted
from tests.scripted import TOKEN, Server
from tests.unit.client_support import PORT

COLD = """
import json, logging, re, sys, threading
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import secret_client
from secret_client import SecretClient
client = SecretClient()
value = client.get_secret("s")
assert client.get_secret("s") is value and value.source == "extension", value
value = client.get_parameter("/p")
assert client.get_parameter("/p") is value and value.source == "extension", value
print(*sorted(set(sys.modules) - before))
"""


def interpreter(version: str) -> str | None:
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    installed = Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")
    for candidate in (shutil.which(f"python{version}"), *map(str, installed)):
        if candidate and run(candidate, "-V").returncode == 0:  # a shim of pyenv may start nothing
            return candidate
    return None


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 (an interpreter, the text above)
        command, env=environment, capture_output=True, check=False, text=True
    )


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_client_adds_no_module_but_itself_to_the_process(
    extension: Server, version: str
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no python{version}")

    def answer(request: scripted.Request, connection: Any) -> None:
        then = scripted.secret if request.target.startswith("/secrets") else scripted.parameter
        then("x")(request, connection)

    extension.script(answer)
    command = [
        python,
        "-I",
        "-S",
        "-B",
        "-W",
        "error",
        "-c",
        COLD,
        str(Path(secret_client.__file__).parents[1]),
    ]
    ran = run(*command, **{PORT: str(extension.port), "AWS_SESSION_TOKEN": TOKEN})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == [
        "_socket",
        "secret_client",
        *(f"secret_client.{name}" for name in ("client", "extension", "fields", "value")),
    ]
