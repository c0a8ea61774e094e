"""`make test-lowest`: the fast tier with the lowest versions that pyproject.toml allows.

Everything else has the locked version. The environment is `.pythons/lowest`.
"""

import sys
import tomllib
from collections.abc import Iterator

from packaging.requirements import Requirement

from tools import jobs, pythons
from tools.jobs import ROOT, Job

# Packages that users of the components and of the local run install themselves.
NAMES = ("boto3", "pg8000", "pulumi", "pulumi-aws", "pydantic")


def plan() -> Iterator[Job]:
    """Yield the job that runs the fast tier."""
    pins = sorted(floors())
    environment = ROOT / ".pythons/lowest"
    yield pythons.fast_tier(" ".join(pins), sys.executable, environment, *pins)


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
