"""Interface endpoints, as EC2 documents their description.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
"""

import json
from typing import Any

import pytest

from local.aws import EmbeddedAws

REGION = "us-east-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:a&b-<c>-*",
        }
    ],
}


@pytest.fixture
def network(aws: EmbeddedAws, unique: str) -> Any:
    """Make a VPC with two subnets and two security groups."""
    ec2 = aws.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for index, zone in enumerate("ab")
    ]
    groups = [
        ec2.create_security_group(GroupName=f"{unique}-{index}", Description="x", VpcId=vpc)[
            "GroupId"
        ]
        for index in range(2)
    ]
    return vpc, subnets, groups


def _described(aws: EmbeddedAws, endpoint: str) -> Any:
    ec2 = aws.client("ec2", REGION)
    (described,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    return described


def test_an_interface_endpoint_shows_what_limits_it(aws: EmbeddedAws, network: Any) -> None:
    vpc, subnets, (group, _) = network
    created = aws.client("ec2", REGION).create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.secretsmanager",
        VpcEndpointType="Interface",
        SubnetIds=subnets,
        SecurityGroupIds=[group],
        PrivateDnsEnabled=True,
        PolicyDocument=json.dumps(POLICY),
    )["VpcEndpoint"]
    described = _described(aws, created["VpcEndpointId"])

    assert created == described
    assert json.loads(described["PolicyDocument"]) == POLICY
    assert [each["GroupId"] for each in described["Groups"]] == [group]
    assert described["PrivateDnsEnabled"] is True
    assert len(set(described["NetworkInterfaceIds"])) == len(subnets)
    names = [each["DnsName"] for each in described["DnsEntries"]]
    assert f"secretsmanager.{REGION}.amazonaws.com" in names
    assert any(name.endswith(f".secretsmanager.{REGION}.vpce.amazonaws.com") for name in names)


def test_a_changed_interface_endpoint_shows_the_change(aws: EmbeddedAws, network: Any) -> None:
    vpc, subnets, (group, other) = network
    ec2 = aws.client("ec2", REGION)
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.logs",
        VpcEndpointType="Interface",
        SubnetIds=subnets,
        SecurityGroupIds=[group],
        PolicyDocument=json.dumps(POLICY),
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint,
        AddSecurityGroupIds=[other],
        RemoveSecurityGroupIds=[group],
        PrivateDnsEnabled=True,
        ResetPolicy=True,
    )
    described = _described(aws, endpoint)

    assert [each["GroupId"] for each in described["Groups"]] == [other]
    assert described["PrivateDnsEnabled"] is True
    (statement,) = json.loads(described["PolicyDocument"])["Statement"]
    assert statement == {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def test_an_endpoint_without_a_policy_allows_everything_and_says_so(
    aws: EmbeddedAws, network: Any
) -> None:
    vpc, _, _ = network
    endpoint = aws.client("ec2", REGION).create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3"
    )["VpcEndpoint"]

    (statement,) = json.loads(endpoint["PolicyDocument"])["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "*")
    assert not endpoint.get("Groups")


def test_a_groups_rule_shows_the_prefix_lists_it_names(aws: EmbeddedAws, network: Any) -> None:
    ec2, (_, _, (group, _)) = aws.client("ec2", REGION), network
    lists = [each["PrefixListId"] for each in ec2.describe_prefix_lists()["PrefixLists"][:2]]
    named = [{"PrefixListId": each, "Description": f"To {each}"} for each in lists]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": named}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[rule])

    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    shown = [each for rule in described["IpPermissionsEgress"] for each in rule["PrefixListIds"]]
    assert len(named) == 2
    assert shown == named
