"""What the contract does not try of EC2's types: inline rules, gateways, what is refused."""

from typing import Any

import pytest

from local.provider.provider import DeploymentError
from tests.provider.specimen import REGION, World
from tests.provider.specimens.ec2 import group, rule, subnet, vpc

GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
HTTPS = {"protocol": "tcp", "fromPort": 443, "toPort": 443}


def allowed(world: World, id_: str) -> tuple[list[Any], list[Any]]:
    """Return addresses that a group lets in, and that it lets out."""
    (found,) = world.client("ec2").describe_security_groups(GroupIds=[id_])["SecurityGroups"]
    inward, outward = (
        [each["CidrIp"] for rule in found[key] for each in rule["IpRanges"]]
        for key in ("IpPermissions", "IpPermissionsEgress")
    )
    return inward, outward


def up(world: World, type_: str, id_: str, state: dict[str, Any], **given: Any) -> dict[str, Any]:
    inputs = world.checked(type_, "it", **given)
    assert not world.provider.diff(type_, state, inputs).replaces
    return world.provider.update(type_, "it", id_, state, inputs)


def test_rules_of_a_group_are_made_changed_and_kept(world: World) -> None:
    given = {"name": "inline", "vpcId": vpc(world)}
    both = {**HTTPS, "cidrBlocks": ["10.0.0.0/8", "10.0.1.0/24"], "self": True}
    one = {**HTTPS, "cidrBlocks": ["10.0.1.0/24"], "description": "another"}
    anywhere = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}
    state = world.make(GROUP, "inline", **given, ingress=[both], egress=[anywhere])
    id_ = state["id"]
    assert allowed(world, id_) == (["10.0.0.0/8", "10.0.1.0/24"], ["0.0.0.0/0"])

    state = up(world, GROUP, id_, state, **given, ingress=[one], egress=[])
    assert allowed(world, id_) == (["10.0.1.0/24"], [])
    state = up(world, GROUP, id_, state, **given, revokeRulesOnDelete=True)
    assert allowed(world, id_) == (["10.0.1.0/24"], [])


def test_blocks_of_rules_that_mean_the_same_are_no_difference(world: World) -> None:
    given: dict[str, Any] = {"name": "blocks", "vpcId": vpc(world)}
    cidrs = ["10.0.0.0/8", "192.168.0.0/16"]
    given["ingress"] = [{**HTTPS, "protocol": "6", "cidrBlocks": [each]} for each in cidrs]
    state = world.make(GROUP, "blocks", **given)
    read = world.provider.read(GROUP, "blocks", state["id"], state)
    given["ingress"] = [{**HTTPS, "cidrBlocks": cidrs[::-1]}]
    inputs, _ = world.provider.check(GROUP, "blocks", given, {})
    assert read is not None
    assert world.provider.diff(GROUP, read, inputs).changed == set()
    inputs["ingress"][0]["cidrBlocks"].pop()
    assert world.provider.diff(GROUP, read, inputs).changed == {"ingress"}


def test_a_group_that_another_names_is_deleted_only_with_the_rules_that_name_it(
    world: World,
) -> None:
    named, naming = group(world, "named"), group(world, "naming")
    made = world.make(RULE, "rule", **{**rule(world), "securityGroupId": naming})
    assert made["referencedSecurityGroupId"] == group(world, "other")
    pair = {"protocol": "tcp", "fromPort": 1, "toPort": 1, "securityGroups": [named]}
    state = world.make(GROUP, "naming", vpcId=vpc(world))
    up(world, GROUP, naming, state, vpcId=vpc(world), name=state["name"], ingress=[pair])
    state = world.make(GROUP, "named")
    with pytest.raises(DeploymentError, match="DependencyViolation"):
        world.provider.delete(GROUP, "named", named, state)
    world.provider.delete(GROUP, "named", named, {**state, "revokeRulesOnDelete": True})
    assert world.provider.read(GROUP, "named", named, state) is None


def test_another_kind_of_source_makes_another_rule(world: World) -> None:
    state = world.make(RULE, "rule", **rule(world))
    inputs, _ = world.provider.check(RULE, "rule", rule(world))
    other = {**inputs, "referencedSecurityGroupId": group(world, "another")}
    assert world.provider.diff(RULE, state, other).replaces == set()
    del inputs["referencedSecurityGroupId"]
    found = world.provider.diff(RULE, state, {**inputs, "cidrIpv4": "10.0.0.0/8"})
    assert found.replaces == {"referencedSecurityGroupId", "cidrIpv4"}


