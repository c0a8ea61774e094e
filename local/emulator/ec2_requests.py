"""EC2: the security groups, their rules and the endpoints that it refuses."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import functools
import ipaddress
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from ministack.core.responses import get_region
from ministack.services import ec2

from local.emulator.core import endpoints
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

_PEERS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}
_RANGES = {"IpRanges": ipaddress.IPv4Network, "Ipv6Ranges": ipaddress.IPv6Network}

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


@replaces(ec2._ACTION_MAP, "CreateVpcEndpoint")
def refuse_unknown_service(original: Handler, parameters: Parameters) -> Response:
    """Refuse an endpoint of a service that AWS does not offer in the region.

    ministack creates it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    name = ec2._p(parameters, "ServiceName")
    if not _is_service(name, ec2._p(parameters, "ServiceRegion") or get_region()):
        text = f"The Vpc Endpoint Service '{name}' does not exist"
        return _error("InvalidServiceName", text)
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
    existing = {peer for rule in group.get(direction, ()) for peer in _peers(rule)}
    for rule in ec2._parse_ip_permissions(parameters, "IpPermissions"):
        for peer in _peers(rule):
            if peer.kind in _RANGES and not _is_range(peer):
                return _error("InvalidParameterValue", f"CIDR block {peer.name} is malformed")
            if peer in existing:
                text = f'the specified rule "peer: {peer.name}, {peer.traffic}, ALLOW"'
                return _error("InvalidPermission.Duplicate", f"{text} already exists")
    return None


class _Peer(NamedTuple):
    """One of the peers of a rule, which is a rule of its own in AWS."""

    kind: str
    name: str
    traffic: str


def _peers(rule: Parameters) -> Iterator[_Peer]:
    traffic = "ALL" if rule["IpProtocol"] == "-1" else rule["IpProtocol"].upper()
    if "FromPort" in rule:
        traffic += f", from port: {rule['FromPort']}, to port: {rule['ToPort']}"
    for kind, member in _PEERS.items():
        for source in rule.get(kind, ()):
            yield _Peer(kind, source[member], traffic)


def _is_range(peer: _Peer) -> bool:
    try:
        _RANGES[peer.kind](peer.name, strict=False)
    except ValueError:
        return False
    return "/" in peer.name


@functools.cache
def _services() -> frozenset[str]:
    """Return the names of AWS's services in host names: `kms`, `api.ecr`."""
    return frozenset(name for each in endpoints.partitions() for name in each["services"])


def _is_service(name: str, region: str) -> bool:
    """Whether AWS offers it: `com.amazonaws.us-east-1.kms`, `com.amazonaws.us-east-1.ecr.api`."""
    service = name.removeprefix(f"com.amazonaws.{region}.")
    reversed_service = ".".join(reversed(service.split(".")))
    return service != name and bool({service, reversed_service} & _services())


def _error(code: str, message: str) -> Response:
    refusal: Response = ec2._error(code, escape(message), HTTPStatus.BAD_REQUEST)
    return refusal
