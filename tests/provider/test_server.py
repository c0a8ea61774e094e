"""The provider as Pulumi's engine talks to it: gRPC, on the embedded AWS.

What the engine makes of the answers is tests/engine's to prove.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.aws import EmbeddedAws
from local.provider.provider import Created, HalfMadeError, Provider
from local.provider.server import Servicer, served
from tests.provider.specimen import REGION, World
from tests.provider.specimens.kms import policy

KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
FUNCTION = "aws:lambda/function:Function"
RULE = "aws:cloudwatch/eventRule:EventRule"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"

# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
UNKNOWN_BOOL = "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"
UNKNOWN_NUMBER = "3eeb2bf0-c639-47a8-9e75-3b44932eb421"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Properties = dict[str, Any]


def secret(value: object) -> Properties:
    return {SIGNATURE: SECRET, "value": value}


def archive(hash_: str, **content: object) -> Properties:
    return {SIGNATURE: ARCHIVE, "hash": hash_, **content}


def struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    written = struct_pb2.Struct()
    written.update(properties)
    return written


def read(properties: struct_pb2.Struct) -> Properties:
    found: Properties = json_format.MessageToDict(properties)
    return found


def urn(type_: str, name: str = "name") -> str:
    return f"urn:pulumi:stack::project::parent:index:Component${type_}::{name}"


@dataclass
class Engine:
    """What the engine asks, without what it makes of the answers."""

    stub: Any
    created: list[Created] = field(default_factory=list)

    def check(
        self, type_: str, news: Properties, olds: Properties | None = None, seed: bytes = b"seed"
    ) -> tuple[Properties, dict[str, str]]:
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(type_), news=struct(news), olds=struct(olds or {}), randomSeed=seed
            )
        )
        return read(answer.inputs), {each.property: each.reason for each in answer.failures}

    def diff(self, type_: str, olds: Properties, news: Properties, *ignored: str) -> Any:
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=urn(type_), olds=struct(olds), news=struct(news), ignoreChanges=ignored
            )
        )

    def create(
        self, type_: str, given: Properties, *, preview: bool = False
    ) -> tuple[str, Properties, Properties]:
        """Check and create; return id, inputs and outputs."""
        inputs, failures = self.check(type_, given)
        assert failures == {}
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=urn(type_), properties=struct(inputs), preview=preview)
        )
        return answer.id, inputs, read(answer.properties)

    def update(
        self, type_: str, id_: str, olds: Properties, news: Properties, *, preview: bool = False
    ) -> Properties:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                urn=urn(type_), id=id_, olds=struct(olds), news=struct(news), preview=preview
            )
        )
        return read(answer.properties)

    def read(
        self, type_: str, id_: str, outputs: Properties, inputs: Properties
    ) -> tuple[str, Properties, Properties]:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                urn=urn(type_), id=id_, properties=struct(outputs), inputs=struct(inputs)
            )
        )
        return answer.id, read(answer.inputs), read(answer.properties)

    def delete(self, type_: str, id_: str, outputs: Properties) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(urn=urn(type_), id=id_, properties=struct(outputs))
        )

    def configure(self, **config: object) -> Any:
        return self.stub.Configure(provider_pb2.ConfigureRequest(args=struct(config)))


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as started:
        yield started


@pytest.fixture
def engine(aws: EmbeddedAws) -> Iterator[Engine]:
    created: list[Created] = []
    with served(aws, REGION, created.append) as port, _stub(port) as stub:
        yield Engine(stub, created)


@contextmanager
def _stub(port: int) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)


@pytest.fixture
def world(aws: EmbeddedAws) -> Iterator[World]:
    made = World(aws)
    yield made
    made.close()


@pytest.fixture
def kms(world: World) -> Any:
    return world.client("kms")


# Check


def test_the_checked_inputs_have_defaults_and_say_which(engine: Engine) -> None:
    inputs, failures = engine.check(KEY, {"description": "text", "isEnabled": False})
    assert failures == {}
    assert inputs["isEnabled"] is False
    assert inputs["keyUsage"] == "ENCRYPT_DECRYPT"
    assert set(inputs["__defaults"]) == {
        "bypassPolicyLockoutSafetyCheck",
        "customerMasterKeySpec",
        "keyUsage",
    }


def test_what_is_unknown_passes_and_stays_unknown(engine: Engine) -> None:
    given = {
        "policy": UNKNOWN,
        "isEnabled": UNKNOWN_BOOL,
        "deletionWindowInDays": UNKNOWN_NUMBER,
        "description": {SIGNATURE: OUTPUT, "dependencies": []},
        "tags": {"A": {SIGNATURE: SECRET, "value": UNKNOWN}, "B": "b"},
    }
    inputs, failures = engine.check(KEY, given)
    assert failures == {}
    assert {key: inputs[key] for key in given} == {
        "policy": UNKNOWN,
        "isEnabled": UNKNOWN,
        "deletionWindowInDays": UNKNOWN,
        "description": UNKNOWN,
        "tags": {"A": UNKNOWN, "B": "b"},
    }
    wrong = {"deletionWindowInDays": 5}
    assert engine.check(KEY, given | wrong)[1].keys() == wrong.keys()


def test_a_secret_or_an_output_is_checked_as_the_value_that_it_is(engine: Engine) -> None:
    output = {SIGNATURE: OUTPUT, "value": 5, "secret": True}
    inputs, failures = engine.check(KEY, {"description": secret("text"), "policy": secret("no")})
    assert inputs["description"] == "text"
    assert failures == {"policy": "must be JSON"}
    failures = engine.check(KEY, {"deletionWindowInDays": output})[1]
    assert failures == {"deletionWindowInDays": "must be 7 to 30, got 5"}


def test_every_refusal_is_told_with_its_path(engine: Engine) -> None:
    inputs, failures = engine.check(
        ALIAS, {"name": "alias/aws/mine", "target": "key", "targetKeyId": None}
    )
    assert failures.keys() == {"name", "target", "targetKeyId"}
    assert failures["targetKeyId"] == "is required"
    assert inputs["name"] == "alias/aws/mine"


def test_an_automatic_name_is_that_of_its_seed_until_the_resource_is_replaced(
    engine: Engine,
) -> None:
    given = {"targetKeyId": "key"}
    inputs, _ = engine.check(ALIAS, given, seed=bytes.fromhex("0123456789abcdef"))
    assert inputs["name"] == "alias/name-0123456"
    assert inputs["__defaults"] == ["name"]

    other = bytes.fromhex("fedcba9876543210")
    assert engine.check(ALIAS, given, inputs, seed=other)[0] == inputs
    assert engine.check(ALIAS, given, seed=other)[0]["name"] == "alias/name-fedcba9"
    named = given | {"name": "alias/mine"}
    inputs, _ = engine.check(ALIAS, named, inputs, seed=other)
    assert (inputs["name"], inputs["__defaults"]) == ("alias/mine", [])
    inputs, _ = engine.check(ALIAS, given, inputs, seed=other)
    assert inputs["name"] == "alias/name-fedcba9"


def test_without_a_seed_an_automatic_name_is_random(engine: Engine) -> None:
    names = {engine.check(ALIAS, {"targetKeyId": "key"}, seed=b"")[0]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(len(name) == len("alias/name-0123456") for name in names)


# Diff


def test_a_diff_names_what_changes_and_what_replaces(engine: Engine) -> None:
    olds, _ = engine.check(KEY, {"description": "a", "tags": {"A": "1"}})
    olds["tagsAll"] = olds["tags"]
    same = engine.diff(KEY, olds, olds)
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert list(same.diffs) == []

    news, _ = engine.check(KEY, {"description": "b", "multiRegion": True}, olds)
    found = engine.diff(KEY, olds, news)
    assert found.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(found.diffs) == ["description", "multiRegion", "tags"]
    assert list(found.replaces) == ["multiRegion"]
    assert not found.deleteBeforeReplace


def test_what_is_unknown_differs(engine: Engine) -> None:
    olds, _ = engine.check(KEY, {"description": "a"})
    assert list(engine.diff(KEY, olds, olds | {"description": UNKNOWN}).diffs) == ["description"]
    assert list(engine.diff(KEY, olds, olds | {"multiRegion": UNKNOWN_BOOL}).replaces) == [
        "multiRegion"
    ]


def test_ignored_changes_are_no_difference(engine: Engine) -> None:
    olds, _ = engine.check(KEY, {"description": "a"})
    news = olds | {"description": "b", "multiRegion": True, "tags": {"A": "1"}}
    found = engine.diff(KEY, olds, news, "description", "multiRegion", 'tags["A"]')
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE
    found = engine.diff(KEY, olds, news, "multiRegion", "tags.A")
    assert (list(found.diffs), list(found.replaces)) == (["description"], [])


def test_the_old_one_goes_first_if_the_new_one_has_its_name(engine: Engine) -> None:
    automatic, _ = engine.check(ALIAS, {"targetKeyId": "key"})
    named, _ = engine.check(ALIAS, {"targetKeyId": "key", "name": "alias/mine"})
    for inputs, first in ((automatic, False), (named, True)):
        olds = inputs | {"region": REGION}
        found = engine.diff(ALIAS, olds, inputs | {"region": "eu-west-1"})
        assert (list(found.replaces), found.deleteBeforeReplace) == (["region"], first)


def test_archives_are_compared_by_their_hashes(engine: Engine) -> None:
    olds = {"code": archive("one"), "handler": "app.handler"}
    asset = {"app.py": {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "a", "text": "1"}}
    same = engine.diff(FUNCTION, olds, olds | {"code": archive("one", assets=asset)})
    assert "code" not in same.diffs
    other = engine.diff(FUNCTION, olds, olds | {"code": archive("two", assets=asset)})
    assert "code" in other.diffs
    assert list(other.replaces) == []


# Create and Update


def test_a_preview_knows_what_is_given_and_makes_nothing(engine: Engine, kms: Any) -> None:
    engine.configure(defaultTags={"tags": {"Default": "1"}})
    before = len(kms.list_keys()["Keys"])
    id_, _, outputs = engine.create(
        KEY, {"description": UNKNOWN, "tags": {"A": "1"}}, preview=True
    )
    assert id_ == ""
    for key in ("arn", "keyId", "policy", "multiRegion", "rotationPeriodInDays", "description"):
        assert outputs[key] == UNKNOWN, key
    assert outputs["keyUsage"] == "ENCRYPT_DECRYPT"
    assert outputs["region"] == REGION
    assert outputs["tagsAll"] == {"A": "1", "Default": "1"}
    assert len(kms.list_keys()["Keys"]) == before
    assert engine.created == []


def test_a_preview_does_not_know_tags_that_are_unknown(engine: Engine) -> None:
    engine.configure(defaultTags={"tags": {"Default": "1"}})
    _, inputs, outputs = engine.create(KEY, {"tags": UNKNOWN}, preview=True)
    assert outputs["tags"] == outputs["tagsAll"] == UNKNOWN
    assert list(engine.diff(KEY, inputs | {"tags": {}}, inputs).diffs) == ["tags"]
    assert engine.update(KEY, "id", {}, inputs, preview=True)["tagsAll"] == UNKNOWN


def test_what_is_created_is_told(engine: Engine, kms: Any, world: World) -> None:
    given = {"description": "text", "policy": policy(world), "tags": {"A": "1"}}
    id_, inputs, outputs = engine.create(KEY, given)
    described = kms.describe_key(KeyId=id_)["KeyMetadata"]
    assert (outputs["keyId"], outputs["arn"]) == (id_, described["Arn"])
    assert described["Description"] == "text"
    assert outputs["policy"] == given["policy"]
    assert "__defaults" not in outputs
    assert list(engine.diff(KEY, outputs, inputs).diffs) == []
    [created] = engine.created
    assert (created.type, created.name, created.id) == (KEY, "name", id_)


def test_an_update_changes_what_differs(engine: Engine, kms: Any) -> None:
    id_, _, outputs = engine.create(KEY, {"description": "a", "tags": {"A": "1", "B": "2"}})
    news, _ = engine.check(KEY, {"tags": {"B": "3", "C": "4"}, "isEnabled": False})
    updated = engine.update(KEY, id_, outputs, news)
    assert updated["tags"] == updated["tagsAll"] == {"B": "3", "C": "4"}
    assert updated["arn"] == outputs["arn"]
    assert not kms.describe_key(KeyId=id_)["KeyMetadata"]["Enabled"]
    tags = kms.list_resource_tags(KeyId=id_)["Tags"]
    assert {each["TagKey"]: each["TagValue"] for each in tags} == {"B": "3", "C": "4"}


def test_the_preview_of_an_update_changes_nothing_and_does_not_know_what_it_changes(
    engine: Engine, world: World
) -> None:
    id_, inputs, outputs = engine.create(RULE, {"scheduleExpression": "rate(1 day)"})
    try:
        news = inputs | {"state": "DISABLED", "description": UNKNOWN}
        updated = engine.update(RULE, id_, outputs, news, preview=True)
        assert updated["isEnabled"] == UNKNOWN
        assert updated["description"] == UNKNOWN
        assert (updated["state"], updated["arn"]) == ("DISABLED", outputs["arn"])
        assert world.client("events").describe_rule(Name=id_)["State"] == "ENABLED"
        updated = engine.update(RULE, id_, outputs, inputs | {"description": "b"}, preview=True)
        assert updated["isEnabled"] is True
    finally:
        engine.delete(RULE, id_, outputs)


def test_a_sensitive_value_is_a_secret_wherever_it_is_told(engine: Engine, world: World) -> None:
    name = world.make("aws:secretsmanager/secret:Secret", "sensitive", recoveryWindowInDays=0)
    given = {"secretId": name["id"], "secretString": "canary"}
    _, _, planned = engine.create(VERSION, given, preview=True)
    id_, inputs, outputs = engine.create(VERSION, given)
    _, read_inputs, refreshed = engine.read(VERSION, id_, outputs, inputs)
    updated = engine.update(VERSION, id_, outputs, inputs | {"versionStages": ["AWSCURRENT"]})
    found_id, imported_inputs, imported = engine.read(
        VERSION, f"{name['id']}|{outputs['versionId']}", {}, {}
    )
    assert found_id == id_
    for told in (planned, outputs, read_inputs, refreshed, updated, imported_inputs, imported):
        assert told["secretString"] == secret("canary")
        assert json.dumps(told).count("canary") == 1


# Errors


def test_a_resource_that_is_half_made_is_told_with_the_error(engine: Engine, kms: Any) -> None:
    given = {
        "customerMasterKeySpec": "RSA_2048",
        "keyUsage": "SIGN_VERIFY",
        "enableKeyRotation": True,
    }
    with pytest.raises(grpc.RpcError, match="UnsupportedOperationException") as refused:
        engine.create(KEY, given)
    half = _half_made(refused.value)
    assert kms.describe_key(KeyId=half.id)["KeyMetadata"]["KeySpec"] == "RSA_2048"
    outputs = read(half.properties)
    assert outputs["keyId"] == half.id
    [reason] = half.reasons
    assert reason.startswith(f"name ({KEY}): ")
    assert "UnsupportedOperationException" in reason

    # What is missing differs, so that the next `up` tries it again.
    inputs, _ = engine.check(KEY, given)
    assert list(engine.diff(KEY, outputs, inputs).diffs) == ["enableKeyRotation"]


def test_a_sensitive_value_is_a_secret_in_what_is_half_made() -> None:
    provider = Mock(Provider)
    state = {"secretString": "canary", "versionId": None}
    provider.create.side_effect = HalfMadeError("why", "id", state)
    provider.sensitive.return_value = frozenset({"secretString"})
    context = Mock(**{"abort.side_effect": RuntimeError})
    request = provider_pb2.CreateRequest(urn=urn(VERSION), properties=struct({}))
    with pytest.raises(RuntimeError):
        Servicer(provider).Create(request, context)
    [[[(_, details)]]] = [call.args for call in context.set_trailing_metadata.mock_calls]
    assert read(_unpacked(details).properties) == {"secretString": secret("canary")}


def _half_made(error: Any) -> Any:
    [details] = [
        each.value for each in error.trailing_metadata() if each.key == "grpc-status-details-bin"
    ]
    return _unpacked(details)


def _unpacked(details: bytes) -> Any:
    status = status_pb2.Status.FromString(details)
    [detail] = status.details
    half = provider_pb2.ErrorResourceInitFailed()
    assert detail.Unpack(half)
    assert status.code == grpc.StatusCode.UNKNOWN.value[0]
    return half


def test_what_aws_refuses_is_told_as_text(engine: Engine, world: World) -> None:
    key = world.make(KEY, "a-key")["id"]
    given = {"name": "alias/taken", "targetKeyId": key}
    id_, inputs, outputs = engine.create(ALIAS, given)
    try:
        with pytest.raises(grpc.RpcError) as refused:
            engine.create(ALIAS, given)
        text = _text(refused)
        assert text.startswith(f"name ({ALIAS}): ")
        assert "AlreadyExistsException" in text
        assert not any("bin" in each.key for each in refused.value.trailing_metadata())
        with pytest.raises(grpc.RpcError) as refused:
            engine.update(ALIAS, id_, outputs, inputs | {"targetKeyId": "no-key"})
        assert "NotFoundException" in _text(refused)
    finally:
        engine.delete(ALIAS, id_, outputs)
    with pytest.raises(grpc.RpcError) as refused:
        engine.update(KEY, "no-key", {"description": "a"}, {"description": "b"})
    assert "NotFoundException" in _text(refused)


def test_a_type_that_nobody_has_written_is_told_as_text(engine: Engine) -> None:
    type_ = "aws:dynamodb/table:Table"
    for ask in (
        lambda: engine.check(type_, {}),
        lambda: engine.diff(type_, {}, {}),
        lambda: engine.read(type_, "id", {"a": "b"}, {}),
        lambda: engine.update(type_, "id", {}, {}),
        lambda: engine.delete(type_, "id", {}),
        lambda: engine.stub.Create(provider_pb2.CreateRequest(urn=urn(type_))),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            ask()
        assert f"does not support {type_}" in _text(refused)


def _text(refused: Any) -> str:
    assert refused.value.code() == grpc.StatusCode.UNKNOWN
    return str(refused.value.details())


# Read and Delete


def test_a_refresh_reads_what_was_changed_by_hand(engine: Engine, kms: Any) -> None:
    id_, inputs, outputs = engine.create(KEY, {"description": "a", "tags": {"A": "1"}})
    kms.update_key_description(KeyId=id_, Description="by hand")
    kms.tag_resource(KeyId=id_, Tags=[{"TagKey": "B", "TagValue": "2"}])
    read_id, read_inputs, read_outputs = engine.read(KEY, id_, outputs, inputs)
    assert read_id == id_
    assert read_inputs["description"] == read_outputs["description"] == "by hand"
    assert read_inputs["tags"] == read_outputs["tagsAll"] == {"A": "1", "B": "2"}
    assert read_inputs["keyUsage"] == "ENCRYPT_DECRYPT"
    assert list(engine.diff(KEY, read_outputs, inputs).diffs) == ["description", "tags"]


def test_a_refresh_keeps_the_text_of_a_policy_that_means_the_same(
    engine: Engine, kms: Any, world: World
) -> None:
    text = policy(world)
    id_, inputs, outputs = engine.create(KEY, {"policy": text})
    kms.put_key_policy(
        KeyId=id_, PolicyName="default", Policy=text.replace('"kms:*"', '["kms:*"]')
    )
    _, read_inputs, read_outputs = engine.read(KEY, id_, outputs, inputs)
    assert read_inputs["policy"] == read_outputs["policy"] == text
    kms.put_key_policy(KeyId=id_, PolicyName="default", Policy=policy(world, "Another"))
    assert engine.read(KEY, id_, outputs, inputs)[2]["policy"] != text


def test_what_is_gone_has_no_id_and_can_be_deleted_again(engine: Engine, kms: Any) -> None:
    id_, inputs, outputs = engine.create(KEY, {"deletionWindowInDays": 7})
    engine.delete(KEY, id_, outputs)
    assert kms.describe_key(KeyId=id_)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert engine.read(KEY, id_, outputs, inputs) == ("", {}, {})
    engine.delete(KEY, id_, outputs)


def test_an_import_tells_inputs_that_make_no_difference(engine: Engine, kms: Any) -> None:
    engine.configure(defaultTags={"tags": {"Default": "1"}})
    tags = [{"TagKey": "A", "TagValue": "1"}, {"TagKey": "Default", "TagValue": "1"}]
    made = kms.create_key(Description="by hand", Tags=tags)["KeyMetadata"]
    id_, inputs, outputs = engine.read(KEY, made["KeyId"], {}, {})
    assert (id_, outputs["arn"]) == (made["KeyId"], made["Arn"])
    assert inputs["tags"] == {"A": "1"}
    assert outputs["description"] == "by hand"
    assert inputs.keys() < outputs.keys() - {"arn", "keyId", "tagsAll"}
    assert outputs["tagsAll"] == {"A": "1", "Default": "1"}
    checked, failures = engine.check(KEY, inputs)
    assert failures == {}
    assert list(engine.diff(KEY, outputs, checked).diffs) == []


def test_what_is_not_there_is_not_imported(engine: Engine) -> None:
    assert engine.read(ALIAS, "alias/nobody", {}, {}) == ("", {}, {})


# Config


@pytest.mark.parametrize("as_json", [False, True])
def test_default_tags_are_those_of_the_config(engine: Engine, *, as_json: bool) -> None:
    config: Any = {"tags": {"Default": "1", "A": "default"}}
    answer = engine.configure(defaultTags=json.dumps(config) if as_json else config)
    assert answer.supportsPreview
    assert not answer.acceptSecrets
    id_, inputs, outputs = engine.create(KEY, {"tags": {"A": "own"}})
    assert outputs["tags"] == {"A": "own"}
    assert outputs["tagsAll"] == {"Default": "1", "A": "own"}
    assert list(engine.diff(KEY, outputs, inputs).diffs) == []
    engine.configure()
    assert list(engine.diff(KEY, outputs, inputs).diffs) == ["tags"]
    assert engine.update(KEY, id_, outputs, inputs)["tagsAll"] == {"A": "own"}


def test_the_region_is_that_of_the_config_unless_the_resource_has_its_own(
    engine: Engine,
) -> None:
    engine.configure(region="eu-west-1")
    assert engine.create(KEY, {})[2]["arn"].startswith("arn:aws:kms:eu-west-1:")
    outputs = engine.create(KEY, {"region": "us-west-2"})[2]
    assert outputs["arn"].startswith("arn:aws:kms:us-west-2:")
    assert outputs["region"] == "us-west-2"


def test_config_is_taken_as_it_is_and_replaces_nothing(engine: Engine) -> None:
    request = provider_pb2.CheckRequest(news=struct({"region": REGION}))
    assert read(engine.stub.CheckConfig(request).inputs) == {"region": REGION}

    def diff(**news: str) -> Any:
        olds = struct({"region": REGION, "profile": "p"})
        request = provider_pb2.DiffRequest(olds=olds, news=struct(news))
        return engine.stub.DiffConfig(request)

    same = diff(region=REGION, profile="p")
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE
    # Otherwise the engine configures the provider with the region of the previous deployment.
    changed = diff(region="eu-west-1")
    assert changed.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert (list(changed.diffs), list(changed.replaces)) == (["profile", "region"], [])


# The rest


def test_a_function_is_answered_or_refused(engine: Engine, world: World) -> None:
    token = "aws:index/getCallerIdentity:getCallerIdentity"
    answer = engine.stub.Invoke(provider_pb2.InvokeRequest(tok=token))
    assert read(getattr(answer, "return"))["accountId"] == world.account_id
    with pytest.raises(
        grpc.RpcError, match="does not support the function aws:index/getRegions:getRegions"
    ):
        engine.stub.Invoke(provider_pb2.InvokeRequest(tok="aws:index/getRegions:getRegions"))


def test_the_plugin_is_of_the_version_of_the_sdk(engine: Engine) -> None:
    version = engine.stub.GetPluginInfo(empty_pb2.Empty()).version
    schema = json.loads(engine.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert schema == {"name": "aws", "version": version}
    assert int(version.split(".")[0]) >= 7
    for call, asked in (
        (engine.stub.Cancel, empty_pb2.Empty()),
        (engine.stub.Attach, plugin_pb2.PluginAttach(address="127.0.0.1:1")),
        (engine.stub.Handshake, provider_pb2.ProviderHandshakeRequest()),
    ):
        assert call(asked).ByteSize() == 0
