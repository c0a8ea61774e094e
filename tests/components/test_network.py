"""The private network: who reaches whom, and what passes the endpoints, exactly."""

import json
from typing import Any

import pytest

from infra.components.private_network import PrivateNetwork, PrivateNetworkArgs
from infra.config.settings import SettingsError
from local.engines.built_in import Registration
from tests.recording import PROJECT, VPC, by_type, made, planned, stack

ARGS: PrivateNetworkArgs = {
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "partition": "aws",
    "region": "us-east-1",
    "account_id": "123456789012",
    "secret_prefix": "p/s/",
    "log_group_prefix": "/aws/lambda/p-s-",
}
EVERYTHING: PrivateNetworkArgs = {
    **ARGS,
    "parameter_prefix": "/p/s/",
    "services": ["logs", "monitoring", "xray"],
    "s3_route_table_ids": ["rtb-1"],
    "database_security_group_id": "sg-database",
    "database_port": 6432,
}
OWN = {"aws:PrincipalAccount": "123456789012"}


def network(args: PrivateNetworkArgs) -> list[Registration]:
    return made(lambda: PrivateNetwork("network", args))


def endpoints(args: PrivateNetworkArgs) -> dict[str, dict[str, Any]]:
    found = by_type(network(args), "vpcEndpoint:VpcEndpoint")
    return {each.name.removeprefix("network-"): each.inputs for each in found}


def statements(args: PrivateNetworkArgs) -> dict[str, list[dict[str, Any]]]:
    return {
        service: json.loads(inputs["policy"])["Statement"]
        for service, inputs in endpoints(args).items()
    }


def ways(args: PrivateNetworkArgs) -> set[tuple[str, str, int]]:
    registered = network(args)
    assert all(
        (rule.inputs["ipProtocol"], rule.inputs["fromPort"]) == ("tcp", rule.inputs["toPort"])
        for rule in by_type(registered, "Rule")
    )
    out = {
        (
            rule.inputs["securityGroupId"],
            rule.inputs.get("referencedSecurityGroupId") or rule.inputs["prefixListId"],
            rule.inputs["toPort"],
        )
        for rule in by_type(registered, "EgressRule")
    }
    ((to, from_, port),) = [
        (
            rule.inputs["securityGroupId"],
            rule.inputs["referencedSecurityGroupId"],
            rule.inputs["toPort"],
        )
        for rule in by_type(registered, "IngressRule")
    ]
    # What is let in is what is let out.
    assert (from_, to, port) in out
    return out


def test_functions_reach_the_endpoints_and_nothing_else() -> None:
    assert ways(ARGS) == {("network-functions-id", "network-endpoints-id", 443)}


def test_a_database_and_s3_are_reached_only_if_asked() -> None:
    assert ways(EVERYTHING) - ways(ARGS) == {
        ("network-functions-id", "sg-database", 6432),
        ("network-functions-id", "pl-1", 443),
    }


def test_groups_hold_no_rules_of_their_own() -> None:
    groups = {each.name: each.inputs for each in by_type(network(EVERYTHING), "SecurityGroup")}
    assert groups.keys() == {"network-functions", "network-endpoints"}
    for inputs in groups.values():
        assert inputs.keys() & {"ingress", "egress"} == set()


def test_a_rule_of_the_databases_group_does_not_keep_the_functions_group_from_being_deleted() -> (
    None
):
    groups = {each.name: each.inputs for each in by_type(network(EVERYTHING), "SecurityGroup")}
    assert groups["network-functions"]["revokeRulesOnDelete"] is True
    assert "revokeRulesOnDelete" not in groups["network-endpoints"]


def test_secrets_manager_alone_has_an_endpoint_unless_more_is_asked_for() -> None:
    assert endpoints(ARGS).keys() == {"secretsmanager"}
    assert endpoints(EVERYTHING).keys() == {
        *("secretsmanager", "ssm", "logs", "monitoring", "xray", "s3")
    }


def test_interface_endpoints_are_in_every_subnet_under_the_services_own_name() -> None:
    for service, inputs in endpoints(EVERYTHING).items():
        assert inputs["vpcId"] == "vpc-1"
        assert inputs["serviceName"] == f"com.amazonaws.us-east-1.{service}"
        if service == "s3":
            assert inputs["vpcEndpointType"] == "Gateway"
            assert inputs["routeTableIds"] == ["rtb-1"]
            assert "subnetIds" not in inputs
        else:
            assert inputs["vpcEndpointType"] == "Interface"
            assert inputs["subnetIds"] == ["subnet-1", "subnet-2"]
            assert inputs["securityGroupIds"] == ["network-endpoints-id"]
            assert inputs["privateDnsEnabled"] is True


def test_nothing_passes_for_another_account() -> None:
    for service, found in statements(EVERYTHING).items():
        for statement in found:
            assert (statement["Effect"], statement["Principal"]) == ("Allow", "*")
            bounds = statement["Condition"]["StringEquals"]
            assert bounds == (
                OWN | {"aws:ResourceAccount": "123456789012"} if service == "s3" else OWN
            )


