"""Region and architecture -> ARN of the AWS Parameters and Secrets Lambda Extension layer.

The versions in `layers.json` are pinned: AWS publishes several a month, and with the newest
version most deployments would change the function. Update them deliberately.
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
    """Return the regions with a known layer."""
    return tuple(sorted(_regions()))


def partition(region: str) -> str | None:
    """Return the partition of a region; None if the region is unknown."""
    known = _regions().get(region)
    return known and known["partition"]


def regions_beside(region: str) -> tuple[str, ...]:
    """Return the other regions in a region's partition; none if the region is unknown."""
    own = _regions().get(region)
    if own is None:
        return ()
    known = sorted(_regions().items())
    return tuple(
        name for name, each in known if each["partition"] == own["partition"] and name != region
    )


def extension_layer_arn(region: str, architecture: str) -> str:
    """Return the ARN of the pinned layer version.

    Raises:
        LookupError: the region is unknown, or has no layer for the architecture; the message
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
    """Return the ARNs of all pinned layer versions in a partition."""
    return tuple(
        extension_layer_arn(region, architecture)
        for region, entry in sorted(_regions().items())
        for architecture in _NAMES
        if entry["partition"] == partition and entry[architecture]  # type: ignore[literal-required]
    )


def layer_arn_errors(arn: str, region: str, architecture: str) -> list[str]:
    """Return the errors of a configured layer ARN.

    A copy of the layer in the user's own account is fine. AWS's account of another region is not:
    the owner differs in each region, and Lambda rejects the layer.
    """
    match = _LAYER_ARN.fullmatch(arn)
    if not match:
        return ["is not the ARN of a layer version (arn:aws:lambda:REGION:ACCOUNT:layer:NAME:N)"]
    errors = []
    if match["region"] != region:
        errors.append(f"is in {match['region']}, but the function is in {region}")
    known = _regions().get(region)
    if known and known["partition"] != match["partition"]:
        errors.append(f"is in {match['partition']}, but {region} is in {known['partition']}")
    homes = {entry["account"]: name for name, entry in _regions().items()}
    home = homes.get(match["account"])
    if home and home != region:
        owner = known["account"] if known else "another account"
        errors.append(
            f"names account {match['account']}, which owns the layer in {home};"
            f" in {region} the owner is {owner}"
        )
    other = "x86_64" if architecture == "arm64" else "arm64"
    if match["name"] == _NAMES[other]:
        errors.append(f"is the layer for {other}, but the function runs on {architecture}")
    return errors
