"""Applications of users, each with its own library, proven together as `make up` proves a stack.

Their libraries come from the index that pip is configured to use, once; then they are cached. What
is not proven is that their code runs on Lambda itself: it runs on this machine's processor, and in
the Python and Node that are installed.
"""

import hashlib
import hmac
import json
import shutil
import subprocess
import zipfile
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.config.settings import SettingsError
from local import deployment
from local.config import project
from local.config.project import Stack
from local.deployment import Deployment
from local.functions import Function, NotInvokedError
from local.proofs import checks
from tests.recording import ROOT

APPLICATIONS = ROOT / "tests/applications"
PATHS = ("code", "requirements", "event")
WITHOUT_LIBRARIES = ("webhooks", "reports", "sessions", "ledger")
# How npm and uv say that there is no way to the index.
NPM_UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT")
INDEX_UNREACHABLE = "where the index can be reached"

Secret = Callable[[str], Any]


def signed(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def basic(secret: Any) -> str:
    pair = f"{secret['username']}:{secret['password']}"
    return f"Basic {b64encode(pair.encode()).decode()}"


ANSWERS: dict[str, Callable[[Secret], dict[str, Any]]] = {
    "invoices": lambda secret: {
        "number": 17,
        "total": "44.99",
        "signature": signed(secret("billing")["key"], "17 44.99"),
    },
    "payouts": lambda secret: {
        "iban": "DE02120300000000202051",
        "cents": 12500,
        "authorisation": hashed(basic(secret("bank"))),
    },
    "catalog": lambda secret: {
        "sku": "A-17",
        "currency": "EUR",
        "supplier": hashed(secret("supplier")["token"]),
    },
    "orders": lambda secret: {"ordered": 7, "user": secret("database")["username"], "tls": True},
    "webhooks": lambda secret: {
        "url": "https://partner.example.com/hooks",
        "signature": signed(secret("webhook")["key"], '{"number":17,"items":["tea"]}'),
    },
    "receipts": lambda secret: {"receipt": hashed(f"{secret('receipts')['salt']} ada 17")},
    "reports": lambda secret: {
        "title": "Stock of today",
        "region": "north",
        "token": hashed(secret("warehouse")["token"]),
    },
    "sessions": lambda secret: {"user": "ada", "session": signed(secret("session")["key"], "ada")},
    "ledger": lambda _: {"balance": 1000},
}
"""What each answers, by the secrets as the administrator reads them."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the applications, in which they are built."""
    return shutil.copytree(APPLICATIONS, tmp_path / "applications")


def build(folder: Path, names: Collection[str]) -> None:
    """Do what an application's own build does."""
    if "reports" in names:
        with zipfile.ZipFile(folder / "reports/reports.zip", "w") as built:
            built.write(folder / "reports/report.py", "report.py")
    if "ledger" in names:
        source, classes = folder / "ledger/src/shop/Ledger.java", folder / "ledger/classes"
        run("javac", "-d", str(classes), str(source), folder=folder)
        shutil.make_archive(str(folder / "ledger/ledger"), "zip", classes)
    if "receipts" in names:
        run("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", folder=folder / "receipts")


def run(program: str, *arguments: str, folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 (a program of the PATH)
        [shutil.which(program) or program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode and any(code in done.stderr for code in NPM_UNREACHABLE):
        pytest.skip(f"the registry of npm cannot be reached, and not all is cached: {done.stderr}")
    assert done.returncode == 0, done.stderr


def stack_of(folder: Path, names: Collection[str]) -> Stack:
    """Read the stack of the applications, with some of them."""
    stack = project.load(ROOT, "applications", folder / "Pulumi.applications.yaml")
    functions = {}
    for name, function in stack.section("functions").items():
        paths = {key: str(folder / function[key]) for key in PATHS if key in function}
        if name in names:
            functions[name] = {**function, **paths}
    assert functions.keys() == set(names)
    return stack.changed(functions=functions)


@contextmanager
def deployed(stack: Stack) -> Iterator[tuple[Deployment, list[str]]]:
    """Deploy a stack, and return the notes about it; skip without a way to its libraries."""
    try:
        layers = deployment.layer_arns(deployment.preview(stack))
    except SettingsError as error:
        if all(INDEX_UNREACHABLE in each for each in error.errors):
            pytest.skip(str(error))
        raise
    with deployment.account(stack, layers) as account:
        unreachable = [note for note in account.notes if INDEX_UNREACHABLE in note]
        if unreachable:
            pytest.skip("\n".join(unreachable))
        made = deployment.deploy(account.stack, account.aws, server=account.server)
        yield made, account.notes


def prove(made: Deployment) -> None:
    """Compare the answers, one by one and then at once, and try every promise of `make up`."""

    def secret(name: str) -> Any:
        return json.loads(made.secret_text(made.secret_arns[name]))

    def check(function: Function) -> None:
        try:
            invocation = function.invoke()
        except NotInvokedError:
            assert made.aws.missing_interpreter(function.config.settings.runtime)
        else:
            answer = invocation.result if invocation.status is None else invocation.body
            assert answer == ANSWERS[function.name](secret)

    functions = made.functions.values()
    for function in functions:
        check(function)
    with ThreadPoolExecutor(len(functions)) as pool:
        list(pool.map(check, functions))
    outcomes = list(checks.run(made))
    broken = {each.promise: each.figure for each in outcomes if each.passed is False}
    assert not broken, broken
    assert {each.promise for each in outcomes if each.passed} >= {
        "every function answers as expected and reveals no secret value",
        "the extension returns the values in Secrets Manager",
        "each role can read its own secrets and no others",
        "no request fails while every secret rotates",
    }


@pytest.mark.exhaustive
def test_applications_without_libraries_keep_every_promise_side_by_side(folder: Path) -> None:
    names = [name for name in WITHOUT_LIBRARIES if name != "ledger" or shutil.which("javac")]
    build(folder, names)
    with deployed(stack_of(folder, names)) as (made, notes):
        assert [note for note in notes if "built for" in note] == []
        prove(made)


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_applications_with_libraries_of_their_own_keep_every_promise_side_by_side(
    folder: Path,
) -> None:
    for program in ("javac", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on the PATH")
    build(folder, ANSWERS)
    with deployed(stack_of(folder, ANSWERS)) as (made, _):
        prove(made)
    for lock in APPLICATIONS.glob("*/*.lock"):
        assert (folder / lock.relative_to(APPLICATIONS)).read_text() == lock.read_text()
    written = {path.relative_to(folder) for path in folder.glob("*/*.lock")}
    assert written == {path.relative_to(APPLICATIONS) for path in APPLICATIONS.glob("*/*.lock")}
