"""EC2: an interface endpoint shows what limits it, a group's rule the prefix lists it names."""
# ruff: noqa: SLF001 - ministack is untyped, and its gaps sit behind private names

import json
import secrets
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_region
from ministack.services import ec2

from . import Response, replaces

# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
DEFAULT_POLICY = json.dumps(
    {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
)

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Response]


@replaces(ec2._ACTION_MAP, "CreateVpcEndpoint")
def new_endpoint_loses_what_limits_it(original: Handler, parameters: Parameters) -> Response:
    """Keep the policy, the security groups and whether DNS is private.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
    """
    before = set(ec2._vpc_endpoints)
    original(parameters)
    (created,) = set(ec2._vpc_endpoints) - before
    endpoint = ec2._vpc_endpoints[created]
    endpoint |= {
        "PolicyDocument": ec2._p(parameters, "PolicyDocument") or DEFAULT_POLICY,
        "PrivateDnsEnabled": ec2._p(parameters, "PrivateDnsEnabled") or "false",
        "Groups": ec2._parse_member_list(parameters, "SecurityGroupId"),
        "Interfaces": {},
    }
    return _response("CreateVpcEndpointResponse", ec2._vpce_fields_xml(endpoint, "vpcEndpoint"))


@replaces(ec2._ACTION_MAP, "ModifyVpcEndpoint")
def changed_endpoint_keeps_its_groups(original: Handler, parameters: Parameters) -> Response:
    """Change security groups and private DNS, and reset the policy, when asked to."""
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
    return response


@replaces(ec2, "_parse_ip_permissions")
def rule_loses_its_prefix_lists(
    original: Callable[..., list[Parameters]], parameters: Parameters, prefix: str
) -> list[Parameters]:
    """Keep the prefix lists that a rule of a security group names.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    rules = original(parameters, prefix)
    for number, rule in enumerate(rules, start=1):
        named = f"{prefix}.{number}.PrefixListIds"
        index = 1
        while prefix_list := ec2._p(parameters, f"{named}.{index}.PrefixListId"):
            description = ec2._p(parameters, f"{named}.{index}.Description")
            rule["PrefixListIds"].append({"PrefixListId": prefix_list, "Description": description})
            index += 1
    return rules


@replaces(ec2, "_vpce_fields_xml")
def endpoint_does_not_show_what_limits_it(
    original: Callable[..., str], endpoint: Parameters, tag: str = "item"
) -> str:
    """Show the policy; for an interface also its groups, network interfaces and DNS names."""
    if "PolicyDocument" not in endpoint:  # about to be made, above
        return original(endpoint, tag=tag)
    fields = {"policyDocument": escape(endpoint["PolicyDocument"])}
    if endpoint["VpcEndpointType"] == "Interface":
        interfaces = endpoint["Interfaces"]
        for subnet in endpoint["SubnetIds"]:
            interfaces.setdefault(subnet, f"eni-{secrets.token_hex(8)}0")
        shown = [interfaces[subnet] for subnet in endpoint["SubnetIds"]]
        fields |= {
            "privateDnsEnabled": endpoint["PrivateDnsEnabled"].lower(),
            "ipAddressType": "ipv4",
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
    return [*names, f"{service}.{region}.amazonaws.com"] if private else names


def _items(name: str, values: list[str]) -> str:
    return "".join(f"<item><{name}>{value}</{name}></item>" for value in values)


def _response(name: str, inner: str) -> Response:
    response: Response = ec2._xml(200, name, inner)
    return response
