"""The Python in README.md and docs/ compiles, and its handlers run with the real client."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests import scripted
from tests.documented import PAGES, fences, read
from tests.recording import ROOT

VALUE = {"key": "s3cr3t-signing-key", "host": "db", "username": "app", "password": "s3cr3t-word"}
ENVIRONMENT = {
    "SECRET_NAME": "shop/dev/database",
    "SECRET_PREFIX": "shop/dev/",
    "PARAMETER_PREFIX": "/shop/dev/",
    "AWS_SESSION_TOKEN": scripted.TOKEN,
}
EVENT = {"path": "/reports/2026", "amount": 7}
SNIPPETS = [
    pytest.param(page.name, code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(fences(read(page), "python"))
]
HANDLERS = ("lambda_handler", "handle")
RUN: dict[str, list[object]] = {
    "README.md": [VALUE["key"]],
    "getting-started.md": [{"statusCode": 200}],
    "secrets.md": [{"bytes": 3}],
    "client.md": [
        {"host": "db", "key_length": len(VALUE["key"]), "log_level": "info"},
        "app at db:5432",
        "connected as app",
        len(json.dumps(VALUE)),
        None,
    ],
}
"""Page -> the answers of its handlers, in order. docs/testing.md has a test file of its own."""


def answer(request: scripted.Request, connection: Any) -> None:
    """Answer as the extension: binary for `partner`, JSON for any other secret, a parameter."""
    if "secretId" not in request.query:
        scripted.parameter("info")(request, connection)
    elif request.query["secretId"].endswith("partner"):
        scripted.secret(None, SecretBinary=scripted.encoded(b"\x00\xff\x01"))(request, connection)
    else:
        scripted.secret(json.dumps(VALUE))(request, connection)


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[scripted.Server]:
    server = scripted.Server(answer)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(server.port))
    yield server
    server.close()


def call(code: str) -> object:
    """Run a snippet, then its handler. Raises what either raises."""
    scope: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code, "snippet", "exec"), scope)  # noqa: S102 (a page's own code)
    handler = next(scope[name] for name in HANDLERS if name in scope)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)
    return handler(EVENT, context)


def handlers(page: str) -> list[str]:
    """Return the snippets of a page that define a handler."""
    path = next(each for each in PAGES if each.name == page)
    defined = re.compile(rf"^(async )?def ({'|'.join(HANDLERS)})\(", re.MULTILINE)
    return [code for code in fences(read(path), "python") if defined.search(code)]


@pytest.mark.parametrize(("page", "code"), SNIPPETS)
def test_python_that_a_page_shows_compiles(page: str, code: str) -> None:
    compile(code, page, "exec")


def test_python_that_does_not_compile_is_found() -> None:
    (code,) = fences("```python\ndef handle(event:\n```\n", "python")
    with pytest.raises(SyntaxError):
        compile(code, "page", "exec")


def test_every_page_with_a_handler_is_run() -> None:
    with_handlers = {page.name for page in PAGES if handlers(page.name)}
    assert with_handlers == {*RUN, "testing.md"}


@pytest.mark.parametrize("page", RUN)
def test_handlers_that_a_page_shows_answer(
    page: str, extension: scripted.Server, caplog: pytest.LogCaptureFixture
) -> None:
    root = logging.getLogger()
    filters = {handler: list(handler.filters) for handler in root.handlers}
    try:
        for code, expected in zip(handlers(page), RUN[page], strict=True):
            asked = len(extension.requests)
            answered = call(code)
            assert len(extension.requests) > asked
            if isinstance(expected, dict) and isinstance(answered, dict):
                answered = {key: answered[key] for key in expected}
            assert answered == expected
    finally:
        for handler, before in filters.items():
            handler.filters[:] = before
    assert not any("s3cr3t" in record.getMessage() for record in caplog.records)


def test_a_handler_that_reads_another_field_is_found(extension: scripted.Server) -> None:
    (code,) = handlers("README.md")
    with pytest.raises(KeyError):
        call(code.replace('"key"', '"keys"'))
    assert extension.requests


def test_the_loop_of_the_rotation_page_accepts_what_is_still_valid() -> None:
    (code,) = fences(read(ROOT / "docs/rotation.md"), "python")
    scope: dict[str, Any] = {}
    exec(compile(code, "snippet", "exec"), scope)  # noqa: S102 (a page's own code)
    now = datetime.now(UTC)
    expired = {"key": "c", "validUntil": (now - timedelta(hours=1)).isoformat()}
    valid = {"key": "b", "validUntil": (now + timedelta(hours=1)).isoformat(), "previous": expired}
    assert scope["accepted_keys"]({"key": "a", "previous": valid}) == ["a", "b"]
    assert scope["accepted_keys"]({"key": "a"}) == ["a"]
