"""EC2: an interface endpoint shows what limits it, a group's rule has one source and one id."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
DEFAULT_POLICY = json.dumps(
    {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
)

SOURCES = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
ALL_PROTOCOLS = "-1"
PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": ALL_PROTOCOLS}

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Response]


@replaces(ec2._ACTION_MAP, "CreateVpcEndpoint")
def keep_endpoint_settings(original: Handler, parameters: Parameters) -> Response:
    """Keep policy, security groups, addresses and DNS; refuse a second private DNS of a service.

    ministack drops them.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
    """
    vpc, service = ec2._p(parameters, "VpcId"), ec2._p(parameters, "ServiceName")
    if _is_true(parameters, "PrivateDnsEnabled") and _has_private_dns(vpc, service):
        return _error(
            "InvalidParameter",
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain"
            f" for {_private_name(service)} in the VPC {vpc}",
        )
    before = set(ec2._vpc_endpoints)
    original(parameters)
    (created,) = set(ec2._vpc_endpoints) - before
    endpoint = ec2._vpc_endpoints[created]
    groups = ec2._parse_member_list(parameters, "SecurityGroupId")
    endpoint |= {
        "PolicyDocument": ec2._p(parameters, "PolicyDocument") or DEFAULT_POLICY,
        "PrivateDnsEnabled": ec2._p(parameters, "PrivateDnsEnabled") or "false",
        "Groups": groups or [ec2._vpcs[vpc]["DefaultSecurityGroupId"]],
        "ServiceRegion": ec2._p(parameters, "ServiceRegion") or get_region(),
        "IpAddressType": "ipv4",
        "DnsOptions": {"DnsRecordIpType": "ipv4"},
        "Interfaces": {},
    }
    _change_addresses(endpoint, parameters)
    return _response("CreateVpcEndpointResponse", ec2._vpce_fields_xml(endpoint, "vpcEndpoint"))


@replaces(ec2._ACTION_MAP, "ModifyVpcEndpoint")
def modify_endpoint_settings(original: Handler, parameters: Parameters) -> Response:
    """Change groups, addresses and private DNS, and reset the policy, when asked to.

    ministack keeps the groups, addresses and private DNS of a changed endpoint.
    """
    response = original(parameters)
    endpoint = ec2._vpc_endpoints.get(ec2._p(parameters, "VpcEndpointId"))
    if endpoint is not None:
        removed = ec2._parse_member_list(parameters, "RemoveSecurityGroupId")
        added = ec2._parse_member_list(parameters, "AddSecurityGroupId")
        kept = [group for group in endpoint["Groups"] if group not in removed]
        endpoint["Groups"] = [*kept, *added]
        if private := ec2._p(parameters, "PrivateDnsEnabled"):
            endpoint["PrivateDnsEnabled"] = private
        if ec2._p(parameters, "ResetPolicy") == "true":
            endpoint["PolicyDocument"] = DEFAULT_POLICY
        _change_addresses(endpoint, parameters)
    return response


def _change_addresses(endpoint: Parameters, parameters: Parameters) -> None:
    if kind := ec2._p(parameters, "IpAddressType"):
        endpoint["IpAddressType"] = kind
    for option in ("DnsRecordIpType", "PrivateDnsOnlyForInboundResolverEndpoint"):
        if value := ec2._p(parameters, f"DnsOptions.{option}"):
            endpoint["DnsOptions"][option] = value


def _has_private_dns(vpc: str, service: str) -> bool:
    return any(
        (each["VpcId"], each["ServiceName"]) == (vpc, service)
        and each["PrivateDnsEnabled"].lower() == "true"
        for each in ec2._vpc_endpoints.values()
    )


@replaces(ec2._ACTION_MAP, "DescribeVpcEndpoints")
def refuse_to_describe_unknown_endpoint(original: Handler, parameters: Parameters) -> Response:
    """Refuse to describe an endpoint that is not there.

    ministack answers without it.
    """
    return _unknown_endpoint(parameters) or original(parameters)


@replaces(ec2._ACTION_MAP, "DeleteVpcEndpoints")
def refuse_to_delete_unknown_endpoint(original: Handler, parameters: Parameters) -> Response:
    """Refuse to delete an endpoint that is not there.

    ministack answers that it is deleted.
    """
    return _unknown_endpoint(parameters) or original(parameters)


def _unknown_endpoint(parameters: Parameters) -> Response | None:
    for each in ec2._parse_member_list(parameters, "VpcEndpointId"):
        if each not in ec2._vpc_endpoints:
            return _error(
                "InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{each}' does not exist"
            )
    return None


@replaces(ec2, "_parse_ip_permissions")
def split_rule_by_source(
    original: Callable[..., list[Parameters]], parameters: Parameters, prefix: str
) -> list[Parameters]:
    """Make a rule, with an id of its own, of each range, group and prefix list that is named.

    ministack keeps one rule with many sources, and drops prefix lists.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    rules = []
    for number, rule in enumerate(original(parameters, prefix), start=1):
        named = f"{prefix}.{number}.PrefixListIds"
        index = 1
        while prefix_list := ec2._p(parameters, f"{named}.{index}.PrefixListId"):
            description = ec2._p(parameters, f"{named}.{index}.Description")
            rule["PrefixListIds"].append({"PrefixListId": prefix_list, "Description": description})
            index += 1
        rules += _one_for_each_source(rule)
    return rules


