"""A cold read with a small share of a CPU, as a function of little memory has it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import https_aws, scripted
from tests.recording import ROOT
from tests.scripted import Server

# Of a vCPU: what Lambda gives 128 MB.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
SHARE = 0.07
SLICE_SECONDS = 0.005
TIMES = 20

COLD = """
import json, logging, re, sys, threading, time
sys.path.insert(0, sys.argv[1])
sys.stdin.readline()
start = time.monotonic()
from secret_client import SecretClient
value = SecretClient().get_secret("s")
print(value.source, time.monotonic() - start)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls") / "bundle.pem"


@pytest.fixture(scope="module")
def aws(bundle: Path) -> Iterator[str]:
    with https_aws.serve(bundle) as url:
        yield url


def read(port: int, aws: str, bundle: Path) -> str:
    """Read in a new process that runs for its share of the time only; return what it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(port),
        "AWS_ENDPOINT_URL": aws,
        "SSL_CERT_FILE": str(bundle),
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_SESSION_TOKEN": scripted.TOKEN,
        "AWS_REGION": scripted.REGION,
        "AWS_DEFAULT_REGION": scripted.REGION,
        "AWS_LAMBDA_FUNCTION_NAME": "f",
    }
    with subprocess.Popen(  # noqa: S603 (this Python, the text above)
        [sys.executable, "-c", COLD, str(ROOT / "handler")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        time.sleep(0.3)  # Python itself starts before a runtime counts
        process.stdin.write("\n")
        process.stdin.flush()
        assert hold_to_share(process) < 1.25 * SHARE
        return process.stdout.read()


def hold_to_share(process: subprocess.Popen[str]) -> float:
    """Stop the process whenever it has had more than its share of a CPU; return what it had.

    What counts is CPU time, so other work on this machine takes nothing from the share.
    """
    start, used_before = time.monotonic(), cpu_seconds(process)
    used = elapsed = 0.0
    while process.poll() is None:
        used = max(used, cpu_seconds(process) - used_before)
        elapsed = time.monotonic() - start
        ahead = used - SHARE * elapsed
        if ahead > 0:
            process.send_signal(signal.SIGSTOP)
            time.sleep(ahead / SHARE)
            process.send_signal(signal.SIGCONT)
        time.sleep(SLICE_SECONDS)
    return used / (time.monotonic() - start)


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """Return what all threads of the process have used, by its CPU clock.

    https://github.com/torvalds/linux/blob/master/include/linux/posix-timers_types.h
    """
    try:
        return time.clock_gettime(~process.pid << 3 | 2)
    except OSError:  # it has ended
        return 0.0


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "fault", [scripted.http(400, scripted.GENERIC), scripted.hang], ids=["refuses", "hangs"]
)
def test_a_starved_cold_read_is_answered_by_the_sdk_in_time(
    aws: str, bundle: Path, fault: scripted.Answer
) -> None:
    extension = Server(fault)
    try:
        answers = [read(extension.port, aws, bundle) for _ in range(TIMES)]
    finally:
        extension.close()
    assert [answer.split(" ")[0] for answer in answers] == ["sdk"] * TIMES, answers
