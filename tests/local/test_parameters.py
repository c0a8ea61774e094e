"""Parameters in the embedded AWS: made, seeded and read as granted, and no further."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

from infra import own_files
from infra.aws.location import Location
from infra.components.encryption_key import EncryptionKey
from infra.components.parameter_store import ParameterStore
from infra.components.reader_role import ReaderRole
from infra.components.secret_seeder import SecretSeeder
from infra.packaging import client
from local.aws import EmbeddedAws
from local.config import project
from local.engines.built_in import BuiltInEngine
from local.provider.provider import Provider
from tests.recording import PROJECT, ROOT

REGION = "us-east-1"
PREFIX = f"/{PROJECT}/test/"
RULES = {"length": 40, "excludePunctuation": True}
CANARY = "s3cr3t-canary"
TAGS = {"Environment": "test"}
# Reads with the client that is shipped, by the SDK: there is no extension here.
READER = """
from secret_client import SecretClient, SecretError

def handler(event, context):
    outcomes = {}
    for name in event:
        try:
            outcomes[name] = SecretClient().get_parameter(name).text
        except SecretError as error:
            outcomes[name] = type(error).__name__
    return outcomes
"""


@dataclass
class Deployed:
    aws: EmbeddedAws
    engine: BuiltInEngine

    def client(self, service: str) -> Any:
        return self.aws.client(service, REGION)

    def output(self, key: str) -> Any:
        return self.engine.outputs[key]

    def value(self, name: str) -> str:
        """Read a parameter as the administrator."""
        read = self.client("ssm").get_parameter(Name=PREFIX + name, WithDecryption=True)
        return str(read["Parameter"]["Value"])

    def seed(self, generate: dict[str, Any] | None = None, **event: Any) -> dict[str, Any]:
        """Call the seeder as a deployment does, with changes to what it makes."""
        (made,) = [
            each.inputs
            for each in self.engine.registrations
            if each.name == "seeder-parameters/api/token"
        ]
        asked = json.loads(made["input"])
        asked["Parameter"] |= event
        asked["Generate"] |= generate or {}
        answer = self.client("lambda").invoke(
            FunctionName=made["functionName"], Payload=json.dumps(asked)
        )
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        return result

    def read(self, *names: str, role: str = "") -> dict[str, str]:
        """Read in a function of the reader's role, or of another."""
        functions, content = self.client("lambda"), io.BytesIO()
        with zipfile.ZipFile(content, "w") as packed:
            packed.writestr("app.py", READER)
            for name, path in client.files(ROOT / "handler").items():
                packed.write(path, name)
        functions.create_function(
            FunctionName="parameter-probe",
            Role=role or self.output("role"),
            Runtime="python3.13",
            Handler="app.handler",
            Code={"ZipFile": content.getvalue()},
            Timeout=60,
        )
        functions.get_waiter("function_active_v2").wait(
            FunctionName="parameter-probe", WaiterConfig={"Delay": 0.02}
        )
        try:
            answer = functions.invoke(
                FunctionName="parameter-probe",
                Payload=json.dumps([PREFIX + name for name in names]),
            )
            outcomes: dict[str, str] = json.loads(answer["Payload"].read())
        finally:
            functions.delete_function(FunctionName="parameter-probe")
        assert "FunctionError" not in answer, outcomes
        return {name: outcomes[PREFIX + name] for name in names}


