"""A service of a region that has an outage answers nobody; everything else goes on."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from local.aws import EmbeddedAws, EmulatorError
from tests.local.conftest import Make

REGION, OTHER = "us-east-1", "us-west-2"
SECONDS = 0.3


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    """One of its own: others must not meet the outage."""
    with EmbeddedAws() as embedded:
        yield embedded


def impatient(aws: EmbeddedAws, seconds: float = SECONDS) -> Any:
    """Return a client that asks once and waits a moment."""
    return boto3.client(
        "secretsmanager",
        region_name=REGION,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=aws.access_key_id,
        aws_secret_access_key=aws.secret_access_key,
        config=Config(read_timeout=seconds, retries={"total_max_attempts": 1}, proxies={}),
    )


def test_requests_hang_until_the_client_gives_up(aws: EmbeddedAws) -> None:
    aws.start_outage("secretsmanager", REGION)
    start = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        impatient(aws).list_secrets()
    assert time.monotonic() - start >= SECONDS


def test_connections_are_reset_at_once_if_that_is_asked_for(aws: EmbeddedAws) -> None:
    aws.start_outage("secretsmanager", REGION, how="reset")
    # No ReadTimeoutError: the client did not wait.
    with pytest.raises(ConnectionClosedError, match="Connection was closed"):
        impatient(aws, seconds=60).list_secrets()


@pytest.mark.parametrize("how", ["hang", "reset"])
def test_other_regions_and_services_answer(aws: EmbeddedAws, how: Any) -> None:
    aws.start_outage("secretsmanager", REGION, how=how)
    assert aws.client("secretsmanager", OTHER).list_secrets()["SecretList"] == []
    assert aws.client("kms", REGION).list_keys()["Keys"] == []


def test_nothing_that_was_asked_during_the_outage_is_done(aws: EmbeddedAws) -> None:
    aws.start_outage("secretsmanager", REGION)
    with pytest.raises(ReadTimeoutError):
        impatient(aws).create_secret(Name="lost")
    aws.end_outage("secretsmanager", REGION)
    assert aws.client("secretsmanager", REGION).list_secrets()["SecretList"] == []


def test_what_hangs_when_the_service_comes_back_is_reset(aws: EmbeddedAws) -> None:
    client = aws.client("secretsmanager", REGION)
    aws.start_outage("secretsmanager", REGION)
    threading.Timer(SECONDS, aws.end_outage, ["secretsmanager", REGION]).start()
    start = time.monotonic()
    # It would wait for 900 seconds, and asks once more when the connection breaks.
    assert client.list_secrets()["SecretList"] == []
    assert time.monotonic() - start >= SECONDS


def test_connections_that_clients_gave_up_do_not_pile_up(aws: EmbeddedAws) -> None:
    def open_sockets() -> int:
        count = 0
        for descriptor in Path(f"/proc/{aws.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed meanwhile
                count += str(descriptor.readlink()).startswith("socket:")
        return count

    aws.client("secretsmanager", REGION).list_secrets()
    before = open_sockets()
    aws.start_outage("secretsmanager", REGION)
    for _ in range(5):
        with pytest.raises(ReadTimeoutError):
            impatient(aws).list_secrets()
    deadline = time.monotonic() + 60
    while open_sockets() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert open_sockets() <= before + 1


def test_a_function_meets_the_outage_too(
    aws: EmbeddedAws, make_function: Make, invoke: Make
) -> None:
    source = """
import boto3
from botocore.config import Config
def handler(event, context):
    region, seconds = event
    config = Config(read_timeout=seconds, retries={"total_max_attempts": 1})
    try:
        boto3.client("secretsmanager", region, config=config).list_secrets()
    except Exception as error:
        return type(error).__name__
    return "answered"
"""
    function = make_function(source, {"Action": "secretsmanager:ListSecrets"})
    aws.start_outage("secretsmanager", REGION)
    assert invoke(function, [REGION, SECONDS]) == "ReadTimeoutError"
    assert invoke(function, [OTHER, 60]) == "answered"
    aws.end_outage("secretsmanager", REGION)
    assert invoke(function, [REGION, 60]) == "answered"


def test_an_emulator_that_does_not_run_has_no_outage(aws: EmbeddedAws) -> None:
    with pytest.raises(RuntimeError, match="not running"):
        EmbeddedAws().start_outage("secretsmanager", REGION)
    os.kill(aws.pid, signal.SIGKILL)
    with pytest.raises(EmulatorError, match="has stopped"):
        aws.start_outage("secretsmanager", REGION)
