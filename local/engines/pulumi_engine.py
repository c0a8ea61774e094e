"""Runs a stack with Pulumi's own engine on the embedded AWS, isolated from the user's Pulumi.

Home, backend and passphrase are temporary. The CLI is the installed one; the AWS provider and the
host of the program are this project's, so nothing is downloaded.
"""

import contextlib
import itertools
import json
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from local.aws import EmbeddedAws
from local.config.project import Stack
from local.engines import language_host, pulumi_cli
from local.engines.pulumi_cli import Cli
from local.engines.record import CreatedResource, Record
from local.provider import wire
from local.provider.server import served

_STOP_SECONDS = 10
_ENCRYPTED = "[secret]"


class PulumiError(Exception):
    """A command of the CLI failed; the text has the command and the CLI's reason."""


@dataclass(frozen=True)
class Step:
    """An operation of the engine on a resource, planned or done."""

    operation: str
    """Such as `create`; `same` where only the state changes."""
    urn: str
    changed: tuple[str, ...] = field(default=(), compare=False)
    """Names of the properties that differ; a preview may not know all of them."""

    @property
    def type(self) -> str:
        """Type of the resource: `aws:kms/key:Key`."""
        return self.urn.split("::")[2].rsplit("$", 1)[-1]

    @property
    def name(self) -> str:
        """Logical name of the resource."""
        return self.urn.split("::", 3)[3]


@dataclass(frozen=True)
class StateResource:
    """One resource of the state; see `record.CreatedResource`."""

    type: str
    name: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class PulumiEngine:
    """One stack, as a context manager that cleans up everything it starts and writes.

    Entering raises `OSError` if no temporary folder can be created.
    """

    def __init__(self, cli: Cli) -> None:
        self.cli = cli
        self._passphrase = secrets.token_urlsafe(24)
        self._started = contextlib.ExitStack()
        self._ports: dict[str, int] = {}
        self.folder = Path()
        """The folder of everything that it writes."""
        self.planned: list[Step] = []
        """The steps of the preview before the first deployment."""
        self.made: list[Step] = []
        """The steps of the first deployment."""

    def __enter__(self) -> Self:
        # A killed CLI may still be writing.
        temporary = tempfile.TemporaryDirectory(prefix="pulumi-", ignore_cleanup_errors=True)
        self.folder = Path(self._started.enter_context(temporary))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._started.close()

    def open(
        self,
        stack: Stack,
        aws: EmbeddedAws,
        created: Callable[[CreatedResource], None] | None = None,
    ) -> None:
        """Write the project, initialize the stack, and serve provider and program.

        `created` is called with each resource right after the provider has created it.

        Raises:
            PulumiError: the CLI failed.

        """
        self._stack, self._aws = stack, aws
        for part in (self.project, self.backend, self.folder / "home"):
            part.mkdir()
        host = self._started.enter_context(language_host.served())
        provider = self._started.enter_context(served(aws, stack.region, created))
        self._ports = {"aws": provider, "python": host}
        self._write_project()
        self._command("stack", "init", stack.name)
        self._set_secrets()

    def deploy(
        self,
        stack: Stack,
        aws: EmbeddedAws,
        created: Callable[[CreatedResource], None] | None = None,
    ) -> Record:
        """Open the stack, preview it, and deploy it while showing the CLI's progress.

        Raises:
            PulumiError: the CLI failed.

        """
        self.open(stack, aws, created)
        self.planned = self.preview()
        self.made = self.up(shown=True)
        return self.record()

    @property
    def project(self) -> Path:
        """Folder of `Pulumi.yaml` and the stack's file; the program stays where it is."""
        return self.folder / "project"

    @property
    def backend(self) -> Path:
        """Folder of the state, its history and its backups."""
        return self.folder / "state"

    @property
    def exports(self) -> dict[str, str]:
        """Environment variables with which a CLI uses this stack, except those of AWS."""
        variables = {
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": self._passphrase,
            "PULUMI_DEBUG_PROVIDERS": f"aws:{self._ports['aws']}",
        }
        if not self.cli.has_python:
            variables["PULUMI_DEBUG_LANGUAGES"] = f"python:{self._ports['python']}"
        return variables

    def configure(self, stack: Stack) -> None:
        """Write another config of the same stack."""
        self._stack = stack
        self._write_project()
        self._set_secrets()

    def preview(self) -> list[Step]:
        """Preview a deployment; return the steps that change something."""
        return self._steps("preview")

    def up(self, *, shown: bool = False, refresh: bool = False) -> list[Step]:
        """Deploy, optionally after a refresh; return the steps that change something."""
        options = ["--refresh"] if refresh else []
        return self._steps("up", "--skip-preview", "--suppress-outputs", *options, shown=shown)

    def release(self) -> list[Step]:
        """End the protection of a strict stack, as docs/operations.md says; return the steps."""
        key = 'exemptions["protect"]'
        lines = {
            "reason": "The account is deleted after this run.",
            "owner": "this run",
            "expires": (datetime.now(UTC).date() + timedelta(1)).isoformat(),
        }
        pairs = [f"{key}.{name}={value}" for name, value in lines.items()]
        arguments = itertools.chain(*(("--plaintext", pair) for pair in pairs))
        self._command("config", "set-all", "--path", *arguments)
        return self.up()

    def destroy(self) -> list[Step]:
        """Destroy the stack if the preview succeeds; return the steps.

        Without a preview, the engine would delete unprotected resources before it fails.
        """
        return self._steps("destroy")

    def record(self) -> Record:
        """Return the state; secrets in it are encrypted."""
        state = self._command("stack", "export")
        resources = json.loads(state)["deployment"].get("resources", [])
        (root,) = (each for each in resources if each["type"] == "pulumi:pulumi:Stack")
        return Record(
            tuple(
                StateResource(
                    each["type"],
                    each["urn"].rsplit("::", 1)[1],
                    each.get("id", ""),
                    _plain(each.get("inputs", {})),
                    _plain(each.get("outputs", {})),
                )
                for each in resources
                if not each["type"].startswith("pulumi:")
            ),
            _plain(root.get("outputs", {})),
            state,
        )

    def _steps(self, command: str, *arguments: str, shown: bool = False) -> list[Step]:
        log = self.folder / "events.json"
        try:
            self._command(command, *arguments, "--event-log", str(log), shown=shown)
        except PulumiError:
            # At a terminal, the CLI's display handles Ctrl-C itself.
            if any("canceled" in each["message"] for each in _events(log, "diagnosticEvent")):
                raise KeyboardInterrupt from None
            raise
        found = [event["metadata"] for event in _events(log, "resourcePreEvent")]
        steps = [Step(each["op"], each["urn"], _changed(each)) for each in found]
        return [
            step for step in steps if step.operation not in {"refresh", "same"} or step.changed
        ]

    def _write_project(self) -> None:
        """Write the stack's config, and a project file that points to the program."""
        root = self._stack.program.parent
        project = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
        project["main"] = str(root)
        runtime = project["runtime"]
        if isinstance(runtime, dict) and "virtualenv" in runtime.get("options", {}):
            options = runtime["options"]
            options["virtualenv"] = str(root / options["virtualenv"])
        declared = project.get("config") or {}
        config = {}
        for key, text in self._stack.config.items():
            own = key.removeprefix(f"{self._stack.project}:")
            about = declared.get(own)
            value = _typed(about, text)
            default = about.get("default") if isinstance(about, dict) else about
            if own != "secretValues" and value != default:
                config[key] = value
        for name, content in (("Pulumi.yaml", project), (self._stack_file, {"config": config})):
            text = yaml.safe_dump(content, sort_keys=False)
            (self.project / name).write_text(text, encoding="utf-8")

    @property
    def _stack_file(self) -> str:
        return f"Pulumi.{self._stack.name}.yaml"

    def _set_secrets(self) -> None:
        for path, value in _leaves("secretValues", self._stack.section("secretValues")):
            self._command("config", "set", "--secret", "--path", path, text=str(value))

    def _command(self, *arguments: str, text: str = "", shown: bool = False) -> str:
        """Run a command; return its output, or "" if the output was shown."""
        sys.stdout.flush()
        interactive = shown and sys.stdin.isatty() and sys.stdout.isatty()
        options = [] if interactive else ["--non-interactive"]
        if arguments[0] != "stack":
            options += ["--stack", self._stack.name]
        with subprocess.Popen(  # noqa: S603 (the Pulumi CLI)
            [self.cli.path, *arguments, *options],
            cwd=self.project,
            env=self._environment(),
            stdin=None if interactive else subprocess.PIPE,
            stdout=None if shown else subprocess.PIPE,
            stderr=subprocess.STDOUT if shown else subprocess.PIPE,
            text=True,
            # In another session, Ctrl-C at the terminal reaches only this process.
            start_new_session=not interactive,
        ) as process:
            try:
                printed, complaint = process.communicate(None if interactive else text)
            except BaseException:
                _stop(process)
                raise
        if process.returncode:
            raise PulumiError(_reason(arguments, f"{printed or ''}\n{complaint or ''}"))
        return printed or ""

    def _environment(self) -> dict[str, str]:
        return {
            **pulumi_cli.without_pulumi(),
            **self._aws.exports(self._stack.region),
            **self.exports,
            # Also where the CLI has its own host: ours does not search for a virtual environment.
            "PULUMI_DEBUG_LANGUAGES": f"python:{self._ports['python']}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_DEBUG_COMMANDS": "true",  # enables --event-log
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # Each checkpoint writes the whole state, and this state is temporary.
            "PULUMI_SKIP_CHECKPOINTS": "true",
            "PULUMI_SKIP_CONFIRMATIONS": "true",
        }


