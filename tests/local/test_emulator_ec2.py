"""Interface endpoints, as EC2 documents their description.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


def test_a_second_endpoint_with_private_dns_for_a_service_is_refused(
    aws: EmbeddedAws, network: Any
) -> None:
    ec2, (vpc, subnets, _) = aws.client("ec2", REGION), network
    wanted = {
        "VpcId": vpc,
        "ServiceName": f"com.amazonaws.{REGION}.logs",
        "VpcEndpointType": "Interface",
        "SubnetIds": subnets,
    }
    ec2.create_vpc_endpoint(**wanted, PrivateDnsEnabled=True)
    ec2.create_vpc_endpoint(**wanted, PrivateDnsEnabled=False)
    with pytest.raises(ClientError, match=r"conflicting DNS domain for logs\."):
        ec2.create_vpc_endpoint(**wanted, PrivateDnsEnabled=True)


def test_an_endpoint_that_is_not_there_is_neither_described_nor_deleted(aws: EmbeddedAws) -> None:
    ec2, missing = aws.client("ec2", REGION), ["vpce-0123456789abcdef0"]
    for call in (ec2.describe_vpc_endpoints, ec2.delete_vpc_endpoints):
        with pytest.raises(ClientError, match=r"InvalidVpcEndpointId\.NotFound"):
            call(VpcEndpointIds=missing)


def test_an_interface_endpoint_without_a_group_has_that_of_the_vpc(
    aws: EmbeddedAws, network: Any
) -> None:
    ec2, (vpc, subnets, _) = aws.client("ec2", REGION), network
    made = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.logs",
        VpcEndpointType="Interface",
        SubnetIds=subnets,
        IpAddressType="dualstack",
        DnsOptions={"DnsRecordIpType": "dualstack"},
    )["VpcEndpoint"]
    by_name = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (default,) = ec2.describe_security_groups(Filters=by_name)["SecurityGroups"]

    assert [each["GroupId"] for each in made["Groups"]] == [default["GroupId"]]
    assert made["IpAddressType"] == made["DnsOptions"]["DnsRecordIpType"] == "dualstack"
    assert made["ServiceRegion"] == REGION


def test_each_source_of_a_rule_is_a_rule_of_its_own(aws: EmbeddedAws, network: Any) -> None:
    ec2, (_, _, (group, other)) = aws.client("ec2", REGION), network
    rule = {
        "IpProtocol": "6",
        "FromPort": 443,
        "ToPort": 443,
        "IpRanges": [{"CidrIp": "10.0.0.0/24"}, {"CidrIp": "10.0.1.0/24", "Description": "b"}],
        "UserIdGroupPairs": [{"GroupId": other}],
    }
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    made = made["SecurityGroupRules"]
    ids = [each["SecurityGroupRuleId"] for each in made]
    found = ec2.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"]
    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]

    assert len(set(ids)) == 3
    assert found == made
    assert {each["IpProtocol"] for each in found} == {"tcp"}
    assert [each["ReferencedGroupInfo"]["GroupId"] for each in found[2:]] == [other]
    (together,) = described["IpPermissions"]
    assert together["IpRanges"] == rule["IpRanges"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
    assert (
        ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []
    )


def test_a_rule_that_is_there_is_refused(aws: EmbeddedAws, network: Any) -> None:
    ec2, (_, _, (group, other)) = aws.client("ec2", REGION), network
    for direction in ("ingress", "egress"):
        authorize = getattr(ec2, f"authorize_security_group_{direction}")
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
        authorize(
            GroupId=group, IpPermissions=[{**rule, "UserIdGroupPairs": [{"GroupId": other}]}]
        )
        again = [{"GroupId": other, "Description": "another"}]
        with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
            authorize(GroupId=group, IpPermissions=[{**rule, "UserIdGroupPairs": again}])


def test_a_rule_of_all_protocols_has_no_ports(aws: EmbeddedAws, network: Any) -> None:
    ec2, (_, _, (group, _)) = aws.client("ec2", REGION), network
    anywhere = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0}
    ec2.revoke_security_group_egress(
        GroupId=group, IpPermissions=[{**anywhere, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert described["IpPermissionsEgress"] == []


def test_a_changed_rule_keeps_its_id_and_names_another_group_or_list(
    aws: EmbeddedAws, network: Any
) -> None:
    ec2, (_, _, (group, other)) = aws.client("ec2", REGION), network
    lists = [each["PrefixListId"] for each in ec2.describe_prefix_lists()["PrefixLists"][:2]]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    for source, field, value in (
        ({"UserIdGroupPairs": [{"GroupId": group}]}, "ReferencedGroupId", other),
        ({"PrefixListIds": [{"PrefixListId": lists[0]}]}, "PrefixListId", lists[1]),
    ):
        made = ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[rule | source])
        (id_,) = [each["SecurityGroupRuleId"] for each in made["SecurityGroupRules"]]
        changed = {"SecurityGroupRuleId": id_, "SecurityGroupRule": {**rule, field: value}}
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[changed])
        found = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id_])
        (shown,) = found["SecurityGroupRules"]
        assert value in (shown.get("ReferencedGroupInfo", {}).get("GroupId"), shown.get(field))


def test_a_group_in_use_is_not_deleted(aws: EmbeddedAws, network: Any) -> None:
    ec2, (vpc, subnets, (group, other)) = aws.client("ec2", REGION), network
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
    rule |= {"UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.logs",
        VpcEndpointType="Interface",
        SubnetIds=subnets,
        SecurityGroupIds=[other],
    )["VpcEndpoint"]["VpcEndpointId"]
    for each in (group, other):
        with pytest.raises(ClientError, match="DependencyViolation"):
            ec2.delete_security_group(GroupId=each)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=group)
