"""The project under Pulumi's own engine, on an embedded AWS that outlives a deployment."""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import deployment
from local.aws import EmbeddedAws
from local.config.project import load
from local.engines import language_host
from local.engines.pulumi_cli import Cli
from local.provider.server import served
from tests.engine.cli import environment
from tests.recording import PROJECT, ROOT

REGION = "us-east-1"
CANARY = "s3cr3t-canary"


class CommandError(Exception):
    """A command line failed; the text is all that it printed."""


class Stack:
    """A stack of the project, with a name and a state of its own.

    Most tests change one secret or parameter, `x`.
    """

    def __init__(
        self,
        cli: Cli,
        aws: EmbeddedAws,
        ports: dict[str, int],
        directory: Path,
        program: Path = ROOT,
    ) -> None:
        self.name = f"test-{uuid.uuid4().hex[:8]}"
        self.prefix = f"{PROJECT}/{self.name}/"
        self.parameter_name = f"/{self.prefix}x"
        self.secret_name = f"{self.prefix}x"
        self.ssm = aws.client("ssm", REGION)
        self.secrets = aws.client("secretsmanager", REGION)
        self.logs = aws.client("logs", REGION)
        self._s3 = aws.client("s3", REGION)
        for name in ("work", "bin"):
            (directory / name).mkdir()
        (directory / "bin" / "aws").symlink_to(Path(__file__).with_name("aws_cli.py"))
        if shutil.which("jq") is None:
            (directory / "bin" / "jq").symlink_to(Path(__file__).with_name("jq.py"))
        self.work, self._state = directory / "work", directory / "state"
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
            "PULUMI_SKIP_CONFIRMATIONS": "true",
        }
        self.attach(ports["aws"])
        self.use(program)
        self.run(f"pulumi stack init {self.name}")

    def attach(self, port: int) -> None:
        """Let the provider on a port make the resources."""
        self._environment["PULUMI_DEBUG_PROVIDERS"] = f"aws:{port}"

    def use(self, program: Path) -> None:
        """Run the program in a folder."""
        project = f"name: {PROJECT}\nruntime: python\nmain: {program}\n"
        (self.work / "Pulumi.yaml").write_text(project)

    def configure(self, value: str | None = None, /, **parameters: dict[str, Any]) -> None:
        """Configure these parameters, and a value of `x` in `secretValues` or none."""
        values = {} if value is None else {"parameters/x": value}
        self.write(values, parameters=parameters)

    def configure_secrets(self, value: str | None = None, /, **secrets: dict[str, Any]) -> None:
        """Configure these secrets, and a value of `x` in `secretValues` or none."""
        self.write({} if value is None else {"x": value}, secrets=secrets)

    def write(self, values: Mapping[str, str], /, **keys: Any) -> None:
        """Write the stack's file: `secretValues`, and all other keys that differ from none."""
        path = self.work / f"Pulumi.{self.name}.yaml"
        written = yaml.safe_load(path.read_text())
        keys["secrets"] = {"database": {"from": "external"}, **keys.get("secrets", {})}
        config = {f"{PROJECT}:{key}": value for key, value in keys.items()}
        written["config"] = {"aws:region": REGION, **config}
        path.write_text(yaml.safe_dump(written))
        for name, value in values.items():
            self.run(f"pulumi config set --secret --path 'secretValues[\"{name}\"]'", value)

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
            cwd=self.work,
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandError(done.stdout + done.stderr)
        return done.stdout

    def value(self, name: str = "x") -> str | None:
        """Read a parameter in AWS; None where there is none."""
        try:
            read = self.ssm.get_parameter(Name=f"/{self.prefix}{name}", WithDecryption=True)
        except self.ssm.exceptions.ParameterNotFound:
            return None
        return str(read["Parameter"]["Value"])

    def text(self, name: str = "x") -> str | None:
        """Read a secret's current text in AWS; None where there is none."""
        errors = self.secrets.exceptions
        try:
            read = self.secrets.get_secret_value(SecretId=self.prefix + name)
        except (errors.ResourceNotFoundException, errors.InvalidRequestException):
            return None
        return str(read["SecretString"])

    @property
    def trail_log_group(self) -> str:
        return f"/aws/cloudtrail/{PROJECT}-{self.name}"

    def buckets(self) -> list[str]:
        return [each["Name"] for each in self._s3.list_buckets()["Buckets"]]

    def put(self, text: str, name: str = "x") -> str:
        """Put a secret's text as an operator does; return the id of its version."""
        made = self.secrets.put_secret_value(SecretId=self.prefix + name, SecretString=text)
        return str(made["VersionId"])

    def urns(self) -> set[str]:
        return {each["urn"] for each in self.state()["deployment"].get("resources", [])}

    @property
    def state_file(self) -> Path:
        return self._state / ".pulumi" / "stacks" / PROJECT / f"{self.name}.json"

    def state(self) -> dict[str, Any]:
        """Read the state as it is stored: what is secret is encrypted."""
        exported: dict[str, Any] = json.loads(self.run("pulumi stack export"))
        return exported


def refusal(run: Callable[[], str]) -> str:
    """Have a command fail; return what it printed, which holds no value."""
    with pytest.raises(CommandError) as error:
        run()
    assert CANARY not in str(error.value)
    return str(error.value)


def commands(text: str) -> list[str]:
    """Find the command lines that an error gives."""
    return re.findall(r"^ +((?:pulumi|aws|echo) .+)$", text, re.MULTILINE)


def advice(stack: Stack) -> list[str]:
    """Have a deployment refused before it makes anything, at preview too; read its advice."""
    before = stack.urns()
    text = refusal(stack.preview)
    assert commands(text) == commands(refusal(stack.up))
    assert stack.urns() == before
    return commands(text)


@pytest.fixture(scope="session")
def programs(account: tuple[EmbeddedAws, int]) -> Iterator[int]:
    """Port of the host that runs a stack's program."""
    del account  # a program was previewed for it: the host imports what that needed
    with language_host.served() as port:
        yield port


@pytest.fixture(scope="session")
def account(pulumi: Cli) -> Iterator[tuple[EmbeddedAws, int]]:
    """An account, and the port of the provider that makes resources in it."""
    del pulumi  # nothing is started for tests that are skipped
    layers = deployment.layer_arns(deployment.preview(load(ROOT, "dev")))
    with EmbeddedAws(layers=layers) as aws, served(aws, REGION) as port:
        yield aws, port


@pytest.fixture
def stack(pulumi: Cli, programs: int, account: tuple[EmbeddedAws, int], tmp_path: Path) -> Stack:
    aws, port = account
    return Stack(pulumi, aws, {"python": programs, "aws": port}, tmp_path)
