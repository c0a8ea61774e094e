"""VPC endpoints."""

from typing import Any, ClassVar

from local.provider import forms
from local.provider.diff import form
from local.provider.ec2.tags import Tagged, tag_specifications
from local.provider.resource import (
    REGION,
    TAGS,
    Input,
    Properties,
    RejectedError,
    Session,
    given,
    tag_map,
)


class VpcEndpoint(Tagged):
    """A VPC endpoint. `subnetConfigurations` are not read, because addresses here are fake."""

    type = "aws:ec2/vpcEndpoint:VpcEndpoint"
    inputs = {
        "dnsOptions": Input(
            computed=True,
            fields={
                "dnsRecordIpType": Input(
                    computed=True, choices=("ipv4", "dualstack", "ipv6", "service-defined")
                ),
                "privateDnsOnlyForInboundResolverEndpoint": Input(),
                "privateDnsPreference": Input(
                    computed=True,
                    replaces=True,
                    choices=(
                        *("ALL_DOMAINS", "SPECIFIED_DOMAINS_ONLY", "VERIFIED_DOMAINS_ONLY"),
                        "VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS",
                    ),
                ),
                "privateDnsSpecifiedDomains": Input(
                    computed=True, replaces=True, form=forms.unordered
                ),
            },
        ),
        "ipAddressType": Input(
            computed=True,
            choices=("ipv4", "dualstack", "ipv6"),
            form=lambda kind: str(kind or "").lower(),
        ),
        "policy": Input(computed=True, json=True, form=forms.policy),
        "privateDnsEnabled": Input(computed=True),
        "region": REGION,
        "routeTableIds": Input(computed=True, form=forms.unordered),
        "securityGroupIds": Input(computed=True, form=forms.unordered),
        "serviceName": Input(replaces=True),
        "serviceRegion": Input(computed=True, replaces=True),
        "subnetConfigurations": Input(
            computed=True,
            form=forms.unordered,
            fields={"ipv4": Input(), "ipv6": Input(), "subnetId": Input()},
        ),
        "subnetIds": Input(computed=True, form=forms.unordered),
        "tags": TAGS,
        "vpcEndpointType": Input(
            default="Gateway",
            replaces=True,
            choices=("Interface", "Gateway", "GatewayLoadBalancer", "Resource", "ServiceNetwork"),
        ),
        "vpcId": Input(required=True, replaces=True),
    }
    outputs = (
        "arn",
        "cidrBlocks",
        "dnsEntries",
        "networkInterfaceIds",
        "ownerId",
        "prefixListId",
        "requesterManaged",
        "state",
    )
    gone = frozenset({"InvalidVpcEndpointId.NotFound"})
    sets: ClassVar = {
        "routeTableIds": "RouteTableIds",
        "securityGroupIds": "SecurityGroupIds",
        "subnetIds": "SubnetIds",
    }

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        fixed = set() if inputs["vpcEndpointType"] == "Interface" else {"privateDnsEnabled"}
        old, new = (each.get("dnsOptions") or {} for each in (state, inputs))
        if any(
            about.replaces and new.get(key) and form(about, new[key]) != form(about, old.get(key))
            for key, about in (self.inputs["dnsOptions"].fields or {}).items()
        ):
            fixed.add("dnsOptions")
        return super().replacing(state, inputs, changed) | changed & fixed

    def create(self, session: Session, inputs: Properties) -> str:
        keys = ("ipAddressType", "serviceName", "serviceRegion", "subnetConfigurations", "vpcId")
        endpoint = session.client("ec2").create_vpc_endpoint(
            PrivateDnsEnabled=bool(inputs.get("privateDnsEnabled")),
            **tag_specifications("vpc-endpoint", inputs["tags"]),
            **given(inputs, *keys, *self.sets, "vpcEndpointType"),
            **self._options(inputs),
            **({"PolicyDocument": inputs["policy"]} if inputs.get("policy") else {}),
        )
        return str(endpoint["VpcEndpoint"]["VpcEndpointId"])

    def _options(self, inputs: Properties) -> dict[str, Any]:
        options: dict[str, Any] = given(inputs, "dnsOptions").get("DnsOptions", {})
        own = "PrivateDnsOnlyForInboundResolverEndpoint"
        is_s3 = str(inputs.get("serviceName")).endswith(".s3")
        if is_s3 and inputs["vpcEndpointType"] == "Interface":
            options = {key: options[key] for key in ("DnsRecordIpType", own) if key in options}
        else:
            options = {key: value for key, value in options.items() if key != own}
        return {"DnsOptions": options} if options else {}

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        ec2 = session.client("ec2")
        found = ec2.describe_vpc_endpoints(VpcEndpointIds=[id_])["VpcEndpoints"]
        if not found or found[0]["State"].lower() == "deleted":
            return None
        (endpoint,) = found
        owner, service = endpoint["OwnerId"], endpoint["ServiceName"]
        named = [{"Name": "prefix-list-name", "Values": [service]}]
        lists = ec2.describe_prefix_lists(Filters=named)["PrefixLists"]
        read = {
            "arn": f"arn:aws:ec2:{session.region}:{owner}:vpc-endpoint/{id_}",
            "cidrBlocks": lists[0].get("Cidrs", []) if lists else [],
            "dnsEntries": [
                {key[0].lower() + key[1:]: value for key, value in entry.items()}
                for entry in endpoint.get("DnsEntries", ())
            ],
            "networkInterfaceIds": endpoint.get("NetworkInterfaceIds", []),
            "ownerId": owner,
            "policy": endpoint.get("PolicyDocument", ""),
            "prefixListId": lists[0]["PrefixListId"] if lists else "",
            "privateDnsEnabled": endpoint.get("PrivateDnsEnabled", False),
            "requesterManaged": endpoint.get("RequesterManaged", False),
            "routeTableIds": endpoint.get("RouteTableIds", []),
            "securityGroupIds": [each["GroupId"] for each in endpoint.get("Groups", ())],
            "serviceName": service,
            "state": endpoint["State"],
            "subnetIds": endpoint.get("SubnetIds", []),
            "tags": tag_map(endpoint.get("Tags", ())),
            "vpcEndpointType": endpoint.get("VpcEndpointType", "Gateway"),
            "vpcId": endpoint["VpcId"],
        }
        if options := endpoint.get("DnsOptions"):
            read["dnsOptions"] = {key[0].lower() + key[1:]: options[key] for key in options}
        for key in ("IpAddressType", "ServiceRegion"):
            if key in endpoint:
                read[key[0].lower() + key[1:]] = endpoint[key]
        return read

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        wanted: dict[str, Any] = {}
        private = bool(inputs.get("privateDnsEnabled"))
        if "privateDnsEnabled" in changed:
            wanted["PrivateDnsEnabled"] = private
        if "dnsOptions" in changed or ("privateDnsEnabled" in changed and private):
            wanted |= self._options(inputs)
        for key in ("ipAddressType", "subnetConfigurations"):
            if key in changed:
                wanted |= given(inputs, key)
        for key, name in self.sets.items():
            if key in changed:
                old, new = set(state.get(key) or ()), set(inputs.get(key) or ())
                both = {f"Add{name}": sorted(new - old), f"Remove{name}": sorted(old - new)}
                wanted |= {name: ids for name, ids in both.items() if ids}
        if "policy" in changed:
            policy = inputs.get("policy")
            wanted |= {"PolicyDocument": policy} if policy else {"ResetPolicy": True}
        if wanted:
            session.client("ec2").modify_vpc_endpoint(VpcEndpointId=id_, **wanted)

    def unknown_after(self, changed: set[str], inputs: Properties) -> set[str]:
        moves = changed & {"subnetConfigurations", "subnetIds"}
        return {"networkInterfaceIds"} if moves else set()

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        answer = session.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[id_])
        for each in answer.get("Unsuccessful", ()):
            if each["Error"]["Code"] not in self.gone:
                raise RejectedError(f"{each['Error']['Code']}: {each['Error']['Message']}")
