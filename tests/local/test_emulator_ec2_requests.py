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


def rule(cidr: str) -> dict[str, Any]:
    ports = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    return {"GroupId": "<group>", "IpPermissions": [ports | {"IpRanges": [{"CidrIp": cidr}]}]}


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
def test_ec2_answers_as_documented(aws: EmbeddedAws, group: str, refusal: Refusal) -> None:
    assert_refused(aws, "ec2", refusal, group=group)


def test_a_rule_is_authorized_again_after_it_is_revoked(ec2: Any, group: str) -> None:
    wanted = rule("10.0.0.0/16") | {"GroupId": group}
    ec2.revoke_security_group_ingress(**wanted)
    ec2.authorize_security_group_ingress(**wanted)

    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert [each["IpRanges"] for each in found["IpPermissions"]] == [[{"CidrIp": "10.0.0.0/16"}]]