def _one_for_each_source(rule: Parameters) -> list[Parameters]:
    ports: Parameters = {key: rule[key] for key in ("FromPort", "ToPort") if key in rule}
    if rule["IpProtocol"] == ALL_PROTOCOLS:
        ports = {}  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    for pair in rule["UserIdGroupPairs"]:
        pair.setdefault("UserId", get_account_id())
    empty: Parameters = {kind: [] for kind in SOURCES}
    return [
        {
            "SecurityGroupRuleId": f"sgr-{secrets.token_hex(9)[:17]}",
            "IpProtocol": PROTOCOLS.get(rule["IpProtocol"].lower(), rule["IpProtocol"].lower()),
            **ports,
            **empty,
            kind: [source],
        }
        for kind in SOURCES
        for source in rule[kind]
    ]


@replaces(ec2, "_strip_descriptions")
def ignore_descriptions_of_rules(
    original: Callable[[Parameters], Parameters], rule: Parameters
) -> Parameters:
    """Compare rules without the descriptions of groups and prefix lists, too.

    ministack takes rules that differ in nothing else for two.
    """
    bare = original(rule)
    for kind in SOURCES:
        sources = [{k: v for k, v in each.items() if k != "Description"} for each in rule[kind]]
        bare[kind] = sources
    return bare


@replaces(ec2._ACTION_MAP, "ModifySecurityGroupRules")
def modify_group_of_rule(original: Handler, parameters: Parameters) -> Response:
    """Change the group that a rule names; with all protocols it has no ports.

    ministack keeps the group of a changed rule.
    """
    field = ".ReferencedGroupId"
    for key in [key for key in parameters if key.endswith(field)]:
        parameters[key.removesuffix(field) + ".ReferencedGroupInfo.GroupId"] = parameters[key]
    response = original(parameters)
    group = ec2._security_groups.get(ec2._p(parameters, "GroupId"), {})
    for rule in (*group.get("IpPermissions", ()), *group.get("IpPermissionsEgress", ())):
        if rule["IpProtocol"] == ALL_PROTOCOLS:
            rule.pop("FromPort", None)
            rule.pop("ToPort", None)
    return response


@replaces(ec2, "_sg_rule_xml")
def show_prefix_list_of_rule(
    original: Callable[..., str], group: str, rule: Parameters, **direction: bool
) -> str:
    """Show the prefix list of a rule.

    ministack leaves it out.
    """
    shown = original(group, rule, **direction)
    fields = "".join(
        f"<prefixListId>{each['PrefixListId']}</prefixListId>" for each in rule["PrefixListIds"]
    )
    return shown.replace("</item>", f"{fields}</item>") if fields else shown


