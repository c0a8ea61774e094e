"""Stack files as the Pulumi CLI reads and writes them, and the commands that errors give."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.config.environment import Environment
from infra.config.settings import SettingsError, load
from local.config import project
from local.engines.built_in import BuiltInEngine
from tests.engine.cli import Cli, needs_cli
from tests.engine.conftest import CommandError, Stack
from tests.recording import PROJECT, ROOT, Recording

pytestmark = pytest.mark.exhaustive

TEXT = "a reason that is long enough"
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


def cli(folder: Path, stack: str) -> Cli:
    """Make a stack of the project in a folder, with the project's own file."""
    for name in ("Pulumi.yaml", f"Pulumi.{stack}.yaml"):
        shutil.copy(ROOT / name, folder)
    made = Cli(folder)
    run(made, f"stack init {stack}")
    return made


def run(made: Cli, command: str, text: str = "") -> str:
    ended = made.run(*shlex.split(command), text=text)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def settings(folder: Path, stack: str) -> Environment:
    """Load settings as the local run does."""
    found: list[Environment] = []
    BuiltInEngine(Recording()).run(project.load(folder, stack), lambda: found.append(load()))
    return found[0]


def both(made: Cli, folder: Path, stack: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the stack's config as the CLI reads it, and as the local run does."""
    read = json.loads(run(made, f"config --json --stack {stack}"))
    return (
        {key: value(each["value"]) for key, each in read.items()},
        {key: value(text) for key, text in project.load(folder, stack).config.items()},
    )


def value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@needs_cli
@pytest.mark.parametrize("stack", STACKS)
def test_the_cli_reads_both_forms_of_a_stacks_keys_as_the_local_run_does(
    tmp_path: Path, stack: str
) -> None:
    made, file = cli(tmp_path, stack), f"Pulumi.{stack}.yaml"
    assert f"\n  {PROJECT}:secrets:" in (tmp_path / file).read_text()  # `stack init` wrote it
    long = both(made, tmp_path, stack)
    assert long[0] == long[1]
    shutil.copy(ROOT / file, tmp_path)
    assert "\n  secrets:" in (tmp_path / file).read_text()
    assert both(made, tmp_path, stack) == long


@needs_cli
def test_what_config_set_writes_is_accepted(tmp_path: Path) -> None:
    made = cli(tmp_path, "prod")
    shutil.copy(ROOT / "Pulumi.prod.yaml", tmp_path)
    for command in (
        "maxStalenessSeconds 120",
        "protection strict",
        "--path functions.reader.memoryMb 512",
        "--path functions.reader.telemetry true",
        "--path secrets.session.rotation.everyDays 5",
        "--path secrets.database.fields.sslmode require",
        "--path 'secrets[\"team/key\"].from' config",
        *(
            f"--path 'exemptions[\"{rule}.team/key\"].{key}' {value}"
            for rule in ("rotation", "configValues")
            for key, value in (
                ("reason", "'An operator does it.'"),
                ("owner", "platform"),
                ("expires", "9999-12-31"),
            )
        ),
        "--path --type string tags.CostCenter 42",
        "--path 'replicaRegions[0]' us-west-2",
    ):
        run(made, f"config set --stack prod {command}")
    command = "config set --stack prod --secret --path 'secretValues[\"team/key\"]'"
    run(made, command, '{"port": 5432}')
    written = (tmp_path / "Pulumi.prod.yaml").read_text()
    for part in (f'\n  {PROJECT}:maxStalenessSeconds: "120"\n', "secure: v1:", "encryptionsalt:"):
        assert part in written
    read = settings(tmp_path, "prod").settings
    assert read.max_staleness_seconds == 120
    assert read.functions["reader"].memory_mb == 512
    assert read.functions["reader"].telemetry is True
    assert read.secrets["session"].rotation
    assert read.secrets["session"].rotation.every_days == 5
    assert read.secrets["database"].fields["sslmode"] == "require"
    assert read.secrets["team/key"].source == "config"
    assert read.exemptions["rotation.team/key"].reason == "An operator does it."
    assert read.tags == {"CostCenter": "42"}
    assert read.replica_regions == ["us-west-2"]
    values = json.loads(run(made, "config get --stack prod secretValues"))
    assert json.loads(values["team/key"]) == {"port": 5432}


@needs_cli
def test_numbers_of_a_map_that_is_set_in_parts_become_text(tmp_path: Path) -> None:
    made = cli(tmp_path, "prod")
    run(made, "config set --stack prod --secret --path 'secretValues[\"m\"].port' 5432")
    values = json.loads(run(made, "config get --stack prod secretValues"))
    assert values["m"] == {"port": "5432"}


@needs_cli
def test_the_advice_on_what_config_set_spoiled_repairs_it(tmp_path: Path) -> None:
    made = cli(tmp_path, "prod")
    for command in (
        "tags.Num 42",
        "tags.Bool true",
        "'tags[\"a-b\"]' -- -5",
        "tags.team.name x",
        "parameters.x.value 5",
        "exemptions.rotation.partner why",
        "secrets.database.fields.a.b 1",
    ):
        run(made, f"config set --stack prod --path {command}")
    with pytest.raises(SettingsError) as error:
        settings(tmp_path, "prod")
    advice = [re.findall("`pulumi (.+?)`", fault) for fault in error.value.errors]
    assert len([commands for commands in advice if commands]) == 7
    for commands in advice:
        for command in commands:
            run(made, f"{command} --stack prod" if " -- " not in command else command, TEXT)
    read = settings(tmp_path, "prod").settings
    tags = {"Num": "42", "Bool": "true", "a-b": "-5", "team.name": TEXT}
    assert read.tags == {"CostCenter": "platform", **tags}
    assert read.parameters["x"].value == "5"
    assert {key: each.reason for key, each in read.exemptions.items()} == {
        "rotation.partner": TEXT
    }
    assert read.secrets["database"].fields["a.b"] == TEXT


@needs_cli
def test_the_program_takes_both_forms_and_refuses_a_mistyped_namespace(stack: Stack) -> None:
    stack.configure()
    assert "to create" in stack.preview()
    file = f"Pulumi.{stack.name}.yaml"
    stack.run(f"sed -i 's/^  {PROJECT}:/  /' {file} && grep '^  secrets:' {file}")
    assert "to create" in stack.preview()
    typo = PROJECT[:-1]
    stack.run(f"pulumi config set {typo}:protection relaxed")
    stack.run("pulumi config set other:protection relaxed")
    stack.run("pulumi config set other:x relaxed")
    with pytest.raises(CommandError) as error:
        stack.preview()
    line = r"(\S+) is ignored, because the project is named (\S+); write (\S+) instead"
    assert set(re.findall(line, str(error.value))) == {
        (f"{name}:protection", f"'{PROJECT}'", "protection") for name in (typo, "other")
    }
