# ruff: noqa: E501 (a table reads by its rows)
"""The network in stack config: a function that could reach nothing is refused with the reason."""

from typing import Any

import pytest

from infra.config.rules.network import Subnet, subnet_errors
from infra.config.schema import NetworkSettings
from infra.config.settings import SettingsError
from tests.recording import PROJECT
from tests.unit.test_settings import DATABASE, VALID, read

TWO = ["subnet-1", "subnet-2"]
NAT = {"subnetIds": TWO, "securityGroupIds": ["sg-1"], "egress": "nat"}
ENDPOINTS = {"subnetIds": TWO, "vpcId": "vpc-1", "egress": "endpoints"}


@pytest.mark.parametrize(
    ("network", "fault"),
    [
        ({"subnetIds": TWO, "securityGroupIds": ["sg-1"]}, "network.egress is not set, but functions in a VPC need a route to AWS; use `endpoints` to create VPC endpoints, or `nat` if the subnets have a NAT gateway"),
        ({**NAT, "subnetIds": ["subnet-1"]}, "network.subnetIds must list at least 2, in different availability zones, got 1"),
        ({**NAT, "subnetIds": ["subnet-1", "subnet-1"]}, "network.subnetIds must list at least 2, in different availability zones, got 1"),
        ({**NAT, "securityGroupIds": []}, "network.securityGroupIds is empty, but `subnetIds` is set; add one"),
        ({**NAT, "vpcId": "vpc-1"}, "network.vpcId is only for `egress: endpoints`; remove it"),
        ({**NAT, "services": ["logs"]}, "network.services is only for `egress: endpoints`; remove it"),
        ({**NAT, "s3RouteTableIds": ["rtb-1"]}, "network.s3RouteTableIds is only for `egress: endpoints`; remove it"),
        ({**NAT, "databaseSecurityGroupId": "sg-2"}, "network.databaseSecurityGroupId is only for `egress: endpoints`; remove it"),
        ({**NAT, "egress": "internet"}, "network.egress must be 'endpoints' or 'nat', got 'internet'"),
        ({"egress": "nat"}, "network.subnetIds is empty, but `egress` is set; add subnets"),
        ({"vpcId": "vpc-1"}, "network.subnetIds is empty, but `vpcId` is set; add subnets"),
        ({**ENDPOINTS, "vpcId": None}, "network.vpcId is not set, and `egress: endpoints` needs it; set it to the VPC of the subnets"),
        ({**ENDPOINTS, "services": ["kms"]}, "network.services.0 must be 'logs', 'monitoring' or 'xray', got 'kms'"),
        ({**ENDPOINTS, "databasePort": 0}, "network.databasePort must be 1 to 65535, got 0"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_remedy(network: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read({**VALID, "network": network})
    assert raised.value.errors == [f"{PROJECT}:{fault}; fix it in Pulumi.test.yaml"]


@pytest.mark.parametrize(
    ("keys", "region", "fault"),
    [
        ({"function": {"handler": "query"}}, "us-east-1", "network.databaseSecurityGroupId is not set, but functions log in to a database"),
        ({"secrets": {"database": {**DATABASE, "rotation": {"strategy": "singleUser"}}}}, "us-east-1", "network.databaseSecurityGroupId is not set, but functions log in to a database"),
        ({"replicaRegions": ["us-west-2"]}, "us-east-1", "network.egress is `endpoints`, which reaches only the stack's own region, not `replicaRegions`; use `nat`, or add"),
        ({}, "cn-north-1", "network.egress cannot be `endpoints` in China"),
    ],
)  # fmt: skip
def test_endpoints_that_would_not_do_are_refused(
    keys: dict[str, Any], region: str, fault: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        read({**VALID, **keys, "network": ENDPOINTS}, region=region)
    assert len([each for each in raised.value.errors if fault in each]) == 1


def test_a_database_and_replicas_are_reached_by_a_group_of_ones_own_as_well() -> None:
    network = {**ENDPOINTS, "securityGroupIds": ["sg-1"]}
    function = {"handler": "query"}
    read({**VALID, "function": function, "replicaRegions": ["us-west-2"], "network": network})


@pytest.mark.parametrize(
    ("egress", "subnets", "faults"),
    [
        ("nat", [("s1", "v", "a"), ("s2", "v", "b"), ("s3", "v", "b")], []),
        ("nat", [("s1", "v", "a"), ("s2", "v", "a")], ["must be in at least 2 availability zones, got only a"]),
        ("nat", [("s1", "v", ""), ("s2", "v", "")], []),
        ("endpoints", [("s1", "v", "a"), ("s2", "v", "b"), ("s1", "v", "a")], []),
        ("endpoints", [("s1", "v", "a"), ("s2", "v", "b"), ("s3", "v", "a")], ["lists s1, s3 in the same zone, a, but a VPC endpoint takes one subnet per zone; keep one of them"]),
        ("endpoints", [("s1", "v", "a"), ("s2", "w", "b")], ["must be in network.vpcId (v), got s2, which is in w"]),
        ("endpoints", [("s1", "", ""), ("s2", "", "")], []),
    ],
)  # fmt: skip
def test_subnets_are_in_two_zones_and_endpoints_in_one_subnet_of_each(
    egress: str, subnets: list[tuple[str, str, str]], faults: list[str]
) -> None:
    given = {"egress": egress} | ({"vpcId": "v"} if egress == "endpoints" else {})
    network = NetworkSettings.model_validate(given)
    errors = list(subnet_errors(network, [Subnet(*each) for each in subnets]))
    assert [error.message for error in errors] == faults
    assert {error.path for error in errors} <= {"network.subnetIds"}
