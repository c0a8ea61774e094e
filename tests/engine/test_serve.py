"""What `make serve` prints, run as it is printed: plain `pulumi up`, without a network."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import deployment
from local.config.project import load
from local.engines.pulumi_cli import Cli
from tests.engine.checkout import changed_files
from tests.processes import with_variable
from tests.recording import ROOT

# Stands in for the AWS CLI: the one command that is printed.
AWS = """#!{python}
import sys, boto3
*command, name, out = sys.argv[1:]
assert (command, out) == (["lambda", "invoke", "--function-name"], "/dev/stdout"), sys.argv
print(boto3.client("lambda").invoke(FunctionName=name)["Payload"].read().decode())
"""
LAST = "pulumi up --stack dev"


class Terminal:
    """Another terminal: a clean shell with a login, a proxy and a profile of the user's."""

    def __init__(self, folder: Path, *programs: Path) -> None:
        for name in ("home", "bin"):
            (folder / name).mkdir()
        (folder / "bin/aws").write_text(AWS.format(python=sys.executable))
        (folder / "bin/aws").chmod(0o700)
        path = [folder / "bin", *programs, "/usr/bin", "/bin"]
        self.home = folder / "home"
        self._environment = {
            "HOME": str(self.home),
            "PATH": os.pathsep.join(map(str, path)),
            "AWS_PROFILE": "none-such",
            "AWS_SESSION_TOKEN": "hostile",
            "HTTPS_PROXY": "http://127.0.0.1:1",
            "HTTP_PROXY": "http://127.0.0.1:1",
            "PULUMI_SKIP_CONFIRMATIONS": "true",  # nobody answers here
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def run(self, *lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", "-e"],
            cwd=ROOT,
            env=self._environment,
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@contextmanager
def serve(pulumi: Path, folder: Path, *options: str) -> Iterator[list[str]]:
    """Serve; yield the lines for the other terminal, and see that nothing is left at the end."""
    folder.mkdir()
    with subprocess.Popen(  # noqa: S603 (this interpreter, our own module)
        [sys.executable, "-m", "local", "serve", *options],
        cwd=ROOT,
        env={
            **os.environ,
            "ENGINE": "",
            "PATH": os.pathsep.join([str(pulumi.parent), os.environ["PATH"]]),
            "PYTHONUNBUFFERED": "1",
            "STACK": "",
            "TMPDIR": str(folder),
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        printed: list[str] = []
        for line in process.stdout:
            printed.append(line.rstrip("\n"))
            if line.startswith(LAST):
                break
        first = next(n for n, line in enumerate(printed) if "In another terminal:" in line)
        try:
            yield printed[first + 1 :]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
    assert list(folder.iterdir()) == []
    assert with_variable("TMPDIR", str(folder)) == []


def counts(run: subprocess.CompletedProcess[str]) -> Mapping[str, int]:
    """Read the summary that the CLI prints last: what was done -> to how many."""
    assert run.returncode == 0, run.stdout + run.stderr
    *_, summary = run.stdout.split("Resources:")
    return {
        word: int(count) for count, word in re.findall(r"(\d+) (\w+)", summary.split("\n\n")[0])
    }


@pytest.fixture(scope="module")
def resources() -> int:
    """Return how many resources dev has, and the stack itself."""
    return len(deployment.preview(load(ROOT, "dev")).registrations) + 1


@pytest.fixture
def terminal(pulumi: Cli, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, pulumi.path.parent)


@pytest.mark.exhaustive
def test_what_serve_prints_invokes_the_function_and_goes_on_with_the_deployed_stack(
    pulumi: Cli, terminal: Terminal, resources: int, tmp_path: Path
) -> None:
    with serve(pulumi.path, tmp_path / "serve") as lines:
        run = terminal.run(*lines)
        assert '"statusCode": 200' in run.stdout.replace('":2', '": 2')
        assert counts(run) == {"unchanged": resources}
        # The lines again, and then a change, as its user makes one.
        *before, up = lines
        change = "pulumi config set --path functions.reader.timeoutSeconds 31 --stack dev"
        changed = terminal.run(*before, change, up)
        assert "reader-function updated" in changed.stdout
        assert counts(changed).keys() == {"updated", "unchanged"}
        without = [line for line in lines if "PASSPHRASE" not in line]
        refused = terminal.run(*without)
        assert refused.returncode != 0
        (told,) = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
        assert "passphrase must be set with PULUMI_CONFIG_PASSPHRASE" in told
        assert any("unset PULUMI_DEBUG_PROVIDERS" in line for line in lines)
        assert not list(terminal.home.rglob("credentials.json"))


@pytest.mark.exhaustive
def test_an_empty_account_takes_the_whole_stack(
    pulumi: Cli, terminal: Terminal, resources: int, tmp_path: Path
) -> None:
    tracked = changed_files()
    with serve(pulumi.path, tmp_path / "serve", "--empty") as lines:
        assert counts(terminal.run(*lines)) == {"created": resources}
        assert counts(terminal.run(*lines)) == {"unchanged": resources}
        *before, _ = lines
        assert counts(terminal.run(*before, "pulumi destroy --stack dev")) == {
            "deleted": resources
        }
    assert changed_files() == tracked
