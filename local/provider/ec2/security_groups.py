"""Security groups and their rules."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local.provider.ec2.tags import Tagged, tag_specifications
from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    Session,
    already_created,
    given,
    tag_map,
)

_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_ALL_PROTOCOLS = "-1"
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
_DESCRIPTION = r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*"
_PORT = Input(bounds=(-1, 65535))
_SOURCES = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}

_Rule = tuple[str, int, int, str, str, str]
"""Protocol, ports, kind of source, source and description: one rule in AWS."""


def _protocol(name: object) -> str:
    return _PROTOCOLS.get(str(name).lower(), str(name).lower())


def _rules(blocks: Iterable[Mapping[str, Any]] | None) -> set[_Rule]:
    """Split blocks into single rules."""
    return {
        (
            _protocol(block["protocol"]),
            int(block["fromPort"]),
            int(block["toPort"]),
            kind,
            source,
            block.get("description") or "",
        )
        for block in blocks or ()
        for kind in (*_SOURCES, "self")
        for source in (
            ["self"] * bool(block.get("self")) if kind == "self" else block.get(kind, ())
        )
    }


def _permission(rule: _Rule, group: str) -> dict[str, Any]:
    protocol, from_port, to_port, kind, source, description = rule
    ports = {"FromPort": from_port, "ToPort": to_port}
    if kind == "self":
        kind, source = "securityGroups", group
    collection, field = _SOURCES[kind]
    account, _, source = source.rpartition("/") if kind == "securityGroups" else ("", "", source)
    about = {"Description": description, "UserId": account}
    return {
        "IpProtocol": protocol,
        **({} if protocol == _ALL_PROTOCOLS else ports),
        collection: [{field: source, **{key: value for key, value in about.items() if value}}],
    }


def _blocks(
    permissions: Iterable[Mapping[str, Any]], group: str, owner: str
) -> list[dict[str, Any]]:
    """Merge rules into blocks, one for each protocol, ports and description."""
    blocks: dict[object, dict[str, Any]] = {}
    for each in permissions:
        about = {
            "protocol": each["IpProtocol"],
            "fromPort": each.get("FromPort", 0),
            "toPort": each.get("ToPort", 0),
        }
        for kind, (collection, field) in _SOURCES.items():
            for found in each.get(collection, ()):
                described = {**about, "description": found.get("Description", "")}
                block = blocks.setdefault(tuple(described.values()), {**described, "self": False})
                source = _with_account(found[field], found.get("UserId"), owner)
                if source == group:
                    block["self"] = True
                else:
                    block.setdefault(kind, []).append(source)
    return list(blocks.values())


def _with_account(group: str, account: str | None, owner: str) -> str:
    return group if account in (None, "", owner) else f"{account}/{group}"


_BLOCK = {
    "cidrBlocks": Input(),
    "description": Input(length=(0, 255), pattern=_DESCRIPTION),
    "fromPort": Input(required=True),
    "ipv6CidrBlocks": Input(),
    "prefixListIds": Input(),
    "protocol": Input(required=True),
    "securityGroups": Input(),
    "self": Input(default=False),
    "toPort": Input(required=True),
}
_BLOCKS = Input(computed=True, fields=_BLOCK, form=_rules)


class SecurityGroup(Tagged):
    """A security group. The default rules of a new group are removed."""

    type = "aws:ec2/securityGroup:SecurityGroup"
    inputs = {
        "description": Input(default="Managed by Pulumi", replaces=True, length=(0, 255)),
        "egress": _BLOCKS,
        "ingress": _BLOCKS,
        "name": Input(
            computed=True, replaces=True, auto_name=AutoName(255), pattern=r"(?!sg-).{0,255}"
        ),
        "region": REGION,
        "revokeRulesOnDelete": Input(default=False),
        "tags": TAGS,
        "vpcId": Input(computed=True, replaces=True),
    }
    outputs = ("arn", "egress", "ingress", "ownerId")
    gone = frozenset({"InvalidGroup.NotFound"})

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        for direction in ("ingress", "egress"):
            for number, block in enumerate(inputs.get(direction, ())):
                for kind, version in (("cidrBlocks", 4), ("ipv6CidrBlocks", 6)):
                    for cidr in block.get(kind) or ():
                        yield from _cidr_errors(f"{direction}[{number}].{kind}", cidr, version)

    def create(self, session: Session, inputs: Properties) -> str:
        ec2 = session.client("ec2")
        id_ = str(
            ec2.create_security_group(
                GroupName=inputs["name"],
                Description=inputs["description"],
                **given(inputs, "vpcId"),
                **tag_specifications("security-group", inputs["tags"]),
            )["GroupId"]
        )
        with already_created(id_):
            for kind, source in (("cidrBlocks", "0.0.0.0/0"), ("ipv6CidrBlocks", "::/0")):
                everything = _permission((_ALL_PROTOCOLS, 0, 0, kind, source, ""), id_)
                try:
                    ec2.revoke_security_group_egress(GroupId=id_, IpPermissions=[everything])
                except ClientError as error:
                    missing = error.response["Error"]["Code"] == "InvalidPermission.NotFound"
                    if not missing or kind == "cidrBlocks":
                        raise
            self._authorize(session, id_, {}, inputs, {"ingress", "egress"})
        return id_

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        (group,) = session.client("ec2").describe_security_groups(GroupIds=[id_])["SecurityGroups"]
        owner = group["OwnerId"]
        return {
            "arn": f"arn:aws:ec2:{session.region}:{owner}:security-group/{id_}",
            "description": group["Description"],
            "egress": _blocks(group["IpPermissionsEgress"], id_, owner),
            "ingress": _blocks(group["IpPermissions"], id_, owner),
            "name": group["GroupName"],
            "ownerId": owner,
            "tags": tag_map(group.get("Tags", ())),
            "vpcId": group["VpcId"],
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self._authorize(session, id_, state, inputs, changed)

    def _authorize(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        ec2 = session.client("ec2")
        for direction in ("ingress", "egress"):
            if direction not in changed:
                continue
            old, new = _rules(state.get(direction)), _rules(inputs.get(direction))
            for verb, rules in (("revoke", old - new), ("authorize", new - old)):
                if rules:
                    permissions = [_permission(rule, id_) for rule in sorted(rules)]
                    call = getattr(ec2, f"{verb}_security_group_{direction}")
                    call(GroupId=id_, IpPermissions=permissions)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        ec2, revokes = session.client("ec2"), state.get("revokeRulesOnDelete")
        if revokes:
            self._revoke(ec2, id_, self._related(ec2, id_))
        try:
            ec2.delete_security_group(GroupId=id_)
        except ClientError as error:
            in_use = ("DependencyViolation", "InvalidGroup.InUse")
            if not revokes or error.response["Error"]["Code"] not in in_use:
                raise
            self._revoke(ec2, id_, [])
            ec2.delete_security_group(GroupId=id_)

    def _related(self, ec2: Any, id_: str) -> list[str]:
        (group,) = ec2.describe_security_groups(GroupIds=[id_])["SecurityGroups"]
        permissions = [*group["IpPermissions"], *group["IpPermissionsEgress"]]
        named = {pair["GroupId"] for each in permissions for pair in each["UserIdGroupPairs"]}
        return sorted({id_, *named})

    def _revoke(self, ec2: Any, id_: str, groups: list[str]) -> None:
        """Revoke the group's rules, and the rules of these or all groups that refer to it."""
        filters = [{"Name": "group-id", "Values": groups}] if groups else []
        for rule in ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]:
            if id_ in (rule["GroupId"], rule.get("ReferencedGroupInfo", {}).get("GroupId")):
                direction = "egress" if rule["IsEgress"] else "ingress"
                getattr(ec2, f"revoke_security_group_{direction}")(
                    GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
                )


