"""The VPC that a stack's config names, made in the embedded AWS, which has none of it."""

import yaml

from local.aws import EmbeddedAws
from local.config.project import Stack

_ZONES = "abcdef"


def with_local_vpc(stack: Stack, aws: EmbeddedAws) -> Stack:
    """Make VPC, subnets, route tables and security groups; return the stack with their ids.

    Subnets are in as many availability zones as there are subnets, up to six. A stack outside of
    any VPC is returned as it is.
    """
    network = stack.section("network")
    if not network.get("subnetIds"):
        return stack
    ec2 = aws.client("ec2", stack.region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def group(named: str) -> str:
        made = ec2.create_security_group(GroupName=named, Description=named, VpcId=vpc)
        return str(made["GroupId"])

    network["subnetIds"] = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=stack.region + _ZONES[number % len(_ZONES)],
        )["Subnet"]["SubnetId"]
        for number in range(len(network["subnetIds"]))
    ]
    network["s3RouteTableIds"] = [
        ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        for _ in network.get("s3RouteTableIds", [])
    ]
    network["securityGroupIds"] = [group(each) for each in network.get("securityGroupIds", [])]
    if named := network.get("databaseSecurityGroupId"):
        network["databaseSecurityGroupId"] = group(named)
    if network.get("vpcId"):
        network["vpcId"] = vpc
    return stack.changed(network=network)


def shown(stack: Stack) -> str:
    """Write the ids in a stack's config as they are in its file; outside of any VPC, nothing."""
    network = stack.section("network")
    if not network.get("subnetIds"):
        return ""
    ids = {key: value for key, value in network.items() if key.endswith(("Id", "Ids")) and value}
    return yaml.safe_dump({"network": ids}, default_flow_style=True, width=10_000).strip()[1:-1]
