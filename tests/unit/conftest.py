"""The scripted extension and the scripted AWS that the client's tests talk to."""

from collections.abc import Iterator

import pytest

import secret_client
from tests import scripted


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> scripted.Clock:
    """The client's clock, which a test can move."""
    moved = scripted.Clock()
    monkeypatch.setattr(secret_client, "monotonic", moved)
    return moved


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[scripted.Server]:
    """An extension that has every secret."""
    served = scripted.Server(scripted.secret())
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(served.port))
    monkeypatch.setenv("AWS_SESSION_TOKEN", scripted.TOKEN)
    try:
        yield served
    finally:
        served.close()


@pytest.fixture(scope="session")
def _aws() -> Iterator[scripted.Aws]:
    served = scripted.Aws()
    try:
        yield served
    finally:
        served.close()


@pytest.fixture
def aws(_aws: scripted.Aws) -> Iterator[scripted.Aws]:
    """An AWS that has every secret; one for all tests, as clients of boto3 take long to make."""
    _aws.script(scripted.aws_secret())
    yield _aws
    _aws.script(scripted.aws_error("Unscripted"))
