"""The pinned layer of each region, and what to do where there is none."""

import json
import re

import pytest

from infra.aws.layers import (
    extension_layer_arn,
    extension_layer_arns,
    layer_arn_errors,
    regions,
    regions_beside,
)
from tests.recording import ROOT


def test_every_region_of_the_table_has_an_x86_layer_in_its_own_account() -> None:
    arns = [extension_layer_arn(region, "x86_64") for region in regions()]
    accounts = [arn.split(":")[4] for arn in arns]
    assert len(arns) == 39
    assert len(set(accounts)) == 39
    for region, arn in zip(regions(), arns, strict=True):
        assert re.fullmatch(
            rf"arn:aws(-[a-z-]+)?:lambda:{region}:\d{{12}}:layer:"
            r"AWS-Parameters-and-Secrets-Lambda-Extension:\d+",
            arn,
        )


def test_every_region_but_one_has_an_arm_layer() -> None:
    table = json.loads((ROOT / "infra/aws/layers.json").read_text())["regions"]
    without = [region for region in table if table[region]["arm64"] is None]
    assert without == ["eusc-de-east-1"]
    for region in set(regions()) - set(without):
        assert ":layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:" in extension_layer_arn(
            region, "arm64"
        )


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_arn_is_in_the_partition_of_its_region(region: str, partition: str) -> None:
    assert extension_layer_arn(region, "x86_64").startswith(f"arn:{partition}:lambda:{region}:")


@pytest.mark.parametrize(
    ("region", "architecture", "message"),
    [
        (
            "mars-north-1",
            "x86_64",
            r"unknown region.*extension/x86/latest --region mars-north-1",
        ),
        ("eusc-de-east-1", "arm64", r"has one only for x86_64.*extension/arm64/latest"),
        ("us-east-1", "arm", "architecture must be arm64 or x86_64, got 'arm'"),
    ],
)
def test_without_a_layer_the_error_says_what_to_do(
    region: str, architecture: str, message: str
) -> None:
    with pytest.raises(LookupError, match=message):
        extension_layer_arn(region, architecture)


def test_the_pinned_arn_of_each_region_has_no_fault() -> None:
    for region in regions():
        assert layer_arn_errors(extension_layer_arn(region, "x86_64"), region, "x86_64") == []


def test_the_layers_of_a_partition_are_those_of_its_regions_for_both_architectures() -> None:
    own = {"us-east-1", *regions_beside("us-east-1")}
    arns = set(extension_layer_arns("aws"))
    assert len(arns) == 2 * len(own)
    for region in own:
        assert {extension_layer_arn(region, each) for each in ("x86_64", "arm64")} <= arns
    assert extension_layer_arns("aws-eusc") == (extension_layer_arn("eusc-de-east-1", "x86_64"),)


def test_every_fault_of_a_chosen_arn_is_told() -> None:
    arn = extension_layer_arn("eu-west-1", "x86_64").replace("eu-west-1", "eu-west-2")
    faults = layer_arn_errors(arn, "us-east-1", "arm64")
    assert [fault.split(" ")[0] for fault in faults] == ["is", "names", "is"]
