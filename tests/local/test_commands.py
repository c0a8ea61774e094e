"""`python -m local`, as a user runs it: what it prints, what it refuses, what it leaves behind."""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
import yaml

from infra.aws.layers import extension_layer_arn
from local import loopback
from local.__main__ import _engine, main
from local.config.project import load
from local.proofs.checks import PROMISES
from tests.recording import PROJECT, ROOT

# What must change nothing: another account, proxies, profiles that do not exist, a broken config.
HOSTILE = {
    "AWS_ENDPOINT_URL": "http://192.0.2.1:1",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://192.0.2.1:1",
    "AWS_ACCESS_KEY_ID": "AKIAHOSTILE",
    "AWS_SECRET_ACCESS_KEY": "hostile",
    "AWS_SESSION_TOKEN": "hostile",
    "AWS_PROFILE": "none-such",
    "AWS_REGION": "eu-west-3",
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_CONFIG_FILE": "/dev/full",
    "AWS_CA_BUNDLE": "/dev/null",
    "HTTP_PROXY": "http://192.0.2.1:1",
    "https_proxy": "http://192.0.2.1:1",
    "PULUMI_CONFIG": "{",
}

FAR_AFTER_MAIN = """
import socket
from local import loopback
from local.__main__ import main
assert main(["up", "--stack", "none-such"]) == 1
socket.create_connection(("192.0.2.1", 1), timeout=5)
"""

# A job in the background is started with SIGINT ignored.
INTERRUPTIBLE = """
import signal, sys
from local import loopback
from local.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(["up"]))
"""

FROM_A_TERMINAL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("local", run_name="__main__", alter_sys=True)
"""


Local = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command here run the built-in engine; tests/engine has the other one."""
    monkeypatch.setenv("ENGINE", "built-in")


def local(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (this interpreter, our own module)
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**os.environ, "STACK": "", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Local:
    """Return what runs a command that ends before it starts anything, in this process.

    It is `local` without a second of Python's start; nothing may be left in its folder.
    """
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(tempfile, "tempdir", str(scratch))
        monkeypatch.setattr(loopback, "install", lambda: None)  # it would be for good
        environment = dict(os.environ)  # of which `main` takes some away
        try:
            code = main(list(arguments))
        except SystemExit as ended:  # argparse
            code = int(str(ended.code))
        finally:
            os.environ.update(environment)
        assert list(scratch.iterdir()) == []
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


def started_nothing(run: subprocess.CompletedProcess[str]) -> bool:
    return run.returncode == 1 and run.stdout == "" and "Traceback" not in run.stderr


@pytest.fixture
def scratch(tmp_path: Path) -> dict[str, str]:
    """A temporary folder of the test's own, so that it sees what is left there."""
    return {"TMPDIR": str(tmp_path)}


@pytest.mark.exhaustive
@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_up_proves_every_promise_whatever_the_environment_and_leaves_nothing(
    stack: str, scratch: dict[str, str], tmp_path: Path
) -> None:
    run = local("up", "--stack", stack, **scratch, **HOSTILE)
    assert run.stderr == ""
    assert run.returncode == 0
    assert "AKIAHOSTILE" not in run.stdout
    marks = re.findall(r"^[✓–] ", run.stdout, re.MULTILINE)
    assert len(marks) == len(PROMISES) + 1  # and the deployment
    assert ("– no request fails while" in run.stdout) == (stack == "dev")
    assert "✗" not in run.stdout
    assert f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{PROJECT}/{stack}/" in run.stdout
    assert "\x1b" not in run.stdout
    assert list(tmp_path.iterdir()) == []
    port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", run.stdout)[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_rotate_shows_rotations_and_no_failed_request(
    scratch: dict[str, str], tmp_path: Path
) -> None:
    run = local("rotate", "--rotations", "1", "--callers", "2", **scratch)
    assert run.stderr == ""
    assert run.returncode == 0
    rows = re.findall(r"│ (session|database) +│ [0-9a-f]{8} +│ \d\.\d\d s", run.stdout)
    assert sorted(rows) == ["database", "session"]
    assert re.search(r"✓ 2 rotations, \d+ requests, 0 failed; the slowest took \d+ ms", run.stdout)
    assert list(tmp_path.iterdir()) == []


