"""`make up` by Pulumi's own engine: what it proves, what it leaves, what it refuses.

Only what the embedded AWS can show: the CLI is the real one, AWS is not.
"""

import contextlib
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from local import deployment
from local.aws import EmbeddedAws
from local.config.project import load
from local.deployment import Deployment
from local.engines.pulumi_cli import Cli
from local.engines.pulumi_engine import PulumiEngine, PulumiError, Step
from local.proofs import engine_checks, leftovers
from local.proofs.checks import PROMISES
from tests.engine.checkout import changed_files
from tests.local.test_commands import HOSTILE, INTERRUPTIBLE
from tests.processes import with_variable
from tests.recording import PROJECT, ROOT


@pytest.fixture
def environment(pulumi: Cli, tmp_path: Path) -> dict[str, str]:
    """Return a hostile environment: a login of the user's, and folders of the test's own."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "home/.pulumi").mkdir()
    (tmp_path / "home/.pulumi/credentials.json").write_text('{"current": "https://192.0.2.1"}')
    return {
        **os.environ,
        **HOSTILE,
        "PULUMI_ACCESS_TOKEN": "pul-canary",
        "PULUMI_BACKEND_URL": "https://192.0.2.1",
        "PULUMI_CONFIG_PASSPHRASE": "of the user",
        "PULUMI_STACK": "none-such",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PATH": os.pathsep.join([str(pulumi.path.parent), os.environ["PATH"]]),
        "PYTHONUNBUFFERED": "1",
        "ENGINE": "",
        "STACK": "",
    }


def local(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (this interpreter, our own module)
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def left(environment: Mapping[str, str]) -> list[str]:
    """Return what a run left: files of its own, or processes."""
    files = [str(path) for path in Path(environment["TMPDIR"]).iterdir()]
    return files + with_variable("TMPDIR", environment["TMPDIR"])


@pytest.mark.parametrize(
    "stack",
    [
        "dev",
        pytest.param("staging", marks=pytest.mark.exhaustive),
        pytest.param("prod", marks=pytest.mark.exhaustive),
    ],
)
def test_up_by_pulumi_proves_every_promise_and_leaves_the_user_alone(
    environment: dict[str, str], pulumi: Cli, stack: str
) -> None:
    home = Path(environment["HOME"])
    files = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    tracked = changed_files()
    run = local(environment, "up", "--stack", stack)
    assert run.stderr == ""
    assert run.returncode == 0, run.stdout
    assert f"engine: {pulumi}\n" in run.stdout
    assert re.search(r"^ \+ +aws:kms:Key environment-key created", run.stdout, re.MULTILINE)
    promises = (*PROMISES, *engine_checks.PROMISES)
    marks = re.findall(r"^[✓–] ", run.stdout, re.MULTILINE)
    assert len(marks) == len(promises) + 1  # and the deployment
    for promise in promises:
        assert re.search(rf"^[✓–] {re.escape(promise)} ", run.stdout, re.MULTILINE)
    assert "✗" not in run.stdout
    assert "\x1b" not in run.stdout
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == files
    assert changed_files() == tracked
    assert left(environment) == []


@pytest.mark.exhaustive
def test_an_encrypted_value_is_encrypted_for_the_engine_too(
    environment: dict[str, str], tmp_path: Path
) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    config["encryptionsalt"] = "v1:of:somebody-else"
    config["config"]["secrets"]["stripe"] = {"from": "config"}
    config["config"]["secretValues"] = {"stripe": {"secure": "v1:abc:def"}}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    run = local(environment, "up", "--config-file", str(path))
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{PROJECT}:secretValues.stripe is encrypted" in run.stdout
    assert "aws:secretsmanager:SecretVersion" in run.stdout


def interrupted(
    environment: Mapping[str, str], after: str, number: signal.Signals
) -> subprocess.CompletedProcess[str]:
    """Run `up`, and send it a signal when it has printed a line."""
    with subprocess.Popen(  # noqa: S603 (this interpreter, our own module)
        [sys.executable, "-c", INTERRUPTIBLE],
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        while after not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        printed, told = process.stdout.read(), process.stderr.read()
    return subprocess.CompletedProcess([], process.returncode, printed, told)


@pytest.mark.exhaustive
@pytest.mark.parametrize("after", ["engine: ", "environment-key created"])
def test_an_interrupt_ends_the_engine_and_all_that_was_started(
    environment: dict[str, str], after: str
) -> None:
    run = interrupted(environment, after, signal.SIGINT)
    assert run.stderr.splitlines()[-1] == "stopped"
    assert "Traceback" not in run.stderr
    assert run.returncode == 130
    assert left(environment) == []


@pytest.mark.exhaustive
def test_at_a_terminal_the_engines_own_display_is_shown_and_takes_the_ctrl_c(
    environment: dict[str, str],
) -> None:
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment |= {"TERM": "xterm", "PULUMI_DISABLE_CI_DETECTION": "true"}
    environment = {name: text for name, text in environment.items() if name != "CI"}
    with subprocess.Popen(  # noqa: S603 (this interpreter, our own module)
        [sys.executable, "-c", INTERRUPTIBLE],
        cwd=ROOT,
        env=environment,
        stdin=its,
        stdout=its,
        stderr=its,
    ) as process:
        os.close(its)
        printed = b""
        with os.fdopen(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):
            while part := terminal.read(65_536):
                if b"created" in part and b"created" not in printed:
                    os.write(ours, b"\x03")
                printed += part
    assert b"\x1b[?25l" in printed  # the cursor is hidden while it draws
    assert printed.endswith(b"stopped\r\n")
    assert process.returncode == 130
    assert left(environment) == []


@pytest.mark.exhaustive
def test_nothing_runs_on_when_the_command_is_killed(environment: dict[str, str]) -> None:
    interrupted(environment, "environment-key created", signal.SIGKILL)
    deadline = time.monotonic() + 30
    while (
        found := with_variable("TMPDIR", environment["TMPDIR"])
    ) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == []


@contextlib.contextmanager
def deploying(pulumi: Cli) -> Iterator[Deployment]:
    """Deploy dev into an account of its own."""
    stack = load(ROOT, "dev")
    with ExitStack() as running:
        layers = deployment.layer_arns(deployment.preview(stack))
        aws = running.enter_context(EmbeddedAws(layers=layers))
        engine = running.enter_context(PulumiEngine(pulumi))
        yield deployment.deploy(stack, aws, pulumi=engine)


@pytest.fixture(scope="module")
def deployed(pulumi: Cli) -> Iterator[Deployment]:
    """Deploy once for all who break something about it, and put it back."""
    with deploying(pulumi) as made:
        yield made


def figures(deployed: Deployment, values: frozenset[str] | None = None) -> dict[str, str]:
    """Promises of the engine that do not hold -> how."""
    tried = engine_checks.run(deployed, deployed.canaries if values is None else values)
    return {each.promise: each.figure for each in tried if not each.passed}


def test_what_was_made_and_not_planned_is_found_out(deployed: Deployment) -> None:
    assert deployed.pulumi
    planned = deployed.pulumi.planned
    deployed.pulumi.planned = [*planned[1:], Step("create", "urn:pulumi:dev::x::y::another")]
    try:
        (figure,) = [figures(deployed)[engine_checks.PLANNED]]
    finally:
        deployed.pulumi.planned = planned
    missing = planned[0].urn.rsplit("::", 1)[1]
    assert figure == f"only planned: create another; only done: create {missing}"


@pytest.mark.exhaustive
def test_a_second_up_that_changes_something_is_found_out(deployed: Deployment) -> None:
    assert deployed.pulumi
    path = deployed.pulumi.project / "Pulumi.dev.yaml"
    text = path.read_text()
    config = yaml.safe_load(text)
    config["config"][f"{PROJECT}:functions"]["reader"]["timeoutSeconds"] = 31
    path.write_text(yaml.safe_dump(config))
    try:
        assert "update reader-function" in figures(deployed)[engine_checks.UNCHANGED]
    finally:
        path.write_text(text)
        deployed.pulumi.up()


def test_a_value_in_the_history_is_found_out(deployed: Deployment) -> None:
    assert deployed.pulumi
    (path, *_) = sorted(deployed.pulumi.backend.rglob("*.history.json"))
    text = path.read_text()
    path.write_text(text.replace("{", f'{{"oops": "{min(deployed.canaries)}", ', 1))
    try:
        broken = figures(deployed)
    finally:
        path.write_text(text)
    assert broken == {engine_checks.HELD: f"a secret value is in {path.name}"}


@pytest.mark.exhaustive
def test_a_search_that_finds_nothing_at_all_is_found_out(
    deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_checks, "leaked", lambda *_: False)
    assert "a planted value was not found: base64, gzip" in figures(deployed)[engine_checks.HELD]


@pytest.mark.exhaustive
def test_a_failing_command_is_told_in_one_line(deployed: Deployment) -> None:
    assert deployed.pulumi
    path = deployed.pulumi.backend / ".pulumi/meta.yaml"
    text = path.read_text()
    path.write_text("version: 9\n")
    try:
        with pytest.raises(PulumiError) as error:
            deployed.pulumi.preview()
    finally:
        path.write_text(text)
    assert str(error.value) == (
        "`pulumi preview` failed: state store unsupported: 'meta.yaml' version (9) is not"
        " supported by this version of the Pulumi CLI"
    )


@pytest.mark.exhaustive
def test_what_destroy_leaves_is_found_out_and_what_it_may_leave_must_be_there(
    pulumi: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = {("aws:iam/role:Role", "reader-role"): "role"}
    monkeypatch.setattr(leftovers, "KEPT", leftovers.KEPT | role)
    with deploying(pulumi) as deployed:
        service = {"Service": "lambda.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        deployed.client("iam").create_role(RoleName="forgotten", AssumeRolePolicyDocument=trust)
        *_, outcome = engine_checks.run(deployed, deployed.canaries, stays=False)
    assert (outcome.promise, outcome.passed) == (engine_checks.LEFT, False)
    assert re.fullmatch(
        r"left but not listed: role forgotten in us-east-1,"
        r" security group sg-\w+ in us-east-1;"  # which every account has
        r" listed but gone: role \S*reader-role-[0-9a-f]{7} in us-east-1",
        outcome.figure,
    )
