"""The private network in the embedded AWS, as EC2 tells it back.

The embedded AWS has no packets: that a group lets nothing else through, that a name leads to the
endpoint and that the endpoint keeps to its policy is EC2's to do. The policies are asked here by
the same evaluator that decides on resource policies.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest
from ministack.core import iam_evaluator

from infra.components.private_network import PrivateNetwork
from local import networks
from local.aws import EmbeddedAws
from local.config import project
from local.engines.built_in import BuiltInEngine
from local.provider.provider import Provider
from tests.recording import PROJECT, ROOT, stack

REGION = "us-east-1"
ACCOUNT = EmbeddedAws.account_id
HTTPS = 443
OTHER = "210987654321"
EXISTING = f"arn:aws:secretsmanager:{REGION}:{OTHER}:secret:shared/api-AbCdEf"


@dataclass
class Deployed:
    aws: EmbeddedAws
    engine: BuiltInEngine
    vpc: str
    subnets: list[str]
    database: str

    @property
    def ec2(self) -> Any:
        return self.aws.client("ec2", REGION)

    @property
    def endpoints(self) -> dict[str, dict[str, Any]]:
        ids = self.engine.outputs["endpoints"]
        described = self.ec2.describe_vpc_endpoints(VpcEndpointIds=list(ids.values()))
        by_id = {each["VpcEndpointId"]: each for each in described["VpcEndpoints"]}
        return {service: by_id[id_] for service, id_ in ids.items()}

    def group(self, id_: str) -> dict[str, Any]:
        (found,) = self.ec2.describe_security_groups(GroupIds=[id_])["SecurityGroups"]
        group: dict[str, Any] = found
        return group

    def allows(self, service: str, action: str, resource: str, account: str = ACCOUNT) -> bool:
        """Ask an endpoint's policy, for a role of an account."""
        context = iam_evaluator.EvalContext(
            action=action,
            resource_arn=resource,
            region=REGION,
            principal_arn=f"arn:aws:iam::{account}:role/reader",
            principal_type="AssumedRole",
            principal_account=account,
        )
        document = json.loads(self.endpoints[service]["PolicyDocument"])
        answer = iam_evaluator.evaluate_resource_policy(document, context, service=service)
        return bool(answer.decision == "Allow")


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with EmbeddedAws() as aws:
        ec2 = aws.client("ec2", REGION)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        database = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)[
            "GroupId"
        ]

        def program() -> None:
            network = PrivateNetwork(
                "network",
                {
                    "vpc_id": vpc,
                    "subnet_ids": subnets,
                    "partition": "aws",
                    "region": REGION,
                    "account_id": ACCOUNT,
                    "secret_prefix": "p/s/",
                    "existing_secret_arns": [EXISTING],
                    "parameter_prefix": "/p/s/",
                    "log_group_prefix": "/aws/lambda/p-s-",
                    "services": ["logs", "monitoring", "xray"],
                    "s3_route_table_ids": [table],
                    "database_security_group_id": database,
                    "tags": {"Environment": "test"},
                },
            )
            pulumi.export("group", network.security_group_id)
            pulumi.export("endpoints", network.endpoint_ids)

        engine = BuiltInEngine(Provider(aws, REGION))
        engine.run(project.Stack(ROOT, "p", "s", {}, (), ()), program)
        yield Deployed(aws, engine, vpc, subnets, database)


def test_interface_endpoints_take_the_services_names_in_every_subnet(deployed: Deployed) -> None:
    interfaces = {key: each for key, each in deployed.endpoints.items() if key != "s3"}
    assert interfaces.keys() == {"secretsmanager", "ssm", "logs", "monitoring", "xray"}
    for service, endpoint in interfaces.items():
        assert endpoint["VpcId"] == deployed.vpc
        assert endpoint["SubnetIds"] == deployed.subnets
        assert endpoint["PrivateDnsEnabled"] is True
        names = {each["DnsName"] for each in endpoint["DnsEntries"]}
        assert f"{service}.{REGION}.amazonaws.com" in names
        assert endpoint["Tags"] == [{"Key": "Environment", "Value": "test"}]


