"""What holds for every component, found and not listed: a new one is held to it at once."""

import importlib
import json
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

import infra
from infra import own_files
from infra.components.alarm_topic import AlarmTopic
from infra.components.app_secret import AppSecret
from infra.components.audit import Audit
from infra.components.encryption_key import EncryptionKey
from infra.components.extension_function import ExtensionFunction
from infra.components.external_reader import ExternalReader
from infra.components.grouped_secret_rotation import GroupedSecretRotation
from infra.components.monitoring import Monitoring
from infra.components.parameter_store import ParameterStore
from infra.components.private_network import PrivateNetwork
from infra.components.reader_role import ReaderRole
from infra.components.rotation_group import RotationGroup
from infra.components.rotation_watch import RotationWatch
from infra.components.secret_policy import SecretPolicy
from infra.components.secret_rotation import SecretRotation
from infra.components.secret_seeder import SecretSeeder
from local.engines.built_in import Registration
from tests.recording import ROOT, made

TAGS = {"Environment": "test"}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b/c-AbCdEf"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/a/b/p"
# Types that AWS cannot tag.
UNTAGGABLE = {
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:kms/alias:Alias",
    "aws:lambda/alias:Alias",
    "aws:lambda/invocation:Invocation",
    "aws:lambda/permission:Permission",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:secretsmanager/secretRotation:SecretRotation",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
}

