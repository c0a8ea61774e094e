"""The locks can still be installed next month: each is complete, pinned and hashed.

They are installed as they are, without resolving. So a lock must hold everything that its packages
need, in every environment that the project supports, extras included.
"""

import functools
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.recording import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Lock -> what it is resolved from.
LOCKS: dict[str, list[str]] = {
    "requirements.txt": [],
    "requirements/local.txt": ["local"],
    "requirements/test.txt": ["test"],
}
ENVIRONMENTS = [
    {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"}
    | {"sys_platform": system.lower(), "platform_system": system}
    | {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    for minor in range(11, 15)
    for system in ("Linux", "Darwin")
]


class Pin(NamedTuple):
    requirement: Requirement
    hashes: list[str]


@functools.cache
def pins(text: str) -> dict[str, Pin]:
    lines = re.sub(r"#.*", "", text).replace("\\\n", " ").splitlines()
    found: dict[str, Pin] = {}
    for line in filter(str.strip, lines):
        name, *hashes = line.split(" --hash=")
        requirement = Requirement(name.strip())
        found[canonicalize_name(requirement.name)] = Pin(requirement, hashes)
    return found


def direct(groups: list[str]) -> Iterator[Requirement]:
    """Yield what pyproject.toml names for a lock."""
    yield from map(Requirement, PROJECT["project"]["dependencies"])
    for group in groups:
        for entry in PROJECT["dependency-groups"][group]:
            if isinstance(entry, dict):
                yield from direct([entry["include-group"]])
            else:
                yield Requirement(entry)


def applies(requirement: Requirement, environment: dict[str, str], extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate(
        environment | {"extra": extra}
    )


@functools.cache
def needs(name: str) -> list[Requirement]:
    """Return what a package needs; of one that is for another system, nothing is known here."""
    try:
        return [Requirement(each) for each in requires(name) or []]
    except PackageNotFoundError:
        return []


def faults(locked: dict[str, Pin], wanted: list[Requirement]) -> set[str]:
    """Say what keeps the lock from being installed as it is, in any of the environments."""
    found = set()
    for name, pin in locked.items():
        if not re.fullmatch(r"==[\w.+!]+", str(pin.requirement.specifier)):
            found.add(f"{name} is not pinned")
        if not pin.hashes or not all(each.startswith("sha256:") for each in pin.hashes):
            found.add(f"{name} has no hash")
    for environment in ENVIRONMENTS:
        waiting = [("pyproject.toml", each) for each in wanted if applies(each, environment)]
        seen = set()
        while waiting:
            owner, needed = waiting.pop()
            name = canonicalize_name(needed.name)
            if name not in locked or not applies(locked[name].requirement, environment):
                found.add(f"{owner} needs {name}, which is missing")
                continue
            (version,) = locked[name].requirement.specifier
            if not needed.specifier.contains(version.version, prereleases=True):
                found.add(f"{owner} needs {name}{needed.specifier}, got {version}")
            for extra in {"", *needed.extras}:
                if (name, extra) not in seen:
                    seen.add((name, extra))
                    inner = [each for each in needs(name) if applies(each, environment, extra)]
                    waiting += [(name, each) for each in inner]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_everything_that_its_packages_need(name: str) -> None:
    locked = pins((ROOT / name).read_text())
    assert faults(locked, list(direct(LOCKS[name]))) == set()


def test_uv_is_pinned_by_hash_and_needs_nothing() -> None:
    locked = pins((ROOT / "requirements/uv.txt").read_text())
    assert list(locked) == ["uv"]
    assert faults(locked, []) == set()


def test_every_lock_has_the_same_versions() -> None:
    whole = pins((ROOT / "requirements/test.txt").read_text())
    for name in LOCKS:
        for package, pin in pins((ROOT / name).read_text()).items():
            assert pin.requirement.specifier == whole[package].requirement.specifier


def test_a_lock_names_no_mirror() -> None:
    for name in [*LOCKS, "requirements/uv.txt", "benchmarks/requirements.txt"]:
        assert "http" not in re.sub(r"#.*", "", (ROOT / name).read_text())


def test_pip_of_every_python_can_install_what_pulumi_up_needs() -> None:
    """Before pip 24, hashes and a requirement with an extra did not go together."""
    locked = pins((ROOT / "requirements.txt").read_text())
    needed = [each for name in locked for each in needs(name)]
    extras = [each for each in needed if each.extras and applies(each, ENVIRONMENTS[0])]
    assert extras == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r"^coverage==.*?(?=^\S)", "", "pytest-cov needs coverage, which is missing"),
        (r"^pytest-cov==", "pytest-cov>=", "pytest-cov is not pinned"),
        (r"^(six==\S+) (?:\\\n\s+--hash=\S+ ?)+", r"\1", "six has no hash"),
        (r"^six==\S+", "six==1.0", "python-dateutil needs six>=1.5, got ==1.0"),
        (r"^mypy-boto3-kms==.*?(?=^\S)", "", "boto3-stubs needs mypy-boto3-kms, which is missing"),
        (r"^rich==(\S+)", r'rich==\1 ; python_version < "3.13"', "pyproject.toml needs rich, wh"),
    ],
)
def test_a_lock_that_could_not_be_installed_is_found(old: str, new: str, fault: str) -> None:
    text = (ROOT / "requirements/test.txt").read_text()
    broken, changes = re.subn(old, new, text, count=1, flags=re.MULTILINE | re.DOTALL)
    assert changes == 1
    found = faults(pins(broken), list(direct(["test"])))
    assert any(each.startswith(fault) for each in found), found