def test_rotate_says_where_nothing_rotates(here: Local) -> None:
    run = here("rotate", "--stack", "dev")
    assert run.returncode == 1
    assert "no secret in the stack dev has a `rotation`" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_command_itself_sends_no_request_off_the_machine() -> None:
    """Emulator, functions and extension have a test of the same each; so nothing of a run does."""
    run = subprocess.run(  # noqa: S603 (this interpreter, the text above)
        [sys.executable, "-c", FAR_AFTER_MAIN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "PermissionError: '192.0.2.1' is not on loopback" in run.stderr


@pytest.mark.exhaustive
def test_a_failed_promise_is_exit_1_with_its_reason(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    del config["config"]["secrets"]["database"]["fields"]["username"]
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    run = local("up", "--config-file", str(path))
    assert run.returncode == 1
    assert "✗ every function answers as expected and reveals no secret value" in run.stdout
    assert "statusCode must be 200, got 500; the body is" in run.stdout
    assert "Traceback" not in run.stderr


def test_an_encrypted_value_gets_a_stand_in_and_a_note(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    config["config"]["secrets"]["stripe"] = {"from": "config"}
    config["config"]["secretValues"] = {"stripe": {"secure": "v1:abc:def"}}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    run = local("up", "--config-file", str(path))
    assert run.returncode == 0
    assert f"{PROJECT}:secretValues.stripe is encrypted" in run.stdout
    assert "v1:abc" not in run.stdout + run.stderr


BAD: dict[str, tuple[dict[str, object], list[str]]] = {
    "unknown key": ({"functoin": {}}, [f"{PROJECT}:functoin is an unknown key"]),
    "TTL 301": (
        {"extension": {"secretsTtlSeconds": 301}},
        ["extension.secretsTtlSeconds must be 0 to 300, got 301"],
    ),
    "name that AWS refuses": (
        {"secrets": {"a b": {"fields": {"x": 1}}}},
        ["secrets.a b becomes a name that contains", "function.secret must be one of a b"],
    ),
    "value over 64 KiB": (
        {"secrets": {"database": {"fields": {"x": "y" * 65_536}}}},
        ["secrets.database must have at most 65536 bytes"],
    ),
    "from config without a value": (
        {"secrets": {"database": {"from": "config"}}},
        ["secretValues.database is not set"],
    ),
    "two faults at once": (
        {
            "function": {"memoryMb": 1},
            "extension": {"cacheSize": 1001},
        },
        ["function.memoryMb must be 128 to 10240", "extension.cacheSize must be 0 to 1000"],
    ),
    "region of another partition": (
        {"aws:region": "cn-north-1"},
        ["aws:region cn-north-1 is in the partition aws-cn"],
    ),
    "encrypted beside secretValues": (
        {"tags": {"a": {"secure": "v1:x"}}},
        [f"{PROJECT}:tags is encrypted, at least in part; only secretValues may be encrypted"],
    ),
    "region without a layer": (
        {"aws:region": "mars-north-1"},
        ["aws:region must be a known region, got 'mars-north-1'"],
    ),
    "password in plain": (
        {"secrets": {"database": {"fields": {"password": "s3cr3t-canary"}}}},
        ["fields.password appears to contain a secret in plain text (not shown)"],
    ),
}


@pytest.mark.parametrize(("changes", "faults"), BAD.values(), ids=BAD)
def test_bad_config_is_told_in_a_line_each_and_nothing_starts(
    here: Local, tmp_path: Path, changes: dict[str, object], faults: list[str]
) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    if "secrets" in changes:  # the functions of the file name its own
        del config["config"]["functions"]
    config["config"] |= changes
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    run = here("up", "--config-file", str(path))
    assert started_nothing(run)
    lines = run.stderr.splitlines()
    assert len(lines) == len(faults)
    for fault in faults:
        assert sum(line.startswith("error: ") and fault in line for line in lines) == 1
    assert "s3cr3t-canary" not in run.stderr


def test_an_error_of_config_names_the_file_that_was_read(here: Local, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    path.write_text(text.replace("config:", "config:\n  functoin: {}", 1))
    run = here("up", "--config-file", str(path))
    assert run.stderr.endswith(f" in {path}\n")
    assert "Pulumi.dev.yaml" not in run.stderr


def test_the_lines_that_waive_broken_rules_are_printed_to_be_pasted(
    here: Local, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    text = (ROOT / "Pulumi.prod.yaml").read_text()
    path.write_text(text.replace("everyDays: 7", "everyDays: 200"))
    run = here("up", "--stack", "prod", "--config-file", str(path))
    assert started_nothing(run)
    (error,) = [line for line in run.stderr.splitlines() if line.startswith("error:")]
    assert "must rotate" in error or "at most 90" in error
    printed = yaml.safe_load(run.stderr.partition("`exemptions`:\n\n")[2])["exemptions"]
    assert printed["rotation.session"]["reason"] == "WHY"
    assert printed.keys() == {"rotation.partner", "rotation.session"}


def test_a_config_file_that_does_not_exist_is_named(here: Local, tmp_path: Path) -> None:
    run = here("up", "--config-file", str(tmp_path / "nope.yaml"))
    assert run.stderr == f"error: {tmp_path / 'nope.yaml'} does not exist\n"


def test_a_missing_stack_file_is_told_with_those_there_are(here: Local) -> None:
    run = here("up", "--stack", "qa")
    assert started_nothing(run)
    assert run.stderr == (
        "error: Pulumi.qa.yaml is missing; available stacks: dev, prod, staging\n"
    )


@pytest.mark.parametrize(
    "name", ["x'; id; '", "../../etc/passwd", "dev/../dev", "", "two\nlines", "n" * 101]
)
@pytest.mark.parametrize("more", [(), ("--config-file", str(ROOT / "Pulumi.dev.yaml"))])
def test_a_name_that_no_stack_has_is_refused_in_one_line(
    here: Local, name: str, more: tuple[str, ...]
) -> None:
    run = here("up", "--stack", name, *more)
    assert started_nothing(run)
    refused = f"error: a stack name must be 1 to 100 letters, digits, - and _, got {name!r}\n"
    assert run.stderr == refused


def test_the_stack_is_also_taken_from_the_environment_of_make(
    here: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK", "qa")
    assert "error: Pulumi.qa.yaml is missing" in here("up").stderr
    monkeypatch.setenv("STACK", "dev")
    assert "error: Pulumi.qa.yaml is missing" in here("up", "--stack=qa").stderr
    monkeypatch.setenv("STACK", "x'; id; '")
    assert "got \"x'; id; '\"\n" in here("up").stderr


def test_a_busy_port_asked_for_is_told_and_nothing_deployed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        run = local("up", "--port", str(port))
    assert started_nothing(run)
    assert len(run.stderr.splitlines()) == 1
    assert f"port {port} on 127.0.0.1" in run.stderr


def test_an_engine_that_there_is_not_is_told(here: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    run = here("up", "--engine=terraform")
    assert started_nothing(run)
    assert run.stderr == "error: the engine must be pulumi or built-in, got 'terraform'\n"
    monkeypatch.setenv("ENGINE", "x'; id; '")
    assert "got \"x'; id; '\"\n" in here("up").stderr


def test_a_missing_pulumi_is_told_only_if_it_was_asked_for(
    here: Local, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = here("up", "--engine=pulumi")
    assert started_nothing(run)
    assert run.stderr.startswith("error: pulumi is not on the PATH; install it (https://")
    assert run.stderr.endswith("run `make pulumi` if you have Go\n")
    monkeypatch.setenv("ENGINE", "")
    cli, why = _engine(argparse.Namespace(engine=None))
    assert cli is None
    assert why.startswith("built-in, because pulumi is not on the PATH; install it (https://")


def test_a_pulumi_that_is_too_old_is_told_before_anything_starts(
    here: Local, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho v3.100.0\n")
    (tmp_path / "pulumi").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("ENGINE", "")
    run = here("up")
    assert started_nothing(run)
    assert run.stderr == (
        f"error: {tmp_path}/pulumi is Pulumi 3.100.0, but 3.236.0 or later is required; upgrade it"
        " (https://www.pulumi.com/docs/install/), or run with ENGINE=built-in\n"
    )


def test_a_folder_that_cannot_be_written_is_told(
    here: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", Mock(side_effect=OSError(30, "Read-only")))
    run = here("up")
    assert started_nothing(run)
    assert re.fullmatch(r"error: cannot write to .* \(Read-only\); set TMPDIR .*\n", run.stderr)


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_told(here: Local, port: str) -> None:
    run = here("up", f"--port={port}")
    assert run.returncode == 2
    assert f"must be 1 to 65535, got '{port}'" in run.stderr


@contextmanager
def running(*arguments: Any, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a process; end it if a test that fails has not done so."""
    with subprocess.Popen(*arguments, **options) as process:  # noqa: S603 (ours)
        try:
            yield process
        finally:
            process.terminate()


def test_an_interrupted_run_stops_without_a_traceback(tmp_path: Path) -> None:
    with running(
        [sys.executable, "-c", INTERRUPTIBLE],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "aws:kms/key:Key" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.stderr.read() == "stopped\n"
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_during_the_imports_ends_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich/__init__.py").write_text("print('importing', flush=True)\ninput()\n")
    with running(
        [sys.executable, "-c", FROM_A_TERMINAL],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == ""
    assert process.returncode == -signal.SIGINT


@pytest.mark.exhaustive
def test_the_callers_umask_changes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-B", "-m", "local", "up"]
    if os.geteuid() == 0:  # whom no mode keeps out
        if shutil.which("setpriv") is None:
            pytest.skip("no setpriv here to make root respect a folder's mode")
        command[:0] = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    run = subprocess.run(  # noqa: S603 (this interpreter, our own module)
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        umask=0o777,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
def test_serve_empty_is_an_account_with_layers_and_vpc_and_nothing_else(tmp_path: Path) -> None:
    with running(
        [sys.executable, "-m", "local", "serve", "--empty", "--stack", "prod"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        client, printed = served(process, "export no_proxy")
        assert client("secretsmanager").list_secrets()["SecretList"] == []
        for region, architecture in (("eu-west-1", "x86_64"), ("us-east-1", "arm64")):
            arn = extension_layer_arn(region, architecture)
            found = client("lambda", region).get_layer_version_by_arn(Arn=arn)
            assert found["LayerVersionArn"] == arn
        (ids,) = re.findall(r"created a stand-in: (network: .+)$", printed, re.MULTILINE)
        network = yaml.safe_load(ids)["network"]
        named = load(ROOT, "prod").section("network")
        assert network.keys() == {key for key in named if key.endswith(("Id", "Ids"))}
        assert network["subnetIds"] != named["subnetIds"]
        subnets = client("ec2").describe_subnets(SubnetIds=network["subnetIds"])["Subnets"]
        assert {each["VpcId"] for each in subnets} == {network["vpcId"]}
        assert "✓" not in printed
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


def served(process: subprocess.Popen[str], last: str) -> tuple[Callable[..., Any], str]:
    """Read what `serve` prints, up to a line; return what makes clients of its exports, and it."""
    assert process.stdout is not None
    printed, exports = "", {}
    for line in process.stdout:
        printed += line
        if found := re.match(r"export (\w+)=(\S+)$", line):
            exports[found[1]] = found[2]
        if line.startswith(last):
            break

    def client(service: str, region: str | None = None) -> Any:
        with pytest.MonkeyPatch.context() as environment:  # all of it that boto3 looks at
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                environment.delenv(name)
            environment.setenv("AWS_CONFIG_FILE", os.devnull)
            for name, value in exports.items():
                environment.setenv(name, value)
            return boto3.Session().client(service, region)  # type: ignore[call-overload]

    return client, printed


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.exhaustive)]
)
def test_serve_answers_until_it_is_stopped_and_leaves_nothing(
    number: signal.Signals, tmp_path: Path
) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with running(
        [sys.executable, "-m", "local", "serve"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        client, _ = served(process, "aws lambda invoke")
        names = {each["Name"] for each in client("secretsmanager").list_secrets()["SecretList"]}
        assert names == {f"{PROJECT}/dev/database", f"{PROJECT}/dev/session"}
        group = os.getpgid(process.pid)
        process.send_signal(number)
        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
