"""`make test-lowest`: the fast tier with the lowest versions that pyproject.toml allows.

Everything else is as locked. The environment is `.pythons/lowest`.
"""

import sys
import tomllib
from collections.abc import Iterator

from packaging.requirements import Requirement

from tools import jobs, pythons, tiers
from tools.jobs import ROOT, Job

# What users of the components and of the local run have of their own.
NAMES = ("boto3", "pg8000", "pulumi", "pulumi-aws", "pydantic")


def plan() -> Iterator[Job]:
    """Yield the jobs: one installs, one runs the fast tier."""
    environment = ROOT / ".pythons/lowest"
    *_, make = pythons.install(sys.executable, environment)
    pins = " ".join(f'"{pin}"' for pin in sorted(floors()))
    lower = f'VIRTUAL_ENV="{environment}" "{pythons.UV}" pip install --quiet --no-build {pins}'
    yield Job(f"lowest versions: {pins}", ("/bin/sh", "-c", f"{make} && {lower}"))
    yield tiers.fast("lowest versions: the fast tier", environment)


def floors() -> Iterator[str]:
    """Yield the pin of each lower bound, such as `pulumi==3.200`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    direct = [*project["project"]["dependencies"], *project["dependency-groups"]["local"]]
    for requirement in map(Requirement, direct):
        if requirement.name in NAMES:
            (lowest,) = (each for each in requirement.specifier if each.operator == ">=")
            yield f"{requirement.name}=={lowest.version}"


if __name__ == "__main__":
    sys.exit(jobs.run("test-lowest", plan()))