def program() -> None:
    """Wire an environment of parameters alone."""
    place = Location("aws", REGION, EmbeddedAws.account_id)
    shared = {"partition": place.partition, "region": REGION, "account_id": place.account_id}
    key = EncryptionKey(
        "environment",
        {
            **shared,  # type: ignore[typeddict-item] # a dict knows no keys
            "description": "test",
            "alias": f"{PROJECT}/test",
            "log_group_prefix": "/aws/lambda/test-",
            "parameters": True,
        },
    )
    store = ParameterStore(
        "parameters",
        {
            **shared,  # type: ignore[typeddict-item] # a dict knows no keys
            "key_arn": key.arn,
            "tags": TAGS,
            "parameters": {
                "log-level": {
                    "name": f"{PREFIX}log-level",
                    "type": "String",
                    "value": "info",
                    "description": "What is logged",
                },
                "features": {
                    "name": f"{PREFIX}features",
                    "type": "StringList",
                    "value": "a,b",
                },
                "license": {
                    "name": f"{PREFIX}license",
                    "type": "SecureString",
                    "value": pulumi.Output.secret(CANARY),
                    "tier": "Advanced",
                },
                "api/token": {"name": f"{PREFIX}api/token", "type": "SecureString"},
                "partner": {"name": f"{PREFIX}partner", "type": "SecureString"},
            },
        },
    )
    seeder = SecretSeeder(
        "seeder",
        {
            "seeds": {},
            "parameters": {
                "api/token": {
                    "name": f"{PREFIX}api/token",
                    "arn": f"arn:aws:ssm:{REGION}:{place.account_id}:parameter{PREFIX}api/token",
                    "generate": RULES,
                    "description": "Signs calls",
                }
            },
            "key_arn": key.arn,
            "log_group_name": "/aws/lambda/test-seeder",
            "files": own_files.SEEDER,
            "handler": "seed.lambda_handler",
            "tags": TAGS,
        },
    )

    def granted(secure: bool, arns: pulumi.Output[dict[str, str]]) -> Any:  # noqa: FBT001 (a test's own)
        wanted = {"api/token", "license", "partner"} if secure else {"log-level", "features"}
        return {PREFIX + name: arns[PREFIX + name] for name in wanted}

    role = ReaderRole(
        "reader",
        {
            "secret_arns": {},
            "key_arn": key.arn,
            "parameter_arns": granted(False, store.arns),  # noqa: FBT003 (a test's own)
            "secure_parameter_arns": granted(True, store.secure_arns),  # noqa: FBT003 (a test's own)
            "log_group_arn": place.log_group_arn("/aws/lambda/test-reader"),
        },
    )
    pulumi.export("role", role.arn)
    pulumi.export("key", key.arn)
    pulumi.export("versions", seeder.versions)
    pulumi.export("arns", store.arns)
    pulumi.export("secure_arns", store.secure_arns)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with EmbeddedAws() as aws:
        engine = BuiltInEngine(Provider(aws, REGION))
        engine.run(project.Stack(ROOT, PROJECT, "test", {}, (), ()), program)
        aws.client("ssm", REGION).put_parameter(
            Name=f"{PREFIX}other", Value="x", Type="SecureString", KeyId=engine.outputs["key"]
        )
        yield Deployed(aws, engine)


def test_the_handlers_client_reads_each_kind(deployed: Deployed) -> None:
    read = deployed.read("log-level", "features", "license", "api/token")
    assert read.pop("api/token") == deployed.value("api/token")
    assert read == {"log-level": "info", "features": "a,b", "license": CANARY}


def test_the_reader_is_refused_what_it_was_not_granted(deployed: Deployed) -> None:
    # It is under the same key, and in the same hierarchy.
    assert deployed.read("other") == {"other": "AccessDenied"}


def test_an_external_parameter_is_not_found_until_somebody_puts_it(deployed: Deployed) -> None:
    assert deployed.read("partner") == {"partner": "SecretNotFound"}
    ssm, name = deployed.client("ssm"), f"{PREFIX}partner"
    ssm.put_parameter(Name=name, Value="p", Type="SecureString", KeyId=deployed.output("key"))
    try:
        assert deployed.read("partner") == {"partner": "p"}
    finally:
        ssm.delete_parameter(Name=name)


def test_a_generated_parameter_keeps_to_its_rules_and_tells_what_it_is(deployed: Deployed) -> None:
    value = deployed.value("api/token")
    assert len(value) == 40
    assert value.isalnum()
    ssm = deployed.client("ssm")
    (described,) = ssm.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": [f"{PREFIX}api/token"]}]
    )["Parameters"]
    assert described["KeyId"] == deployed.output("key")
    assert described["Description"] == "Signs calls"
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=f"{PREFIX}api/token")
    assert tags["TagList"] == [{"Key": "Environment", "Value": "test"}]