def test_only_functions_get_to_the_endpoints_and_functions_to_nothing_else(
    deployed: Deployed,
) -> None:
    functions = deployed.group(deployed.engine.outputs["group"])
    (endpoints_id,) = {
        group["GroupId"]
        for endpoint in deployed.endpoints.values()
        for group in endpoint.get("Groups", [])
    }
    endpoints = deployed.group(endpoints_id)
    (let_in,) = endpoints["IpPermissions"]
    assert (let_in["FromPort"], let_in["ToPort"], let_in["IpProtocol"]) == (HTTPS, HTTPS, "tcp")
    assert [each["GroupId"] for each in let_in["UserIdGroupPairs"]] == [functions["GroupId"]]
    assert not let_in["IpRanges"]
    # EC2 makes a group with a rule that lets everything out.
    assert endpoints["IpPermissionsEgress"] == []
    assert functions["IpPermissions"] == []

    ways = set()
    for rule in functions["IpPermissionsEgress"]:
        assert not rule["IpRanges"]
        assert rule["FromPort"] == rule["ToPort"]
        groups = [each["GroupId"] for each in rule["UserIdGroupPairs"]]
        lists = [each["PrefixListId"] for each in rule["PrefixListIds"]]
        ways |= {(to, rule["ToPort"]) for to in groups + lists}
    named = [{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}]
    (s3,) = deployed.ec2.describe_prefix_lists(Filters=named)["PrefixLists"]
    assert ways == {
        (endpoints_id, HTTPS),
        (deployed.database, 5432),
        (s3["PrefixListId"], HTTPS),
    }


def test_s3_has_a_gateway_in_the_given_route_table(deployed: Deployed) -> None:
    s3 = deployed.endpoints["s3"]
    assert s3["VpcEndpointType"] == "Gateway"
    assert len(s3["RouteTableIds"]) == 1


@pytest.mark.parametrize(
    ("service", "action", "own", "other"),
    [
        (
            "secretsmanager",
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:p/s/database-AbCdEf",
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:p/prod/database-AbCdEf",
        ),
        (
            "ssm",
            "ssm:GetParameter",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/p/s/level",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/p/prod/level",
        ),
        (
            "logs",
            "logs:PutLogEvents",
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/p-s-reader:log-stream:a",
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/p-prod-reader:log-stream:a",
        ),
    ],
)
def test_an_endpoint_lets_its_own_account_to_this_environment_only(
    deployed: Deployed, service: str, action: str, own: str, other: str
) -> None:
    assert deployed.allows(service, action, own)
    assert not deployed.allows(service, action, other)
    assert not deployed.allows(service, action, own, account="210987654321")
    assert not deployed.allows(service, f"{service}:DeleteResourcePolicy", own)


def test_the_endpoint_lets_an_existing_secret_of_another_account_be_read_and_not_changed(
    deployed: Deployed,
) -> None:
    read = "secretsmanager:GetSecretValue"
    assert deployed.allows("secretsmanager", read, EXISTING)
    assert not deployed.allows("secretsmanager", read, EXISTING.replace("api", "other"))
    assert not deployed.allows("secretsmanager", read, EXISTING, account=OTHER)
    assert not deployed.allows("secretsmanager", "secretsmanager:PutSecretValue", EXISTING)


def test_a_subnet_is_looked_up_with_its_vpc_and_zone(deployed: Deployed) -> None:
    answer = Provider(deployed.aws, REGION).invoke(
        "aws:ec2/getSubnet:getSubnet", {"id": deployed.subnets[1]}
    )
    assert answer == {
        "id": deployed.subnets[1],
        "vpcId": deployed.vpc,
        "availabilityZone": f"{REGION}b",
    }


def test_a_stacks_network_is_made_where_there_is_none(deployed: Deployed) -> None:
    given = {
        "subnetIds": ["subnet-1", "subnet-2"],
        "vpcId": "vpc-1",
        "egress": "endpoints",
        "securityGroupIds": ["sg-1"],
        "databaseSecurityGroupId": "sg-2",
        "s3RouteTableIds": ["rtb-1"],
    }
    moved = networks.with_local_vpc(stack("dev", network=given), deployed.aws)
    network = json.loads(moved.config[f"{PROJECT}:network"])

    assert network.keys() == given.keys()
    assert network["egress"] == "endpoints"
    found = deployed.ec2.describe_subnets(SubnetIds=network["subnetIds"])["Subnets"]
    assert {each["VpcId"] for each in found} == {network["vpcId"]}
    assert len({each["AvailabilityZone"] for each in found}) == 2
    (group,) = network["securityGroupIds"]
    for each in (group, network["databaseSecurityGroupId"]):
        assert deployed.group(each)["VpcId"] == network["vpcId"]
    outside = stack("dev")
    assert networks.with_local_vpc(outside, deployed.aws) is outside
