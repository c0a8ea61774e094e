"""Which Pulumi CLI is used, which is refused, and how one is built."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from local.engines import pulumi_cli
from local.engines.pulumi_cli import CliError
from tests.recording import PROJECT, ROOT
from tools import build_pulumi


def script(path: Path, *lines: str) -> Path:
    """Write a program of a shell's lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on the PATH with a program of ours; the cache is empty, too."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/usr/bin", "/bin"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "shutil.which", lambda name: str(folder / name) if (folder / name).exists() else None
    )
    return folder


def test_the_cli_on_the_path_comes_before_the_built_one(path: Path) -> None:
    assert pulumi_cli.find() is None
    script(pulumi_cli.built(), "echo v3.274.1")
    found = pulumi_cli.find()
    assert found
    assert (found.path, found.version) == (pulumi_cli.built(), "3.274.1")
    script(path / "pulumi", "echo v3.300.0-alpha.1")
    found = pulumi_cli.find()
    assert found
    assert (found.path, found.version) == (path / "pulumi", "3.300.0-alpha.1")
    assert str(found) == f"Pulumi 3.300.0-alpha.1 at {path}/pulumi"


def test_a_development_build_has_no_version_and_is_taken_as_pulumi_takes_it(path: Path) -> None:
    script(path / "pulumi", "echo")
    assert "development build" in str(pulumi_cli.find())


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["echo v3.235.9"], "is Pulumi 3.235.9, but 3.236.0 or later is required; upgrade it"),
        (["echo v2.9.0"], "is Pulumi 2.9.0, but 3.236.0 or later is required; upgrade it"),
        (["echo hello"], "reports the version 'hello'; reinstall Pulumi"),
        (["exit 3"], "does not run (CalledProcessError); reinstall Pulumi"),
    ],
)
def test_a_cli_that_cannot_be_used_is_told_in_one_line(
    path: Path, lines: list[str], told: str
) -> None:
    script(path / "pulumi", *lines)
    with pytest.raises(CliError) as error:
        pulumi_cli.find()
    assert f"{path}/pulumi {told}" in str(error.value)
    assert "\n" not in str(error.value)


def test_pulumi_yaml_may_ask_for_a_later_cli(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(path / "pulumi", "echo v3.274.1")
    project = {"name": PROJECT, "requiredPulumiVersion": ">=3.280.0 <4.0.0"}
    monkeypatch.setattr(pulumi_cli, "_project", lambda: project)
    with pytest.raises(CliError, match=r"3\.280\.0 or later is required"):
        pulumi_cli.find()


def test_asking_for_the_version_leaves_the_users_pulumi_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "canary")
    seen = path / "seen"
    script(path / "pulumi", f"env > {seen}", "echo v3.274.1")
    pulumi_cli.find()
    assert "PULUMI_HOME=/dev/null" in seen.read_text()
    assert "canary" not in seen.read_text()


def test_a_full_installation_brings_its_own_host_for_python(path: Path) -> None:
    script(path / "pulumi", "echo v3.274.1")
    found = pulumi_cli.find()
    assert found
    assert not found.has_python
    script(path / "pulumi-language-python")
    assert found.has_python


def test_make_pulumi_builds_once_and_says_what_there_is(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script(
        path / "go",
        'while [ "$1" != -o ]; do shift; done',
        'printf "#!/bin/sh\\necho v3.274.1\\n" > "$2"; chmod +x "$2"',
    )
    assert build_pulumi.main() == 0
    assert f"built Pulumi 3.274.1 at {pulumi_cli.built()}" in capfd.readouterr().out
    (path / "go").unlink()
    assert build_pulumi.main() == 0
    assert capfd.readouterr().out == f"already installed: Pulumi 3.274.1 at {pulumi_cli.built()}\n"


@pytest.mark.parametrize("end", ["exit 1", "kill -9 $$"])
def test_a_build_that_ends_early_leaves_no_cli(path: Path, end: str) -> None:
    script(
        path / "go",
        'while [ "$1" != -o ]; do shift; done',
        'printf "#!/bin/sh\\necho v3.2" > "$2"; chmod +x "$2"',
        end,
    )
    assert build_pulumi.main() == 1
    assert pulumi_cli.find() is None
    assert list(pulumi_cli.built().parent.iterdir()) == []


def test_without_go_there_is_one_line_with_what_to_do(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    del path
    assert build_pulumi.main() == 1
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert "install Pulumi (https://www.pulumi.com/docs/install/) or Go" in told


def test_the_version_in_the_module_file_is_that_of_the_lower_bound_or_later() -> None:
    assert tuple(map(int, pulumi_cli.module_version().split("."))) >= pulumi_cli.MINIMUM


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("engine", "code", "told"),
    [
        (
            "",
            0,
            r"SKIPPED \[\d+\] tests/conftest.py:1: .*without Pulumi: no Pulumi CLI is installed",
        ),
        ("pulumi", 1, r"ERROR tests/engine/test_project.py::"),
    ],
)
def test_the_engines_tests_are_skipped_in_one_line_and_fail_where_it_must_be_there(
    path: Path, engine: str, code: int, told: str
) -> None:
    del path  # on which there is no pulumi
    tests = ["-n0", "-q", "-m", "exhaustive", "tests/engine/test_project.py"]
    run = subprocess.run(  # noqa: S603 (this interpreter)
        [sys.executable, "-m", "pytest", *tests],
        cwd=ROOT,
        env={**os.environ, "ENGINE": engine},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout
    lines = re.findall(r"^(?:SKIPPED|ERROR) .*$", run.stdout, re.MULTILINE)
    assert [line for line in lines if not re.match(told, line)] == []
    assert len(lines) == 1 or engine