def test_a_generated_value_is_nowhere_in_what_pulumi_knows(deployed: Deployed) -> None:
    state = deployed.engine.state()
    assert deployed.value("api/token") not in state
    assert CANARY not in state
    assert "info" in state


def test_seeding_again_keeps_the_value(deployed: Deployed) -> None:
    before = deployed.value("api/token")
    assert deployed.output("versions") == {"parameters/api/token": "1"}
    assert deployed.seed() == {"VersionId": "1", "Generated": [], "Updated": []}
    assert deployed.value("api/token") == before


@pytest.mark.parametrize("excluded", ["", "xyz{"])
def test_a_generated_value_does_not_name_another_parameter(
    deployed: Deployed, excluded: str
) -> None:
    """Of 4,096 characters two braces would be next to each other in every third value."""
    ssm, name = deployed.client("ssm"), PREFIX + "api/token"
    ssm.delete_parameter(Name=name)
    rules = {"length": 4096, "excludePunctuation": False, "excludeCharacters": excluded}
    try:
        assert deployed.seed(rules)["Generated"] == ["Value"]
        value = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    finally:
        ssm.delete_parameter(Name=name)
        deployed.seed()
    assert len(value) == 4096
    assert not set(value) & {"{", *excluded}
    assert "}" in value


def test_a_parameter_in_plain_of_the_same_name_is_refused_and_kept(deployed: Deployed) -> None:
    ssm, name = deployed.client("ssm"), f"{PREFIX}api/token"
    before = deployed.value("api/token")
    ssm.delete_parameter(Name=name)
    ssm.put_parameter(Name=name, Value=CANARY, Type="String")
    try:
        failed = deployed.seed()
        assert "already exists as a String" in failed["errorMessage"]
        assert CANARY not in json.dumps(failed)
        assert deployed.value("api/token") == CANARY
    finally:
        ssm.delete_parameter(Name=name)
        deployed.seed()
    assert deployed.value("api/token") not in (CANARY, before)


def test_what_an_environment_left_behind_is_told_and_kept(deployed: Deployed) -> None:
    ssm, kms, name = deployed.client("ssm"), deployed.client("kms"), f"{PREFIX}api/token"
    kms.disable_key(KeyId=deployed.output("key"))
    try:
        failed = deployed.seed()["errorMessage"]
        assert f"aws ssm delete-parameter --name {name}" in failed
        assert ssm.get_parameter(Name=name)["Parameter"]["Version"] == 1
    finally:
        kms.enable_key(KeyId=deployed.output("key"))


def test_the_seeder_may_touch_no_other_parameter(deployed: Deployed) -> None:
    (role,) = [
        each.outputs["arn"] for each in deployed.engine.registrations if each.name == "seeder-role"
    ]
    read = deployed.read("api/token", "other", "license", "log-level", role=role)
    assert read.pop("api/token") == deployed.value("api/token")
    assert set(read.values()) == {"AccessDenied"}


def test_without_the_keys_consent_to_parameter_store_nobody_decrypts(deployed: Deployed) -> None:
    kms, key = deployed.client("kms"), deployed.output("key")
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    less = [each for each in policy["Statement"] if each["Sid"] != "UseThroughParameterStore"]
    changed = json.dumps({**policy, "Statement": less})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=changed)
    try:
        assert deployed.read("license", "log-level") == {
            "license": "DecryptionFailed",
            "log-level": "info",
        }
    finally:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def test_arns_are_those_that_parameter_store_tells(deployed: Deployed) -> None:
    ssm = deployed.client("ssm")
    arns = {**deployed.output("arns"), **deployed.output("secure_arns")}
    for name in ("log-level", "license", "api/token"):
        read = ssm.get_parameter(Name=PREFIX + name)["Parameter"]
        assert arns[PREFIX + name] == read["ARN"]
