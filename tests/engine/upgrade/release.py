"""A stack of a released version, deployed and rotated once, and then run by this checkout.

Nothing of it changes but the program: the stack's file is the release's, as its user has it.
"""

import json
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from local import deployment
from local.config.project import load
from local.deployment import Deployment
from local.engines.pulumi_cli import Cli
from local.engines.pulumi_engine import PulumiEngine
from local.proofs.traffic import rotate
from tests.recording import PROJECT, ROOT

_LAYERS = {
    "x86_64": "AWS-Parameters-and-Secrets-Lambda-Extension",
    "arm64": "AWS-Parameters-and-Secrets-Lambda-Extension-Arm64",
}


def version(archive: Path) -> str:
    return archive.name.removesuffix(".tar.gz").rpartition("-")[2]


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack the sources of a release; return their root. They bear this project's name."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    name = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    for path in root.glob("Pulumi*.yaml"):
        text = path.read_text(encoding="utf-8")
        text = text.replace(f"name: {name}\n", f"name: {PROJECT}\n")
        path.write_text(text.replace(f"\n  {name}:", f"\n  {PROJECT}:"), encoding="utf-8")
    return root


@contextmanager
def deployed(
    cli: Cli, archive: Path, name: str, folder: Path, **added: dict[str, Any]
) -> Iterator[Deployment]:
    """Deploy a stack of a release, with more in these sections, into an AWS of its own."""
    root = unpacked(archive, folder)
    stack = load(root, name)
    stack = stack.changed(**{key: stack.section(key) | more for key, more in added.items()})
    layers = {arn for each in (root, ROOT) for arn in _layers(each, stack.region)}
    with deployment.account(stack, layers) as account, PulumiEngine(cli) as engine:
        yield deployment.deploy(account.stack, account.aws, server=account.server, pulumi=engine)


def _layers(root: Path, region: str) -> Iterator[str]:
    """Name the layer versions that a checkout pins, one for each architecture."""
    (path,) = (root / "infra").rglob("layers.json")  # which releases have in different folders
    table = json.loads(path.read_text(encoding="utf-8"))
    pinned = table["regions"][region]
    for architecture, name in _LAYERS.items():
        layer = f"lambda:{region}:{pinned['account']}:layer:{name}:{pinned[architecture]}"
        yield f"arn:{pinned['partition']}:{layer}"


def engine_of(deployed: Deployment) -> PulumiEngine:
    assert deployed.pulumi
    return deployed.pulumi


def take_over(deployed: Deployment) -> None:
    """Let this checkout's program make the stack from now on."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    project["main"] = str(ROOT)
    project["runtime"]["options"]["virtualenv"] = sys.prefix
    path = engine_of(deployed).project / "Pulumi.yaml"
    path.write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")


def as_it_is(deployed: Deployment) -> Deployment:
    """Return the deployment with what there is now."""
    return replace(deployed, record=engine_of(deployed).record())


def rotate_each(deployed: Deployment) -> None:
    for name in deployed.rotating:
        rotate(deployed, deployed.outputs["secret_arns"][name])
