"""What `network` must satisfy beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pydantic.alias_generators import to_camel

from ...aws import limits
from ...aws.location import Location
from ..errors import ConfigError
from ..functions import functions
from ..schema import NetworkSettings, Settings

# Keys that are only for `egress: endpoints`.
_OF_ENDPOINTS = ("vpc_id", "services", "s3_route_table_ids", "database_security_group_id")


class Subnet(NamedTuple):
    """A subnet, with its VPC and availability zone from EC2."""

    id: str
    vpc_id: str
    availability_zone: str


def errors(settings: Settings, region: str) -> Iterator[ConfigError]:
    """Yield an error for each broken rule; `region` is the stack's own, or empty."""
    network = settings.network
    if not network.subnet_ids:
        for key in ("security_group_ids", "egress", *_OF_ENDPOINTS):
            if getattr(network, key):
                yield ConfigError(
                    "network.subnetIds", f"is empty, but `{to_camel(key)}` is set; add subnets"
                )
                break
        return
    number = len(set(network.subnet_ids))
    if number < limits.LEAST_SUBNETS:
        rule = f"must list at least {limits.LEAST_SUBNETS}, in different availability zones"
        yield ConfigError("network.subnetIds", f"{rule}, got {number}")
    if network.egress == "endpoints":
        yield from _endpoints(settings, region)
        return
    if network.egress is None:
        remedy = (
            "use `endpoints` to create VPC endpoints, or `nat` if the subnets have a NAT gateway"
        )
        yield ConfigError(
            "network.egress",
            f"is not set, but functions in a VPC need a route to AWS; {remedy}",
        )
    yield from _nat(network)


def subnet_errors(network: NetworkSettings, subnets: Sequence[Subnet]) -> Iterator[ConfigError]:
    """Say why these subnets cannot be used.

    Functions in subnets of a single availability zone fail with that zone. EC2 rejects endpoints
    in two subnets of one zone (`DuplicateSubnetsInSameZone`), or in another VPC's subnets.
    https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html

    The subnets come from EC2, so this is not part of `errors`. Unknown zones and VPCs are
    skipped.
    """
    zones: dict[str, set[str]] = {}
    for subnet in subnets:
        zones.setdefault(subnet.availability_zone, set()).add(subnet.id)
    if network.egress != "endpoints":
        if not all(zones) or len(zones) >= limits.LEAST_SUBNETS:
            return
        rule = f"must be in at least {limits.LEAST_SUBNETS} availability zones"
        yield ConfigError("network.subnetIds", f"{rule}, got only {', '.join(zones)}")
        return
    for zone, ids in zones.items():
        if zone and len(ids) > 1:
            rule = f"lists {', '.join(sorted(ids))} in the same zone, {zone}"
            why = "a VPC endpoint takes one subnet per zone"
            yield ConfigError("network.subnetIds", f"{rule}, but {why}; keep one of them")
    for subnet in subnets:
        if subnet.vpc_id and subnet.vpc_id != network.vpc_id:
            rule = f"must be in network.vpcId ({network.vpc_id})"
            got = f"{subnet.id}, which is in {subnet.vpc_id}"
            yield ConfigError("network.subnetIds", f"{rule}, got {got}")


def _endpoints(settings: Settings, region: str) -> Iterator[ConfigError]:
    network = settings.network
    if not network.vpc_id:
        yield ConfigError(
            "network.vpcId",
            "is not set, and `egress: endpoints` needs it; set it to the VPC of the subnets",
        )
    if region.startswith("cn-"):
        rule = "cannot be `endpoints` in China, where this program does not know their names"
        yield ConfigError(
            "network.egress", f"{rule}; create the endpoints yourself, and use `nat`"
        )
    own_group = "add a security group of your own to `securityGroupIds`"
    # https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-cross-region-privatelink-support.html
    of_groups = ("network.securityGroupIds",)
    if settings.replica_regions and not network.security_group_ids:
        rule = "is `endpoints`, which reaches only the stack's own region, not `replicaRegions`"
        remedy = f"use `nat`, or {own_group} that allows it, for example through a NAT gateway"
        yield ConfigError("network.egress", f"{rule}; {remedy}", of_groups)
    if not network.security_group_ids:
        yield from _regions(settings, region, own_group)
    rotations = (secret.rotation for secret in settings.secrets.values())
    wants_database = any(
        function.settings.ca_bundle and function.settings.network is None
        for function in functions(settings).values()
    ) or any(rotation and rotation.strategy != "random" for rotation in rotations)
    if wants_database and not (network.database_security_group_id or network.security_group_ids):
        rule = "is not set, but functions log in to a database"
        remedy = f"set it, or {own_group}"
        yield ConfigError("network.databaseSecurityGroupId", f"{rule}; {remedy}", of_groups)


def _regions(settings: Settings, region: str, own_group: str) -> Iterator[ConfigError]:
    """Reject existing secrets that functions behind these endpoints cannot reach."""
    existing = settings.existing_secrets
    for function in functions(settings).values():
        if function.settings.network is not None:
            continue
        for name in function.settings.secrets:
            away = (
                Location.of(existing[name].existing or "").region if name in existing else region
            )
            if region and away != region:
                rule = f"lists {name!r}, which is in {away}, but `egress: endpoints` reaches only"
                remedy = f"use `nat`, or {own_group} that allows it"
                path, of = f"{function.section}.secrets", f"{function.section}.network"
                text = f"{rule} {region}; {remedy}"
                yield ConfigError(path, text, ("network.securityGroupIds", of))


def _nat(network: NetworkSettings) -> Iterator[ConfigError]:
    if not network.security_group_ids:
        rule = "is empty, but `subnetIds` is set; add one"
        yield ConfigError("network.securityGroupIds", rule, ("network.egress",))
    if network.egress is None:
        return  # it may become `endpoints`
    for key in _OF_ENDPOINTS:
        if getattr(network, key):
            yield ConfigError(
                f"network.{to_camel(key)}", "is only for `egress: endpoints`; remove it"
            )