def test_what_passes_is_this_environments() -> None:
    own = "us-east-1:123456789012"
    resources = {
        service: {each["Resource"] for each in found}
        for service, found in statements(EVERYTHING).items()
    }
    assert resources == {
        "secretsmanager": {f"arn:aws:secretsmanager:{own}:secret:p/s/*", "*"},
        "ssm": {f"arn:aws:ssm:{own}:parameter/p/s/*"},
        "logs": {f"arn:aws:logs:{own}:log-group:/aws/lambda/p-s-*"},
        "monitoring": {"*"},
        "xray": {"*"},
        "s3": {"arn:aws:s3:::*"},
    }


def test_no_secret_is_made_deleted_or_shared_through_the_endpoint() -> None:
    secrets, passwords = statements(ARGS)["secretsmanager"]
    assert secrets["Action"] == [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ]
    assert passwords["Action"] == "secretsmanager:GetRandomPassword"


def test_existing_secrets_of_any_account_may_be_read_through_the_endpoint() -> None:
    arns = [
        f"arn:aws:secretsmanager:us-east-1:{account}:secret:x-AbCdEf"
        for account in ("210987654321", "123456789012")
    ]
    found = statements({**ARGS, "existing_secret_arns": arns})["secretsmanager"]
    own, existing, passwords = found
    assert [own, passwords] == statements(ARGS)["secretsmanager"]
    # AWS's caching libraries describe a secret before they read it.
    assert existing["Action"] == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    assert existing["Resource"] == sorted(arns)
    # Whose role asks is bounded, and not whose secret it is.
    assert existing["Condition"] == {"StringEquals": OWN}


def test_who_is_in_the_group_waits_for_every_way_and_endpoint() -> None:
    registered = network(EVERYTHING)
    (own,) = [each for each in registered if not each.custom and each.type.startswith("lambda-")]
    assert own.registered_outputs is not None
    assert own.registered_outputs["security_group_id"] == "network-functions-id"
    assert own.registered_outputs["endpoint_ids"] == {
        service: f"network-{service}-id"
        for service in ("secretsmanager", "ssm", "logs", "monitoring", "xray", "s3")
    }


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        ({**ARGS, "subnet_ids": ["subnet-1"]}, "subnet_ids must list at least 2, got 1"),
        ({**ARGS, "services": ["kms"]}, "services must be one of logs, monitoring, xray"),
        ({**ARGS, "database_port": 0}, "database_port must be 1 to 65535, got 0"),
    ],
)
def test_what_would_not_do_is_refused(args: PrivateNetworkArgs, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        network(args)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_stacks_endpoints_are_refused_in_two_subnets_of_a_zone(name: str) -> None:
    network = json.loads(stack(name).config.get(f"{PROJECT}:network", "{}"))
    network |= {"vpcId": VPC, "egress": "endpoints", "subnetIds": ["s-1", "s-2", "t-2"]}
    with pytest.raises(SettingsError) as raised:
        planned(name, network=network)
    (fault,) = raised.value.errors
    assert fault.startswith(
        f"{PROJECT}:network.subnetIds lists s-2, t-2 in the same zone, us-east-12"
    )


def test_a_stacks_endpoints_are_refused_in_another_vpcs_subnets() -> None:
    network = {"vpcId": "vpc-other", "egress": "endpoints", "subnetIds": ["s-1", "s-2"]}
    with pytest.raises(SettingsError, match=f"got s-1, which is in {VPC}; fix it"):
        planned("dev", network=network)


@pytest.mark.parametrize(
    ("network", "groups"),
    [
        ({"egress": "nat", "securityGroupIds": ["sg-1"]}, ["sg-1"]),
        ({"egress": "endpoints", "vpcId": VPC}, ["network-functions-id"]),
        (
            {
                "egress": "endpoints",
                "vpcId": VPC,
                "securityGroupIds": ["sg-1"],
                "databaseSecurityGroupId": "sg-2",
                "services": ["logs", "xray"],
            },
            ["sg-1", "network-functions-id"],
        ),
    ],
)
def test_a_stacks_functions_get_subnets_and_groups_and_nothing_else(
    network: dict[str, object], groups: list[str]
) -> None:
    subnets = ["subnet-1", "subnet-2"]
    engine = planned("dev", network={**network, "subnetIds": subnets})
    reader = next(e for e in engine.registrations if e.name == "reader-function")
    assert reader.inputs["vpcConfig"] == {"subnetIds": subnets, "securityGroupIds": groups}


def test_subnets_with_a_way_of_their_own_may_share_a_zone() -> None:
    given = {"securityGroupIds": ["sg-1"], "egress": "nat", "subnetIds": ["s-1", "t-1"]}
    planned("dev", network=given)


def test_a_strict_stacks_functions_are_refused_in_one_zone_with_a_way_of_their_own() -> None:
    given = {"securityGroupIds": ["sg-1"], "egress": "nat", "subnetIds": ["s-1", "t-1"]}
    with pytest.raises(SettingsError) as raised:
        planned("prod", network=given, replicaRegions=["us-west-2"])
    (fault,) = raised.value.errors
    assert fault.startswith(
        f"{PROJECT}:network.subnetIds must be in at least 2 availability zones"
    )
