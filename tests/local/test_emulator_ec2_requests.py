"""Security groups, their rules and endpoints that EC2 refuses.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from collections.abc import Iterator
from typing import Any

import pytest

from local.aws import EmbeddedAws
from tests.local.reference import Refusal, assert_refused

ERRORS = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
MISSING = "The vpc ID 'vpc-00000000000000000' does not exist"
VPC = "vpc-00000000000000000"


def rule(*cidrs: str) -> dict[str, Any]:
    ports = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    ranges = {"IpRanges": [{"CidrIp": cidr} for cidr in cidrs if ":" not in cidr]}
    ranges["Ipv6Ranges"] = [{"CidrIpv6": cidr} for cidr in cidrs if ":" in cidr]
    return {"GroupId": "<group>", "IpPermissions": [ports | ranges]}


REFUSALS = {
    "a group in a missing VPC": Refusal(
        "CreateSecurityGroup",
        {"GroupName": "refused", "Description": "refused", "VpcId": VPC},
        "InvalidVpcID.NotFound",
        MISSING,
        ERRORS,
    ),
    "an endpoint in a missing VPC": Refusal(
        "CreateVpcEndpoint",
        {"ServiceName": "com.amazonaws.us-east-1.s3", "VpcId": VPC},
        "InvalidVpcID.NotFound",
        MISSING,
        ERRORS,
    ),
    "a rule twice": Refusal(
        "AuthorizeSecurityGroupIngress",
        rule("10.0.0.0/16"),
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 10.0.0.0/16, TCP, from port: 443, to port: 443, ALLOW" '
        "already exists",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"
        "API_AuthorizeSecurityGroupIngress.html",
    ),
    "one range of a rule again, with another": Refusal(
        "AuthorizeSecurityGroupIngress",
        rule("10.1.0.0/16", "10.0.0.0/16"),
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 10.0.0.0/16, TCP, from port: 443, to port: 443, ALLOW" '
        "already exists",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"
        "API_AuthorizeSecurityGroupIngress.html",
    ),
    "an IPv6 range without a length": Refusal(
        "AuthorizeSecurityGroupIngress",
        rule("2001:db8::"),
        "InvalidParameterValue",
        "CIDR block 2001:db8:: is malformed",
        ERRORS,
    ),
    "an endpoint of an unknown service": Refusal(
        "CreateVpcEndpoint",
        {"ServiceName": "com.amazonaws.us-east-1.secretmanager", "VpcId": "<vpc>"},
        "InvalidServiceName",
        "The Vpc Endpoint Service 'com.amazonaws.us-east-1.secretmanager' does not exist",
        ERRORS,
    ),
    "an unknown filter of zones": Refusal(
        "DescribeAvailabilityZones",
        {"Filters": [{"Name": "zone", "Values": ["us-east-1a"]}]},
        "InvalidParameterValue",
        "The filter 'zone' is invalid",
        ERRORS,
    ),
    "a range of three numbers": Refusal(
        "AuthorizeSecurityGroupIngress",
        rule("10.0.0/16"),
        "InvalidParameterValue",
        "CIDR block 10.0.0/16 is malformed",
        ERRORS,
    ),
    "a range of three numbers to go to": Refusal(
        "AuthorizeSecurityGroupEgress",
        rule("10.0.0/16"),
        "InvalidParameterValue",
        "CIDR block 10.0.0/16 is malformed",
        ERRORS,
    ),
}


@pytest.fixture
def ec2(aws: EmbeddedAws) -> Any:
    return aws.client("ec2", "us-east-1")


@pytest.fixture
def group(ec2: Any, unique: str) -> Iterator[str]:
    """Make a group with the rule of the table, in a VPC of its own."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    created = ec2.create_security_group(GroupName=unique, Description=unique, VpcId=vpc)
    group: str = created["GroupId"]
    ec2.authorize_security_group_ingress(**rule("10.0.0.0/16") | {"GroupId": group})
    yield group
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_ec2_answers_as_documented(
    aws: EmbeddedAws, ec2: Any, group: str, refusal: Refusal
) -> None:
    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert_refused(aws, "ec2", refusal, group=group, vpc=found["VpcId"])


def test_a_rule_is_authorized_again_after_it_is_revoked(ec2: Any, group: str) -> None:
    wanted = rule("10.0.0.0/16") | {"GroupId": group}
    ec2.revoke_security_group_ingress(**wanted)
    ec2.authorize_security_group_ingress(**wanted)

    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert [each["IpRanges"] for each in found["IpPermissions"]] == [[{"CidrIp": "10.0.0.0/16"}]]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"ZoneNames": ["us-east-1b"]}, ["us-east-1b"]),
        ({"Filters": [{"Name": "zone-name", "Values": ["us-east-1[ac]"]}]}, []),
        (
            {"Filters": [{"Name": "zone-name", "Values": ["*1a", "*1c"]}]},
            ["us-east-1a", "us-east-1c"],
        ),
        ({"Filters": [{"Name": "zone-type", "Values": ["local-zone"]}]}, []),
    ],
)
def test_zones_are_filtered(ec2: Any, wanted: dict[str, Any], expected: list[str]) -> None:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html
    found = ec2.describe_availability_zones(**wanted)["AvailabilityZones"]
    assert [each["ZoneName"] for each in found] == expected
