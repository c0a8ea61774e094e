"""Region and architecture -> ARN of the AWS Parameters and Secrets Lambda Extension layer.

The versions in `layers.json` are pinned: AWS publishes several a month, and a deployment that
asked for the newest would change the function most of the times it runs. Move them on purpose.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import TypedDict

_NAMES = {
    "x86_64": "AWS-Parameters-and-Secrets-Lambda-Extension",
    "arm64": "AWS-Parameters-and-Secrets-Lambda-Extension-Arm64",
}
_LAYER_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":layer:(?P<name>[A-Za-z0-9_-]{1,140}):[1-9]\d*"
)


class _Region(TypedDict):
    partition: str
    account: str
    x86_64: int | None
    arm64: int | None


@cache
def _regions() -> dict[str, _Region]:
    table = json.loads(Path(__file__).with_name("layers.json").read_text(encoding="utf-8"))
    regions: dict[str, _Region] = table["regions"]
    return regions


def regions() -> tuple[str, ...]:
    """Name the regions whose layer is known."""
    return tuple(sorted(_regions()))


def partition(region: str) -> str | None:
    """Name the partition of a region; None if the region is not known."""
    known = _regions().get(region)
    return known and known["partition"]


def regions_beside(region: str) -> tuple[str, ...]:
    """Name the other regions of a region's partition; beside one that is not known, none."""
    own = _regions().get(region)
    if own is None:
        return ()
    known = sorted(_regions().items())
    return tuple(
        name for name, each in known if each["partition"] == own["partition"] and name != region
    )


def extension_layer_arn(region: str, architecture: str) -> str:
    """ARN of the pinned layer version.

    Raises:
        LookupError: the region is not known, or has no layer for the architecture; the message
            says how to find the ARN and where to put it.

    """
    if architecture not in _NAMES:
        raise LookupError(f"architecture must be arm64 or x86_64, got {architecture!r}")
    entry = _regions().get(region)
    version = entry and entry[architecture]  # type: ignore[literal-required]
    if not entry or not version:
        others = [a for a in _NAMES if entry and entry[a]]  # type: ignore[literal-required]
        known = f"{region} has one only for {', '.join(others)}" if others else "unknown region"
        raise LookupError(
            f"no extension layer for {architecture} in aws:region {region!r} ({known});"
            f" {advice(region, architecture)}"
        )
    return (
        f"arn:{entry['partition']}:lambda:{region}:{entry['account']}"
        f":layer:{_NAMES[architecture]}:{version}"
    )


def advice(region: str, architecture: str) -> str:
    """Say how to find a layer that is not in the table, and where to put its ARN."""
    short = {"x86_64": "x86", "arm64": "arm64"}[architecture]
    return (
        "find the ARN of the extension's layer with `aws ssm get-parameter --query Parameter.Value"
        " --output text --name"
        f" /aws/service/aws-parameters-and-secrets-lambda-extension/{short}/latest --region"
        f" {region}`, then set extension.layerArn to it"
    )


def extension_layer_arns(partition: str) -> tuple[str, ...]:
    """ARNs of all pinned layer versions in the regions of a partition."""
    return tuple(
        extension_layer_arn(region, architecture)
        for region, entry in sorted(_regions().items())
        for architecture in _NAMES
        if entry["partition"] == partition and entry[architecture]  # type: ignore[literal-required]
    )


def layer_arn_faults(arn: str, region: str, architecture: str) -> list[str]:
    """Say what is wrong with a layer ARN that somebody chose; nothing is wrong: `[]`.

    A copy of the layer in an account of one's own is fine. Another region's account is not: the
    owner differs in every region, and Lambda would refuse to attach it.
    """
    match = _LAYER_ARN.fullmatch(arn)
    if not match:
        return ["is not the ARN of a layer version (arn:aws:lambda:REGION:ACCOUNT:layer:NAME:N)"]
    faults = []
    if match["region"] != region:
        faults.append(f"is in {match['region']}, but the function is in {region}")
    known = _regions().get(region)
    if known and known["partition"] != match["partition"]:
        faults.append(f"is in {match['partition']}, but {region} is in {known['partition']}")
    homes = {entry["account"]: name for name, entry in _regions().items()}
    home = homes.get(match["account"])
    if home and home != region:
        owner = known["account"] if known else "another account"
        faults.append(
            f"names account {match['account']}, which owns the layer in {home};"
            f" in {region} the owner is {owner}"
        )
    other = "x86_64" if architecture == "arm64" else "arm64"
    if match["name"] == _NAMES[other]:
        faults.append(f"is the layer for {other}, but the function runs on {architecture}")
    return faults