@replaces(ec2, "_sg_xml")
def merge_shown_rules(original: Callable[[Parameters], str], group: Parameters) -> str:
    """Show the sources of rules that agree in protocol and ports together.

    ministack shows each rule on its own.
    """
    shown = {**group}
    for direction in ("IpPermissions", "IpPermissionsEgress"):
        merged: dict[object, Parameters] = {}
        for rule in group[direction]:
            about = rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort")
            together = merged.setdefault(about, {**rule, **{kind: [] for kind in SOURCES}})
            for kind in SOURCES:
                together[kind] = [*together[kind], *rule[kind]]
        shown[direction] = list(merged.values())
    return original(shown)


@replaces(ec2._ACTION_MAP, "DeleteSecurityGroup")
def refuse_to_delete_group_in_use(original: Handler, parameters: Parameters) -> Response:
    """Refuse to delete a group that another group's rule, an interface or an endpoint names.

    ministack deletes it.
    """
    id_ = ec2._p(parameters, "GroupId")
    others = [each for each in ec2._security_groups.values() if each["GroupId"] != id_]
    rules = [rule for each in others for rule in each["IpPermissions"]]
    rules += [rule for each in others for rule in each["IpPermissionsEgress"]]
    named = {pair.get("GroupId") for rule in rules for pair in rule["UserIdGroupPairs"]}
    for endpoint in ec2._vpc_endpoints.values():
        if endpoint["VpcEndpointType"] == "Interface":
            named |= set(endpoint["Groups"])
    if id_ in named:
        return _error("DependencyViolation", f"resource {id_} has a dependent object")
    return original(parameters)


@replaces(ec2, "_vpce_fields_xml")
def show_endpoint_settings(
    original: Callable[..., str], endpoint: Parameters, tag: str = "item"
) -> str:
    """Show the policy; for an interface also its groups, network interfaces and DNS names.

    ministack leaves them out.
    """
    if "PolicyDocument" not in endpoint:  # about to be made, above
        return original(endpoint, tag=tag)
    fields = {"policyDocument": escape(endpoint["PolicyDocument"])}
    if endpoint["VpcEndpointType"] == "Interface":
        interfaces = endpoint["Interfaces"]
        for subnet in endpoint["SubnetIds"]:
            interfaces.setdefault(subnet, f"eni-{secrets.token_hex(8)}0")
        shown = [interfaces[subnet] for subnet in endpoint["SubnetIds"]]
        options = endpoint["DnsOptions"].items()
        fields |= {
            "privateDnsEnabled": endpoint["PrivateDnsEnabled"].lower(),
            "ipAddressType": endpoint["IpAddressType"],
            "serviceRegion": endpoint["ServiceRegion"],
            "dnsOptions": "".join(
                f"<{name[0].lower()}{name[1:]}>{value}</{name[0].lower()}{name[1:]}>"
                for name, value in options
            ),
            "groupSet": _items("groupId", endpoint["Groups"]),
            "networkInterfaceIdSet": "".join(f"<item>{each}</item>" for each in shown),
            "dnsEntrySet": _items("dnsName", _dns_names(endpoint)),
        }
    start, close, end = original(endpoint, tag=tag).rpartition("</")
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f"{start}{inner}{close}{end}"


def _dns_names(endpoint: Parameters) -> list[str]:
    region, service = get_region(), endpoint["ServiceName"].rpartition(".")[2]
    names = [f"{endpoint['VpcEndpointId']}.{service}.{region}.vpce.amazonaws.com"]
    private = endpoint["PrivateDnsEnabled"].lower() == "true"
    return [*names, _private_name(endpoint["ServiceName"])] if private else names


def _private_name(service_name: str) -> str:
    *_, region, service = service_name.split(".")
    return f"{service}.{region}.amazonaws.com"


def _is_true(parameters: Parameters, name: str) -> bool:
    return str(ec2._p(parameters, name)).lower() == "true"


def _items(name: str, values: list[str]) -> str:
    return "".join(f"<item><{name}>{value}</{name}></item>" for value in values)


def _error(code: str, message: str) -> Response:
    response: Response = ec2._error(code, message, HTTPStatus.BAD_REQUEST)
    return response


def _response(name: str, inner: str) -> Response:
    response: Response = ec2._xml(200, name, inner)
    return response