# One way to make each component, everything optional that adds a resource switched on.
EXAMPLES: dict[type[pulumi.ComponentResource], Callable[[], pulumi.ComponentResource]] = {
    EncryptionKey: lambda: EncryptionKey(
        "example",
        {
            "description": "a key",
            "alias": "a/b",
            "partition": "aws",
            "region": "us-east-1",
            "account_id": "123456789012",
            "log_group_prefix": "/aws/lambda/a-",
            "tags": TAGS,
        },
    ),
    AppSecret: lambda: AppSecret(
        "example",
        {
            "name": "a/b/c",
            "key_arn": KEY,
            "replicas": {"us-west-2": KEY.replace("us-east-1", "us-west-2")},
            "value": "s3cr3t-canary",
            "tags": TAGS,
        },
    ),
    ReaderRole: lambda: ReaderRole(
        "example",
        {
            "secret_arns": {"a/b/c": SECRET},
            "key_arn": KEY,
            "parameter_arns": {"/a/b/level": f"{PARAMETER}lain"},
            "secure_parameter_arns": {"/a/b/p": PARAMETER},
            "replica_key_arns": {"us-west-2": KEY.replace("us-east-1", "us-west-2")},
            "log_group_arn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/a-b",
            "tracing": True,
            "in_vpc": True,
            "tags": TAGS,
        },
    ),
    PrivateNetwork: lambda: PrivateNetwork(
        "example",
        {
            "vpc_id": "vpc-1",
            "subnet_ids": ["subnet-1", "subnet-2"],
            "partition": "aws",
            "region": "us-east-1",
            "account_id": "123456789012",
            "secret_prefix": "a/b/",
            "parameter_prefix": "/a/b/",
            "log_group_prefix": "/aws/lambda/a-b-",
            "services": ["logs", "monitoring", "xray"],
            "s3_route_table_ids": ["rtb-1"],
            "database_security_group_id": "sg-1",
            "tags": TAGS,
        },
    ),
    ParameterStore: lambda: ParameterStore(
        "example",
        {
            "parameters": {
                "level": {"name": "/a/b/level", "type": "String", "value": "info"},
                "token": {"name": "/a/b/token", "type": "SecureString", "value": "s3cr3t-canary"},
                "partner": {"name": "/a/b/partner", "type": "SecureString"},
            },
            "key_arn": KEY,
            "partition": "aws",
            "region": "us-east-1",
            "account_id": "123456789012",
            "tags": TAGS,
        },
    ),
    SecretSeeder: lambda: SecretSeeder(
        "example",
        {
            "seeds": {
                "c": {"name": "a/b/c", "arn": SECRET, "fields": {"a": 1}, "generate": {"b": {}}}
            },
            "parameters": {"p": {"name": "/a/b/p", "arn": PARAMETER, "generate": {}}},
            "key_arn": KEY,
            "log_group_name": "/aws/lambda/a-seeder",
            "files": own_files.SEEDER,
            "handler": "seed.lambda_handler",
            "tags": TAGS,
        },
    ),
    SecretPolicy: lambda: SecretPolicy(
        "example",
        {
            "secret_arn": SECRET,
            "partition": "aws",
            "account_id": "123456789012",
            "readers": ["arn:aws:iam::123456789012:role/r"],
            "writers": ["arn:aws:iam::123456789012:role/w"],
            "administrators": ["arn:aws:iam::*:role/deploy"],
            "organization_id": "o-0123456789",
        },
    ),
    RotationGroup: lambda: RotationGroup(
        "example",
        {
            "account_id": "123456789012",
            "secrets": {"c": {"name": "a/b/c", "arn": SECRET, "generate": {"key": {}}}},
            "key_arn": KEY,
            "log_group_name": "/aws/lambda/a-c-rotation-group",
            "files": {"rotation.py": ROOT / "handler" / "rotation.py"},
            "handler": "rotation.lambda_handler",
            "strategy": "random",
            "vpc_config": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
            "tags": TAGS,
        },
    ),
    GroupedSecretRotation: lambda: GroupedSecretRotation(
        "example",
        {
            "secret_arn": SECRET,
            "function_arn": "arn:aws:lambda:us-east-1:123456789012:function:group",
        },
    ),
    SecretRotation: lambda: SecretRotation(
        "example",
        {
            "secret_arn": SECRET,
            "key_arn": KEY,
            "account_id": "123456789012",
            "log_group_name": "/aws/lambda/a-c-rotation",
            "files": {"rotation.py": ROOT / "handler" / "rotation.py"},
            "handler": "rotation.lambda_handler",
            "strategy": "alternatingUsers",
            "generate": {"password": {}},
            "admin_secret_arn": SECRET,
            "vpc_config": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
            "tags": TAGS,
        },
    ),
    RotationWatch: lambda: RotationWatch(
        "example",
        {
            "secret_arns": {"a/b/c": SECRET},
            "rotating": ["a/b/c"],
            "replica_regions": ["us-west-2"],
            "key_arn": KEY,
            "account_id": "123456789012",
            "log_group_name": "/aws/lambda/a-watch",
            "file": ROOT / "handler" / "rotation_watch.py",
            "tags": TAGS,
        },
    ),
    Audit: lambda: Audit(
        "example",
        {
            "trail_name": "a-b",
            "log_group_name": "/aws/cloudtrail/a-b",
            "alias": "a/b/audit",
            "partition": "aws",
            "region": "us-east-1",
            "account_id": "123456789012",
            "tags": TAGS,
        },
    ),
    AlarmTopic: lambda: AlarmTopic(
        "example",
        {
            "alarm_prefix": "a-b-",
            "alias": "a/b/alarms",
            "partition": "aws",
            "region": "us-east-1",
            "account_id": "123456789012",
            "subscriptions": [{"protocol": "email", "endpoint": "ops@example.com"}],
            "tags": TAGS,
        },
    ),
    Monitoring: lambda: Monitoring(
        "example",
        {
            "environment": "a-b",
            "region": "us-east-1",
            "secret_prefix": "a/b/",
            "key_alias": "alias/a/b",
            "topic_arn": "arn:aws:sns:us-east-1:123456789012:alarms",
            "audit_log_group_name": "/aws/cloudtrail/a-b",
            "functions": [
                {
                    "label": "",
                    "name": "reader",
                    "log_group_name": "/aws/lambda/a-b",
                    "timeout_seconds": 30,
                    "telemetry": True,
                }
            ],
            "role_arns": ["arn:aws:iam::123456789012:role/r"],
            "key_arns": [KEY],
            "rotating": ["a/b/c"],
            "rotation_watch_name": "watch",
            "replica_watch_name": "watch",
            "tags": TAGS,
        },
    ),
    ExternalReader: lambda: ExternalReader(
        "example",
        {
            "role_arn": "arn:aws:iam::123456789012:role/apps/reporting",
            "secret_arns": {"a/b/c": SECRET},
            "key_arn": KEY,
            "tags": TAGS,
        },
    ),
    ExtensionFunction: lambda: ExtensionFunction(
        "example",
        {
            "role_arn": "arn:aws:iam::123456789012:role/r",
            "layer_arn": "arn:aws:lambda:us-east-1:177933569100:layer:L:1",
            "key_arn": KEY,
            "log_group_name": "/aws/lambda/a-b",
            "files": {"app.py": ROOT / "handler" / "app.py"},
            "handler": "app.lambda_handler",
            "tags": TAGS,
        },
    ),
}


def components() -> list[type[pulumi.ComponentResource]]:
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.walk_packages(infra.__path__, "infra.")
    ]
    return sorted(
        {
            found
            for module in modules
            for found in vars(module).values()
            if isinstance(found, type)
            and issubclass(found, pulumi.ComponentResource)
            and found.__module__ == module.__name__
        },
        key=lambda found: found.__name__,
    )