def _cidr_errors(path: str, cidr: object, version: int) -> Iterator[tuple[str, str]]:
    try:
        is_one = ipaddress.ip_network(str(cidr)).version == version
    except ValueError:
        is_one = False
    if not is_one:
        yield path, f"must be an IPv{version} CIDR block without host bits, got {cidr!r}"


class _SecurityGroupRule(Tagged):
    """A rule. Another kind of source replaces it; another source of the same kind does not."""

    direction: ClassVar[str]
    inputs = {
        "cidrIpv4": Input(),
        "cidrIpv6": Input(),
        "description": Input(length=(0, 255), pattern=_DESCRIPTION),
        "fromPort": _PORT,
        "ipProtocol": Input(required=True, form=_protocol),
        "prefixListId": Input(),
        "referencedSecurityGroupId": Input(),
        "region": REGION,
        "securityGroupId": Input(required=True, replaces=True),
        "tags": TAGS,
        "toPort": _PORT,
    }
    outputs = ("arn", "securityGroupRuleId")
    gone = frozenset({"InvalidSecurityGroupRuleId.NotFound"})
    deleted = gone | {"InvalidGroup.NotFound"}
    sources: ClassVar = {
        "cidrIpv4": "cidrBlocks",
        "cidrIpv6": "ipv6CidrBlocks",
        "prefixListId": "prefixListIds",
        "referencedSecurityGroupId": "securityGroups",
    }
    one_of = (tuple(sources),)

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        for key, version in (("cidrIpv4", 4), ("cidrIpv6", 6)):
            if inputs.get(key) is not None:
                yield from _cidr_errors(key, inputs[key], version)

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        old, new = ({key for key in self.sources if each.get(key)} for each in (state, inputs))
        kinds = changed & self.sources.keys() if old != new else set()
        return super().replacing(state, inputs, changed) | kinds

    def create(self, session: Session, inputs: Properties) -> str:
        (kind,) = (key for key in self.sources if inputs.get(key))
        description = inputs.get("description") or ""
        about = (inputs["ipProtocol"], 0, 0, self.sources[kind], inputs[kind], description)
        permission = {**_permission(about, ""), **given(inputs, "ipProtocol")}
        for key, port in (("FromPort", "fromPort"), ("ToPort", "toPort")):
            permission.pop(key, None)
            if inputs.get(port) is not None:
                permission[key] = inputs[port]
        authorize = getattr(session.client("ec2"), f"authorize_security_group_{self.direction}")
        answer = authorize(
            GroupId=inputs["securityGroupId"],
            IpPermissions=[permission],
            **tag_specifications("security-group-rule", inputs["tags"]),
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        ec2 = session.client("ec2")
        found = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id_])
        if not found["SecurityGroupRules"]:
            return None
        (rule,) = found["SecurityGroupRules"]
        owner = rule["GroupOwnerId"]
        group = rule.get("ReferencedGroupInfo", {})
        return {
            "arn": f"arn:aws:ec2:{session.region}:{owner}:security-group-rule/{id_}",
            "cidrIpv4": rule.get("CidrIpv4"),
            "cidrIpv6": rule.get("CidrIpv6"),
            "description": rule.get("Description"),
            "ipProtocol": rule["IpProtocol"],
            "prefixListId": rule.get("PrefixListId"),
            "referencedSecurityGroupId": (
                _with_account(group["GroupId"], group.get("UserId"), owner) if group else None
            ),
            "securityGroupId": rule["GroupId"],
            "securityGroupRuleId": id_,
            "tags": tag_map(rule.get("Tags", ())),
            # -1 also means no port.
            "fromPort": _port(rule.get("FromPort"), state.get("fromPort")),
            "toPort": _port(rule.get("ToPort"), state.get("toPort")),
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        keys = ("cidrIpv4", "cidrIpv6", "description", "ipProtocol", "prefixListId")
        rule = given(inputs, *keys, "fromPort", "toPort")
        if group := inputs.get("referencedSecurityGroupId"):
            rule["ReferencedGroupId"] = group
        session.client("ec2").modify_security_group_rules(
            GroupId=inputs["securityGroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": id_, "SecurityGroupRule": rule}],
        )

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        revoke = getattr(session.client("ec2"), f"revoke_security_group_{self.direction}")
        revoke(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[id_])


def _port(found: int | None, recorded: object) -> int | None:
    return None if found == -1 and recorded is None else found


class SecurityGroupEgressRule(_SecurityGroupRule):
    """An egress rule of a group."""

    type = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    direction = "egress"


class SecurityGroupIngressRule(_SecurityGroupRule):
    """An ingress rule of a group."""

    type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    direction = "ingress"
