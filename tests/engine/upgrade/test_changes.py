"""An upgrade and a change of the config that could cost a value, in one `up`.

A change is refused, by the preview as by the deployment, and then nothing is lost; or it keeps the
value.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.deployment import Deployment
from local.engines.pulumi_cli import Cli, without_pulumi
from tests.engine.test_releases import ARCHIVES
from tests.engine.upgrade import account, release
from tests.recording import PROJECT

pytestmark = pytest.mark.exhaustive

SECURE = {"type": "SecureString"}
CONFIG = {"from": "config"}
EXTERNAL = {"from": "external"}
GENERATE: dict[str, Any] = {"generate": {"key": {}}}

# What there is in addition to dev's own: something of every kind that may change.
SECRETS = {"text": CONFIG, "object": CONFIG, "made": GENERATE, "old": GENERATE}
PARAMETERS = {
    "configured": SECURE | CONFIG,
    "lost": SECURE,
    "made": SECURE,
    "plain": {"value": "plain"},
}
VALUES = {"text": "t3xt-canary", "object": {"key": "k3y-canary"}}
VALUES |= {"parameters/configured": "c0nfigured-canary"}

Change = Mapping[str, Mapping[str, Any]]
"""Section -> name -> what it is from now on; None where it leaves the config."""

REFUSED: dict[str, tuple[str, Change]] = {
    "a configured parameter is to be generated": (
        "parameters.configured",
        {"parameters": {"configured": SECURE}, "secretValues": {"parameters/configured": None}},
    ),
    "a String is to be generated": ("parameters.plain", {"parameters": {"plain": SECURE}}),
    "a generated parameter is to be a String": (
        "parameters.made",
        {"parameters": {"made": {"value": "an0ther-canary"}}},
    ),
    "a generated parameter is to be configured": (
        "parameters.made",
        {
            "parameters": {"made": SECURE | CONFIG},
            "secretValues": {"parameters/made": "an0ther-canary"},
        },
    ),
    "a configured parameter is to be put by hand": (
        "parameters.configured",
        {
            "parameters": {"configured": SECURE | EXTERNAL},
            "secretValues": {"parameters/configured": None},
        },
    ),
    "a secret leaves the config": ("secrets.old", {"secrets": {"old": None}}),
    "a parameter leaves the config": ("parameters.plain", {"parameters": {"plain": None}}),
    "a generated secret is to be configured": (
        "secrets.made",
        {"secrets": {"made": CONFIG}, "secretValues": {"made": "an0ther-canary"}},
    ),
    "a configured text is to be generated": (
        "secrets.text",
        {"secrets": {"text": GENERATE}, "secretValues": {"text": None}},
    ),
}
KEPT: Change = {
    "secrets": {"text": EXTERNAL, "object": GENERATE},
    "secretValues": {"text": None, "object": None},
}


def pulumi(
    deployed: Deployment, *command: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command of the CLI on the stack; it shows no value."""
    engine = release.engine_of(deployed)
    done = subprocess.run(  # noqa: S603 (the Pulumi CLI)
        [engine.cli.path, "--non-interactive", *command],
        cwd=engine.project,
        env=without_pulumi()
        | deployed.aws.exports(deployed.stack.region)
        | engine.exports
        | {
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(engine.folder / "home"),
            "PULUMI_SKIP_CONFIRMATIONS": "true",
        },
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "canary" not in done.stdout + done.stderr
    return done


def refused(deployed: Deployment, stack: str, expected: str) -> None:
    """Preview and deploy; each must fail, for the reason expected, and cost nothing."""
    before = account.values(deployed), account.holders(deployed)
    for command in (["preview"], ["up", "--skip-preview"]):
        done = pulumi(deployed, *command, "--stack", stack)
        assert done.returncode, "it was not refused"
        assert expected in done.stdout + done.stderr
    assert account.differing(before[0], account.values(deployed)) == []
    assert account.holders(deployed) == before[1]


def stack_file(deployed: Deployment) -> Path:
    return release.engine_of(deployed).project / f"Pulumi.{deployed.stack.name}.yaml"


def change(deployed: Deployment, sections: Change) -> None:
    """Change the stack's file as its user does, who lets the CLI encrypt what is secret."""
    path = stack_file(deployed)
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    values: dict[str, Any] = {}
    for section, changes in sections.items():
        there = written["config"][f"{PROJECT}:{section}"]
        for name, to in changes.items():
            there.pop(name, None)
            if to is not None:
                (values if section == "secretValues" else there)[name] = to
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    for name, value in values.items():
        key = f'secretValues["{name}"]'
        done = pulumi(
            deployed, *("config", "set", "--secret", "--path", key, "--stack", "dev"), text=value
        )
        assert not done.returncode, done.stderr


@contextmanager
def changed(deployed: Deployment, sections: Change) -> Iterator[None]:
    text = stack_file(deployed).read_bytes()
    try:
        change(deployed, sections)
        yield
    finally:
        stack_file(deployed).write_bytes(text)


@contextmanager
def renamed(deployed: Deployment, name: str) -> Iterator[None]:
    command = ("stack", "rename", "--stack")
    assert pulumi(deployed, *command, deployed.stack.name, name).returncode == 0
    try:
        yield
    finally:
        assert pulumi(deployed, *command, name, deployed.stack.name).returncode == 0


@pytest.mark.parametrize("archive", ARCHIVES, ids=release.version)
def test_an_upgrade_with_a_change_keeps_every_value_or_is_refused(
    archive: Path, pulumi: Cli, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    added: Any = {"secrets": SECRETS, "parameters": PARAMETERS, "secretValues": VALUES}
    with release.deployed(pulumi, archive, "dev", tmp_path, **added) as deployed:
        release.take_over(deployed)
        for name, (expected, sections) in REFUSED.items():
            with subtests.test(name), changed(deployed, sections):
                refused(deployed, "dev", expected)
        with subtests.test("the stack has another name"), renamed(deployed, "another"):
            refused(deployed, "another", f"{PROJECT}/dev/")
        with subtests.test("sources change, and a generated parameter was lost"):
            before, engine = account.values(deployed), release.engine_of(deployed)
            lost = f"/{PROJECT}/dev/lost"
            deployed.client("ssm").delete_parameter(Name=lost)
            change(deployed, KEPT)
            engine.up()
            after = account.values(deployed)
            assert account.differing(before, after) == [f"{lost} (SecureString) in us-east-1"]
            assert lost in {name for _, name, _ in after}
            assert engine.up() == []
            assert release.as_it_is(deployed).functions["reader"].invoke().status == 200
