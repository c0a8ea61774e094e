"""Creates the VPC that a stack's config names, because the embedded AWS starts without it."""

from collections.abc import Iterator
from typing import Any

import yaml

from local.aws import EmbeddedAws
from local.config.project import Stack

_ZONES = "abcdef"


class _Vpc:
    """A VPC, with a local resource for each id in the config."""

    def __init__(self, aws: EmbeddedAws, region: str) -> None:
        self._ec2, self._region = aws.client("ec2", region), region
        self.id: str = self._ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self._subnets: dict[str, str] = {}
        self._groups: dict[str, str] = {}

    def subnet(self, named: str) -> str:
        """Return the local subnet of an id; each is in another availability zone, up to six."""
        if named not in self._subnets:
            number = len(self._subnets)
            self._subnets[named] = self._ec2.create_subnet(
                VpcId=self.id,
                CidrBlock=f"10.0.{number}.0/24",
                AvailabilityZone=self._region + _ZONES[number % len(_ZONES)],
            )["Subnet"]["SubnetId"]
        return self._subnets[named]

    def group(self, named: str) -> str:
        if named not in self._groups:
            made = self._ec2.create_security_group(
                GroupName=named, Description=named, VpcId=self.id
            )
            self._groups[named] = made["GroupId"]
        return self._groups[named]

    def route_table(self) -> str:
        made: str = self._ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        return made


def with_local_vpc(stack: Stack, aws: EmbeddedAws) -> Stack:
    """Create the VPC, subnets, route tables and security groups; return the stack with their ids.

    Covers the networks of the stack and of its functions. A stack without a VPC is returned
    unchanged.
    """
    named = dict(_networks(stack))
    if not named:
        return stack
    vpc = _Vpc(aws, stack.region)
    local = {name: _local(network, vpc) for name, network in named.items()}
    functions = stack.section("functions")
    for name, function in functions.items():
        if name in local:
            functions[name] = {**function, "network": local[name]}
    changed: dict[str, object] = {"functions": functions} if functions else {}
    if "" in local:
        changed["network"] = local[""]
    return stack.changed(**changed)


def shown(stack: Stack) -> str:
    """Return the VPC ids of a stack's config as YAML; empty without a VPC."""
    lines = []
    for name, network in _networks(stack):
        ids = {
            key: value for key, value in network.items() if key.endswith(("Id", "Ids")) and value
        }
        section = {"functions": {name: {"network": ids}}} if name else {"network": ids}
        lines.append(yaml.safe_dump(section, default_flow_style=True, width=10_000).strip()[1:-1])
    return "; ".join(lines)


def _networks(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each section about a VPC, with the function's logical name, or "" for the stack's."""
    network = stack.section("network")
    if network.get("subnetIds"):
        yield "", network
    for name, function in stack.section("functions").items():
        own = (function.get("network") if isinstance(function, dict) else None) or {}
        if own.get("subnetIds"):
            yield name, own


def _local(network: dict[str, Any], vpc: _Vpc) -> dict[str, Any]:
    """Create the resources of a section and return it with their ids."""
    made = dict(network)
    made["subnetIds"] = [vpc.subnet(each) for each in network["subnetIds"]]
    made["securityGroupIds"] = [vpc.group(each) for each in network.get("securityGroupIds", [])]
    if tables := network.get("s3RouteTableIds"):
        made["s3RouteTableIds"] = [vpc.route_table() for _ in tables]
    if named := network.get("databaseSecurityGroupId"):
        made["databaseSecurityGroupId"] = vpc.group(named)
    if network.get("vpcId"):
        made["vpcId"] = vpc.id
    return made
