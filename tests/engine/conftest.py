"""The project under Pulumi's own engine, on an embedded AWS that outlives a deployment."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import deployment
from local.aws import EmbeddedAws
from local.project import load
from local.provider.server import served
from local.pulumi_cli import Cli
from tests.engine.cli import environment
from tests.recording import PROJECT, ROOT

REGION = "us-east-1"


class CommandError(Exception):
    """A command line failed; the text is all that it printed."""


class Stack:
    """A stack of the project, with a name and a state of its own, and one parameter to change."""

    def __init__(self, cli: Cli, aws: EmbeddedAws, ports: dict[str, int], directory: Path) -> None:
        self.name = f"test-{uuid.uuid4().hex[:8]}"
        self.parameter_name = f"/{PROJECT}/{self.name}/x"
        self.ssm = aws.client("ssm", REGION)
        for name in ("work", "bin"):
            (directory / name).mkdir()
        (directory / "bin" / "aws").symlink_to(Path(__file__).with_name("aws_cli.py"))
        if shutil.which("jq") is None:
            (directory / "bin" / "jq").symlink_to(Path(__file__).with_name("jq.py"))
        self._work, self._state = directory / "work", directory / "state"
        self._environment = os.environ | environment(directory)
        self._environment |= {
            "AWS_ACCESS_KEY_ID": aws.access_key_id,
            "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "PATH": os.pathsep.join(
                [
                    str(directory / "bin"),
                    str(Path(sys.executable).parent),
                    str(cli.path.parent),
                    os.environ["PATH"],
                ]
            ),
            "PULUMI_DEBUG_LANGUAGES": f"python:{ports['python']}",
            "PULUMI_DEBUG_PROVIDERS": f"aws:{ports['aws']}",
            "PULUMI_SKIP_CONFIRMATIONS": "true",
        }
        (self._work / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        self.run(f"pulumi stack init {self.name}")

    def configure(self, value: str | None = None, /, **parameters: dict[str, str]) -> None:
        """Configure these parameters, and a value of ``x`` in ``secretValues`` or none."""
        path = self._work / f"Pulumi.{self.name}.yaml"
        written = yaml.safe_load(path.read_text())
        written["config"] = {
            "aws:region": REGION,
            f"{PROJECT}:secrets": {"database": {"from": "external"}},
            f"{PROJECT}:parameters": parameters,
        }
        path.write_text(yaml.safe_dump(written))
        if value is not None:
            command = "pulumi config set --secret --path 'secretValues[\"parameters/x\"]'"
            self.run(command, value)

    def up(self) -> str:
        """Deploy, without a preview."""
        return self.run("pulumi up --skip-preview")

    def preview(self) -> str:
        return self.run("pulumi preview")

    def run(self, command: str, text: str = "") -> str:
        """Run a command line in the project's directory; return its output.

        Raises:
            CommandError: it failed.

        """
        done = subprocess.run(  # noqa: S603 (the tests' own lines)
            ["/bin/bash", "-o", "pipefail", "-c", command],
            cwd=self._work,
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandError(done.stdout + done.stderr)
        return done.stdout

    def value(self) -> str | None:
        """Read the parameter in AWS; None where there is none."""
        try:
            read = self.ssm.get_parameter(Name=self.parameter_name, WithDecryption=True)
        except self.ssm.exceptions.ParameterNotFound:
            return None
        return str(read["Parameter"]["Value"])

    @property
    def state_file(self) -> Path:
        return self._state / ".pulumi" / "stacks" / PROJECT / f"{self.name}.json"

    def state(self) -> dict[str, Any]:
        """Read the state as it is stored: what is secret is encrypted."""
        exported: dict[str, Any] = json.loads(self.run("pulumi stack export"))
        return exported


@contextmanager
def host(root: Path) -> Iterator[int]:
    """Serve a project's program on a port."""
    script = Path(__file__).with_name("host.py")
    with subprocess.Popen(  # noqa: S603 (ours)
        [sys.executable, str(script), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


@pytest.fixture(scope="session")
def program(pulumi: Cli) -> Iterator[int]:
    """Port of the project's program."""
    del pulumi  # nothing is started for tests that are skipped
    with host(ROOT) as port:
        yield port


@pytest.fixture(scope="session")
def account(pulumi: Cli) -> Iterator[tuple[EmbeddedAws, int]]:
    """An account, and the port of the provider that makes resources in it."""
    del pulumi
    layers = deployment.layer_arns(deployment.preview(load(ROOT, "dev")))
    with EmbeddedAws(layers=layers) as aws, served(aws, REGION) as port:
        yield aws, port


@pytest.fixture
def stack(pulumi: Cli, program: int, account: tuple[EmbeddedAws, int], tmp_path: Path) -> Stack:
    aws, port = account
    return Stack(pulumi, aws, {"python": program, "aws": port}, tmp_path)
