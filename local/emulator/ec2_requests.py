"""EC2: the security groups, their rules and the endpoints that it refuses."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import ec2

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Response]


@replaces(ec2._ACTION_MAP, "CreateSecurityGroup")
@replaces(ec2._ACTION_MAP, "CreateVpcEndpoint")
def refuse_missing_vpc(original: Handler, parameters: Parameters) -> Response:
    """Refuse what is to be in a VPC that does not exist.

    ministack creates it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    vpc = ec2._p(parameters, "VpcId")
    if vpc and vpc not in ec2._vpcs:
        return _error("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
    return original(parameters)


@replaces(ec2._ACTION_MAP, "AuthorizeSecurityGroupIngress")
def refuse_invalid_ingress(original: Handler, parameters: Parameters) -> Response:
    """Refuse a rule that the group has, and an address range that is none.

    ministack takes them.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    """
    return _refusal(parameters, "IpPermissions") or original(parameters)


@replaces(ec2._ACTION_MAP, "AuthorizeSecurityGroupEgress")
def refuse_invalid_egress(original: Handler, parameters: Parameters) -> Response:
    """Refuse a rule that the group has, and an address range that is none.

    ministack takes them.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupEgress.html
    """
    return _refusal(parameters, "IpPermissionsEgress") or original(parameters)


def _refusal(parameters: Parameters, direction: str) -> Response | None:
    """Return the error for the rules of a request; `direction` is where a group keeps them."""
    group = ec2._security_groups.get(ec2._p(parameters, "GroupId"), {})
    for rule in ec2._parse_ip_permissions(parameters, "IpPermissions"):
        for cidr in (source["CidrIp"] for source in rule.get("IpRanges", ())):
            if not _is_range(cidr):
                return _error("InvalidParameterValue", f"CIDR block {cidr} is malformed")
        if any(ec2._rules_match(rule, other) for other in group.get(direction, ())):
            return _error("InvalidPermission.Duplicate", f"the specified rule {_named(rule)}")
    return None


def _is_range(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _named(rule: Parameters) -> str:
    """Return a rule as EC2 names it in the error for a second one."""
    peers = [
        *(source["CidrIp"] for source in rule.get("IpRanges", ())),
        *(source["CidrIpv6"] for source in rule.get("Ipv6Ranges", ())),
        *(source["PrefixListId"] for source in rule.get("PrefixListIds", ())),
        *(source["GroupId"] for source in rule.get("UserIdGroupPairs", ())),
    ]
    protocol = "ALL" if rule["IpProtocol"] == "-1" else rule["IpProtocol"].upper()
    ports = (
        f", from port: {rule['FromPort']}, to port: {rule['ToPort']}" if "FromPort" in rule else ""
    )
    return f'"peer: {", ".join(peers)}, {protocol}{ports}, ALLOW" already exists'


def _error(code: str, message: str) -> Response:
    refusal: Response = ec2._error(code, escape(message), HTTPStatus.BAD_REQUEST)
    return refusal
