"""The modules that the retrieval client imports."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import secret_client
import secret_redaction
from secret_client import redaction
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


EVERYTHING = """
import sys
sys.path.insert(0, sys.argv[1])
sys.modules["boto3"] = None
from {package} import SecretClient, SecretError, Unavailable
from {package}.redaction import RedactValues
client = SecretClient(telemetry=True)
redact = RedactValues(client)
value = client.get_secret("s")
assert value.source == "extension", value
class Fields:
    a: str
assert value.as_object(Fields).a == "s3cr3t-canary"
assert redact.redact("it is s3cr3t-canary") == "it is [redacted]"
try:
    client.get_secret("s", refresh=True)
except Unavailable as error:
    assert isinstance(error, SecretError)
    print(Unavailable.__module__, SecretClient.__module__)
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


@pytest.mark.parametrize("package", ["secret_client", "app.vendored.secret_client"])
@pytest.mark.parametrize("zipped", [False, True])
def test_the_folder_works_wherever_it_is_copied(
    tmp_path: Path, extension: Server, package: str, *, zipped: bool
) -> None:
    """In a package of the application as well, and where nothing else of the project is."""
    source = Path(secret_client.__file__).parent
    folder = tmp_path.joinpath("code", *package.split("."))
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for parent in folder.parents[: package.count(".")]:
        (parent / "__init__.py").touch()
    place = tmp_path / "code"
    if zipped:
        place = tmp_path / "code.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for path in folder.parents[package.count(".")].rglob("*.py"):
                archive.write(path, path.relative_to(tmp_path / "code"))
    extension.script(scripted.secret('{"a": "s3cr3t-canary"}'))
    program = EVERYTHING.replace("{package}", package)
    command = [sys.executable, "-I", "-B", "-W", "error", "-c", program, str(place)]
    ran = run(*command, **{PORT: str(extension.port), "AWS_SESSION_TOKEN": TOKEN})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == f"{package} {package}"


def test_the_module_that_redaction_was_in_still_has_it() -> None:
    assert secret_redaction.RedactValues is redaction.RedactValues