def example(component: type[pulumi.ComponentResource]) -> tuple[Registration, list[Registration]]:
    """Make a component; return its own registration and its children's."""
    own: list[Registration] = []
    children: list[Registration] = []
    for each in made(EXAMPLES[component]):
        (children if each.custom else own).append(each)
    assert len(own) == 1
    return own[0], children


every_component = pytest.mark.parametrize(
    "component", components(), ids=lambda each: each.__name__
)


def test_every_component_has_an_example_here() -> None:
    assert set(components()) == set(EXAMPLES)


@every_component
def test_type_token_is_the_class_in_the_projects_package(
    component: type[pulumi.ComponentResource],
) -> None:
    own, _ = example(component)
    assert own.type == f"lambda-secrets:index:{component.__name__}"


@every_component
def test_every_child_has_the_component_as_its_parent(
    component: type[pulumi.ComponentResource],
) -> None:
    own, children = example(component)
    assert children
    assert {child.parent for child in children} == {own.urn}


@every_component
def test_every_child_is_named_after_the_component(
    component: type[pulumi.ComponentResource],
) -> None:
    _, children = example(component)
    assert {child.name.split("-")[0] for child in children} == {"example"}


@every_component
def test_outputs_are_registered_and_are_those_the_class_documents(
    component: type[pulumi.ComponentResource],
) -> None:
    own, _ = example(component)
    assert own.registered_outputs is not None
    assert set(own.registered_outputs) == set(component.__annotations__)


@every_component
def test_tags_reach_every_child_that_takes_tags(
    component: type[pulumi.ComponentResource],
) -> None:
    _, children = example(component)
    untagged = {child.type for child in children if child.inputs.get("tags") != TAGS}
    assert untagged <= UNTAGGABLE


@every_component
def test_no_policy_allows_an_action_with_a_wildcard(
    component: type[pulumi.ComponentResource],
) -> None:
    _, children = example(component)
    for document in documents(children):
        for statement in document["Statement"]:
            actions = statement["Action"]
            assert "NotAction" not in statement
            if statement["Effect"] == "Deny":
                continue  # to refuse more than is known is no grant
            assert not any("*" in action for action in actions if isinstance(actions, list))
            assert "*" not in str(actions)


@every_component
def test_a_policys_star_resource_is_one_that_aws_forces(
    component: type[pulumi.ComponentResource],
) -> None:
    _, children = example(component)
    forced = {
        "cloudwatch:PutMetricData",
        "ec2:CreateNetworkInterface",
        "secretsmanager:GetRandomPassword",
        "xray:PutTraceSegments",
    }
    for child in children:
        for document in documents([child]):
            for statement in document["Statement"]:
                granted = statement["Effect"] == "Allow" and child.type != "aws:kms/key:Key"
                if granted and statement.get("Resource") == "*":
                    assert forced & set(_list(statement["Action"]))


@every_component
def test_a_value_given_stands_in_secret_inputs_only(
    component: type[pulumi.ComponentResource],
) -> None:
    own, children = example(component)
    for each in [own, *children]:
        for key, value in each.inputs.items():
            if "s3cr3t-canary" in repr(value):
                assert key in each.secret_inputs


@every_component
def test_docstring_lists_the_resources_that_are_made(
    component: type[pulumi.ComponentResource],
) -> None:
    _, children = example(component)
    listed = set(re.findall(r"aws\.(\w+\.\w+)", component.__doc__ or ""))
    assert listed == {dotted(child.type) for child in children}


@every_component
def test_no_aws_managed_policy_is_attached(component: type[pulumi.ComponentResource]) -> None:
    _, children = example(component)
    for child in children:
        assert "arn:aws:iam::aws:policy/" not in repr(child.inputs)
        assert "managedPolicyArns" not in child.inputs


def documents(children: list[Registration]) -> list[dict[str, Any]]:
    texts = [
        child.inputs[key]
        for child in children
        for key in ("policy", "assumeRolePolicy")
        if key in child.inputs
    ]
    return [json.loads(text) for text in texts]


def dotted(type_: str) -> str:
    _, module, name = type_.split(":")
    return f"{module.split('/')[0]}.{name}"


def _list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_components_import_neither_each_other_nor_the_settings() -> None:
    homes = {component.__module__ for component in components()}
    for home in homes:
        source = Path(importlib.import_module(home).__file__ or "").read_text(encoding="utf-8")
        imported = set(
            re.findall(r"^(?:from|import) (infra[.\w]*)(?: import (\w+))?", source, re.MULTILINE)
        )
        names = {
            f"{package}.{name}" if package == "infra" else package for package, name in imported
        }
        assert names.isdisjoint((homes - {home}) | {"infra.config.settings"})
