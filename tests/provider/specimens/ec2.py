import json
from typing import Any

from tests.provider.specimen import REGION, Specimen, World


def vpc(world: World, cidr: str = "10.77.0.0/16") -> str:
    """Return the VPC of these addresses."""
    ec2 = world.client("ec2")
    found = [each for each in ec2.describe_vpcs()["Vpcs"] if each["CidrBlock"] == cidr]
    return str((found or [ec2.create_vpc(CidrBlock=cidr)["Vpc"]])[0]["VpcId"])


def subnet(world: World, zone: str) -> str:
    ec2 = world.client("ec2")
    about = {
        "VpcId": vpc(world),
        "CidrBlock": f"10.77.{ord(zone)}.0/24",
        "AvailabilityZone": REGION + zone,
    }
    found = ec2.describe_subnets()["Subnets"]
    found = [each for each in found if each["CidrBlock"] == about["CidrBlock"]]
    return str((found or [ec2.create_subnet(**about)["Subnet"]])[0]["SubnetId"])


def group(world: World, name: str = "group", **inputs: Any) -> str:
    made = world.make("aws:ec2/securityGroup:SecurityGroup", name, vpcId=vpc(world), **inputs)
    return str(made["id"])


def prefix_list(world: World, service: str = "s3") -> str:
    named = [{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.{service}"]}]
    (found,) = world.client("ec2").describe_prefix_lists(Filters=named)["PrefixLists"]
    return str(found["PrefixListId"])


def policy(action: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def rule(world: World) -> dict[str, Any]:
    return {
        "description": "To the other",
        "securityGroupId": group(world),
        "referencedSecurityGroupId": group(world, "other"),
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "tags": {"A": "1", "B": "2"},
    }


def rule_changes(world: World) -> list[dict[str, Any]]:
    none = {"referencedSecurityGroupId": None}
    return [
        {"description": "To another"},
        {"securityGroupId": group(world, "another")},
        {"referencedSecurityGroupId": group(world, "another")},
        {"cidrIpv4": "10.0.0.0/8", **none},
        {"cidrIpv6": "2001:db8::/32", **none},
        {"prefixListId": prefix_list(world), **none},
        {"ipProtocol": "udp"},
        {"ipProtocol": "-1", "fromPort": None, "toPort": None},
        {"fromPort": 440},
        {"toPort": 444},
        {"tags": {"B": "3", "C": "4"}},
        {"tags": None},
    ]


def rule_of(direction: str) -> Specimen:
    return Specimen(
        f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule",
        rule,
        rule_changes,
        taken=r"InvalidPermission\.Duplicate",
    )


SPECIMENS = [
    Specimen(
        "aws:ec2/securityGroup:SecurityGroup",
        lambda world: {
            "name": "specimen",
            "description": "of the tests",
            "vpcId": vpc(world),
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "another"},
            {"description": "another"},
            {"vpcId": vpc(world, "10.78.0.0/16")},
            {"revokeRulesOnDelete": True},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        not_changed=dict.fromkeys(
            ("ingress", "egress"), "taken out of the program they stay, so they have own tests"
        ),
        taken=r"InvalidGroup\.Duplicate",
        not_read=frozenset({"revokeRulesOnDelete"}),
    ),
    rule_of("Egress"),
    rule_of("Ingress"),
    Specimen(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        lambda world: {
            "vpcId": vpc(world),
            "serviceName": f"com.amazonaws.{REGION}.secretsmanager",
            "vpcEndpointType": "Interface",
            "subnetIds": [subnet(world, "a"), subnet(world, "b")],
            "securityGroupIds": [group(world)],
            "privateDnsEnabled": True,
            "policy": policy("secretsmanager:GetSecretValue"),
            "ipAddressType": "ipv4",
            "dnsOptions": {"dnsRecordIpType": "ipv4"},
            "serviceRegion": REGION,
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"vpcId": vpc(world, "10.78.0.0/16")},
            {"serviceName": f"com.amazonaws.{REGION}.ssm"},
            {"subnetIds": [subnet(world, "b"), subnet(world, "c")]},
            {"securityGroupIds": [group(world, "other"), group(world, "another")]},
            {"privateDnsEnabled": False},
            {"policy": policy("secretsmanager:*")},
            {"ipAddressType": "dualstack"},
            {"dnsOptions": {"dnsRecordIpType": "dualstack"}},
            {
                "serviceRegion": "eu-west-1",
                "serviceName": "com.amazonaws.eu-west-1.secretsmanager",
            },
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        not_changed={
            "routeTableIds": "of gateways, which have a test of their own",
            "vpcEndpointType": "a gateway takes other inputs; it has a test of its own",
            "subnetConfigurations": "no address of an endpoint is real here",
        },
        taken="conflicting DNS domain",
    ),
]