@pytest.mark.parametrize(
    ("type_", "given", "path"),
    [
        (RULE, {"cidrIpv4": "10.0.0.1/8"}, "cidrIpv4"),
        (RULE, {"cidrIpv4": "2001:db8::/32"}, "cidrIpv4"),
        (RULE, {"cidrIpv6": "10.0.0.0/8"}, "cidrIpv6"),
        (RULE, {"cidrIpv4": "10.0.0.0/8", "prefixListId": "pl-1"}, "cidrIpv4"),
        (RULE, {"cidrIpv4": "10.0.0.0/8", "toPort": 65536}, "toPort"),
        (RULE, {"cidrIpv4": "10.0.0.0/8", "description": "ä"}, "description"),
        (GROUP, {"name": "sg-one"}, "name"),
        (GROUP, {"ingress": [{**HTTPS, "cidrBlocks": ["10.0.0.1/8"]}]}, "ingress[0].cidrBlocks"),
        (ENDPOINT, {"vpcId": "vpc-1", "vpcEndpointType": "interface"}, "vpcEndpointType"),
    ],
)
def test_the_preview_refuses(world: World, type_: str, given: dict[str, Any], path: str) -> None:
    needed = {"securityGroupId": "sg-1", "ipProtocol": "tcp"} if type_ == RULE else {}
    assert [each for each, _ in world.provider.check(type_, "it", {**needed, **given})[1]] == [
        path
    ]


def test_a_gateway_is_in_route_tables_and_has_a_prefix_list(world: World) -> None:
    tables = world.client("ec2").describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [vpc(world)]}]
    )["RouteTables"]
    given = {
        "vpcId": vpc(world),
        "serviceName": f"com.amazonaws.{REGION}.s3",
        "routeTableIds": [tables[0]["RouteTableId"]],
    }
    state = world.make(ENDPOINT, "gateway", **given)
    assert state["prefixListId"].startswith("pl-")
    assert state["cidrBlocks"]
    state = up(world, ENDPOINT, state["id"], state, **given | {"routeTableIds": []})
    assert state["routeTableIds"] == []

    inputs, _ = world.provider.check(ENDPOINT, "gateway", {**given, "privateDnsEnabled": True})
    assert "privateDnsEnabled" in world.provider.diff(ENDPOINT, state, inputs).replaces
    inputs, _ = world.provider.check(ENDPOINT, "it", {**given, "vpcEndpointType": "Interface"})
    assert world.provider.diff(ENDPOINT, state, inputs).replaces == {"vpcEndpointType"}


def test_other_subnets_give_an_endpoint_other_interfaces(world: World) -> None:
    given = {
        "vpcId": vpc(world),
        "serviceName": f"com.amazonaws.{REGION}.logs",
        "vpcEndpointType": "Interface",
        "subnetIds": [subnet(world, "a")],
    }
    state = world.make(ENDPOINT, "interface", **given)
    inputs, _ = world.provider.check(ENDPOINT, "it", {**given, "subnetIds": [subnet(world, "b")]})
    before = state["networkInterfaceIds"]
    assert world.provider.updated(ENDPOINT, state, inputs)["networkInterfaceIds"] != before
    after = world.provider.update(ENDPOINT, "it", state["id"], state, inputs)
    assert after["networkInterfaceIds"] != before


@pytest.mark.parametrize(
    ("wanted", "replaces"),
    [
        ({"dnsRecordIpType": "dualstack"}, set()),
        ({"dnsRecordIpType": "ipv4"}, set()),
        ({"privateDnsPreference": "ALL_DOMAINS"}, set()),
        ({"privateDnsPreference": "SPECIFIED_DOMAINS_ONLY"}, {"dnsOptions"}),
        ({"privateDnsSpecifiedDomains": ["b.example", "a.example"]}, set()),
        ({"privateDnsSpecifiedDomains": ["a.example"]}, {"dnsOptions"}),
    ],
)
def test_which_names_are_private_is_settled_when_an_endpoint_is_made(
    world: World, wanted: dict[str, Any], replaces: set[str]
) -> None:
    options = {
        "dnsRecordIpType": "ipv4",
        "privateDnsPreference": "ALL_DOMAINS",
        "privateDnsSpecifiedDomains": ["a.example", "b.example"],
    }
    given = {"vpcId": "vpc-1", "serviceName": "s", "vpcEndpointType": "Interface"}
    state = {**given, "dnsOptions": options}
    inputs = {**given, "dnsOptions": wanted}
    assert world.provider.diff(ENDPOINT, state, inputs).replaces == replaces