def _changed(step: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the inputs that differ, and `protect`, as the CLI shows them."""
    old, new = step.get("old"), step.get("new")
    if not old or not new:
        return ()
    keys = set(step.get("diffs") or ())
    if (
        step["op"] == "update" and step.get("diffs") is None
    ):  # no provider computes the diff of a component
        inputs, to = old.get("inputs", {}), new.get("inputs", {})
        keys = {key for key in inputs.keys() | to.keys() if inputs.get(key) != to.get(key)}
    if old.get("protect", False) != new.get("protect", False):
        keys.add("protect")
    return tuple(sorted(keys))


def _events(log: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the events of one kind from the engine's log."""
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            if found := json.loads(line).get(kind):
                yield found


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt the CLI as Ctrl-C does, so that it finishes cleanly; kill it if it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()


def _reason(arguments: tuple[str, ...], printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    words = itertools.takewhile(lambda word: not word.startswith("-"), arguments[:2])
    return f"`pulumi {' '.join(words)}` failed: {'; '.join(errors) or 'see above'}"


def _typed(declaration: object, text: str) -> object:
    """Return a config value as a stack file needs it: text unless another type is declared."""
    declared = declaration.get("type") if isinstance(declaration, dict) else None
    return json.loads(text) if declared in ("array", "boolean", "integer", "object") else text


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield each value in a map, with its path in Pulumi's syntax."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}[{json.dumps(key)}]", inner)
    else:
        yield path, value


def _plain(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    """Return a value of the state, with `[secret]` for what is encrypted."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get(wire.SIGNATURE) == wire.SECRET:
        return _ENCRYPTED
    return {key: _plain(each) for key, each in value.items()}
