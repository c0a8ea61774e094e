"""What each component asks of AWS, exactly; tests/local shows that AWS agrees."""

import importlib.util
import json
import os
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from importlib.machinery import SourcelessFileLoader
from pathlib import Path

import pulumi
import pytest

from infra import own_files
from infra.components import packages
from infra.components.app_secret import AppSecret, AppSecretArgs
from infra.components.encryption_key import EncryptionKey, EncryptionKeyArgs
from infra.components.extension_function import (
    ExtensionFunction,
    ExtensionFunctionArgs,
)
from infra.components.reader_role import ReaderRole, ReaderRoleArgs
from infra.components.secret_rotation import SecretRotation, SecretRotationArgs
from infra.components.secret_seeder import SecretSeeder
from infra.packaging import bytecode, runtimes, store
from infra.policies import iam as policies
from local.engines.built_in import BuiltInEngine
from local.provider.archive import package
from local.provider.provider import DeploymentError
from tests.recording import PROJECT, ROOT, Recording, by_type, made, only, stack

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
KEY_ARGS: EncryptionKeyArgs = {
    "description": "d",
    "alias": "p/s",
    "partition": "aws",
    "region": "us-east-1",
    "account_id": "123456789012",
}
SECRET_ARGS: AppSecretArgs = {"name": "p/s/database", "key_arn": KEY}
ROLE_ARGS: ReaderRoleArgs = {
    "secret_arns": {},
    "key_arn": KEY,
    "log_group_arn": "arn:aws:logs:us-east-1:123456789012:log-group:/g",
}
ROTATION_ARGS: SecretRotationArgs = {
    "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:p/s/database-AbCdEf",
    "key_arn": KEY,
    "account_id": "123456789012",
    "log_group_name": "/aws/lambda/p-s-database-rotation",
    "files": {"rotation.py": ROOT / "handler" / "rotation.py"},
    "handler": "rotation.lambda_handler",
    "strategy": "singleUser",
    "generate": {"password": {"length": 20}},
}
FUNCTION_ARGS: ExtensionFunctionArgs = {
    "role_arn": "arn:aws:iam::123456789012:role/r",
    "layer_arn": "arn:aws:lambda:us-east-1:177933569100:layer:L:1",
    "key_arn": KEY,
    "log_group_name": "/aws/lambda/p-s-reader",
    "files": {"app.py": ROOT / "handler" / "app.py"},
    "handler": "app.lambda_handler",
}


def secret_arns(count: int, length: int = 12) -> dict[str, str]:
    names = [f"{PROJECT}/prod/{number:0{length}}" for number in range(count)]
    return {
        name: f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf"
        for name in names
    }


def test_key_rotates_and_has_its_alias() -> None:
    registered = made(lambda: EncryptionKey("k", {**KEY_ARGS, "rotation_period_in_days": 90}))
    key = only(registered, "kms/key:Key")
    assert len(registered) == 3
    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["rotationPeriodInDays"] == 90
    assert key.inputs["deletionWindowInDays"] == 30
    assert only(registered, "kms/alias:Alias").inputs == {
        "name": "alias/p/s",
        "region": "us-east-1",
        "targetKeyId": "0123-key",
    }


def test_key_policy_without_log_groups_lets_no_service_use_the_key() -> None:
    key = only(made(lambda: EncryptionKey("k", KEY_ARGS)), "kms/key:Key")
    document = json.loads(key.inputs["policy"])
    assert [each["Sid"] for each in document["Statement"]] == [
        "AdministerByIam",
        "UseThroughSecretsManager",
    ]
    assert all("Service" not in each["Principal"] for each in document["Statement"])


@pytest.mark.parametrize(
    ("partition", "region", "services"),
    [
        ("aws", "us-east-1", ["amazonaws.com"]),
        ("aws-us-gov", "us-gov-west-1", ["amazonaws.com"]),
        ("aws-cn", "cn-north-1", ["amazonaws.com", "amazonaws.com.cn"]),
    ],
)
def test_key_policy_in_full(partition: str, region: str, services: list[str]) -> None:
    args: EncryptionKeyArgs = {
        **KEY_ARGS,
        "partition": partition,
        "region": region,
        "log_group_prefix": "/aws/lambda/p-s-",
    }
    key = only(made(lambda: EncryptionKey("k", args)), "kms/key:Key")
    administer, use, logs = json.loads(key.inputs["policy"])["Statement"]
    account = {"AWS": f"arn:{partition}:iam::123456789012:root"}
    assert administer["Principal"] == use["Principal"] == account
    # Without it KMS refuses the policy, which would lock everybody out.
    assert "kms:PutKeyPolicy" in administer["Action"]
    assert "Condition" not in administer
    # Nothing of what the administrator may do reads or writes data.
    used = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:Sign"}
    assert used.isdisjoint(administer["Action"])
    assert use["Action"] == ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    assert use["Condition"] == {
        "StringEquals": {
            "kms:CallerAccount": "123456789012",
            "kms:ViaService": [f"secretsmanager.{region}.{suffix}" for suffix in services],
        }
    }
    assert logs["Principal"] == {"Service": f"logs.{region}.{services[-1]}"}
    groups = f"arn:{partition}:logs:{region}:123456789012:log-group:/aws/lambda/p-s-*"
    assert logs["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}


def test_secret_without_a_value_has_no_version() -> None:
    registered = made(lambda: AppSecret("database", SECRET_ARGS))
    assert [each.type for each in registered if each.custom] == [
        "aws:secretsmanager/secret:Secret"
    ]
    secret = only(registered, "secret:Secret").inputs
    assert secret == {"name": "p/s/database", "kmsKeyId": KEY, "recoveryWindowInDays": 30}


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input, pulumi.Output.secret])
def test_a_secrets_value_is_marked_secret_however_it_is_given(
    given: Callable[[str], pulumi.Input[str]],
) -> None:
    registered = made(lambda: AppSecret("s", {**SECRET_ARGS, "value": given("v")}))
    version = only(registered, "SecretVersion")
    assert version.secret_inputs == {"secretString"}
    assert version.inputs["secretString"] == "v"


def test_a_value_over_64_kib_is_refused_with_its_size_only() -> None:
    with pytest.raises(ValueError, match="65536 bytes, got 65537") as refused:
        made(lambda: AppSecret("s", {**SECRET_ARGS, "value": "x" * 65_537}))
    assert "xxx" not in str(refused.value)


def test_a_value_over_64_kib_is_refused_when_it_is_an_output_too() -> None:
    value = pulumi.Output.secret
    with pytest.raises(ValueError, match="65536 bytes, got 65538"):
        made(lambda: AppSecret("s", {**SECRET_ARGS, "value": value("é" * 32_769)}))


def test_a_value_of_64_kib_is_taken() -> None:
    registered = made(lambda: AppSecret("s", {**SECRET_ARGS, "value": "x" * 65_536}))
    assert by_type(registered, "secretVersion:SecretVersion")


def test_reader_role_grants_exactly_reading_decrypting_and_logging() -> None:
    arns = secret_arns(2)
    registered = made(lambda: ReaderRole("r", {**ROLE_ARGS, "secret_arns": arns}))
    assert sorted(each.type for each in registered if each.custom) == [
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    ]
    read = json.loads(only(registered, "policy:Policy").inputs["policy"])
    assert read["Statement"] == [
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": sorted(arns.values()),
        },
        {
            "Sid": "DecryptSecrets",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": KEY,
            "Condition": {
                "StringEquals": {"kms:ViaService": ["secretsmanager.us-east-1.amazonaws.com"]},
                "StringLike": {
                    "kms:EncryptionContext:SecretARN": [
                        f"arn:*:secret:{name}-AbCdEf" for name in sorted(arns)
                    ]
                },
            },
        },
    ]
    logs = json.loads(only(registered, "RolePolicy").inputs["policy"])
    assert logs["Statement"] == [
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:/g:*",
        }
    ]


def test_only_lambda_may_assume_the_reader_role() -> None:
    role = only(made(lambda: ReaderRole("r", ROLE_ARGS)), "role:Role")
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


def test_tracing_adds_one_policy_to_the_reader_role() -> None:
    registered = made(lambda: ReaderRole("r", {**ROLE_ARGS, "tracing": True}))
    assert {each.name for each in by_type(registered, "rolePolicy:RolePolicy")} == {
        "r-logs",
        "r-traces",
    }


def test_whoever_uses_the_roles_arn_waits_for_its_grants() -> None:
    def build() -> None:
        role = ReaderRole("r", {**ROLE_ARGS, "secret_arns": secret_arns(40), "tracing": True})
        ExtensionFunction("f", {**FUNCTION_ARGS, "role_arn": role.arn})

    registered = made(build)
    grants = {each.urn for each in by_type(registered, "RolePolicyAttachment")}
    grants |= {each.urn for each in by_type(registered, "rolePolicy:RolePolicy")}
    assert len(grants) == 4
    assert grants <= only(registered, "function:Function").dependencies


@pytest.mark.parametrize("count", [1, 34, 100, 300])
def test_policies_of_many_secrets_stay_under_iams_limits(count: int) -> None:
    arns = secret_arns(count)
    registered = made(lambda: ReaderRole("r", {**ROLE_ARGS, "secret_arns": arns}))
    documents = [
        json.loads(each.inputs["policy"]) for each in by_type(registered, "policy:Policy")
    ]
    assert len(documents) <= 10
    assert all(len(json.dumps(each, separators=(",", ":"))) <= 6_144 for each in documents)
    granted = [arn for each in documents for arn in each["Statement"][0]["Resource"]]
    assert sorted(granted) == sorted(arns.values())
    for each in documents:
        context = each["Statement"][1]["Condition"]["StringLike"]
        assert [
            f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{pattern[13:]}"
            for pattern in context["kms:EncryptionContext:SecretARN"]
        ] == each["Statement"][0]["Resource"]


@pytest.mark.parametrize(
    "document", [partial(policies.read_secrets, describe=True), policies.seed_secrets]
)
@pytest.mark.parametrize("length", [1, 12, 100, 480])
def test_policies_fit_with_the_longest_arns_that_there_are(
    document: Callable[[list[str], str], policies.Policy], length: int
) -> None:
    place = "arn:aws-us-gov:{}:ap-southeast-1:123456789012"
    key = f"{place.format('kms')}:key/mrk-0123456789abcdef0123456789abcdef"
    names = list(secret_arns(60, length))
    for part in policies.split_by_size(names, writing=document is policies.seed_secrets):
        arns = [f"{place.format('secretsmanager')}:secret:{name}-AbCdEf" for name in part]
        assert len(json.dumps(document(arns, key), separators=(",", ":"))) <= 6_144


def test_more_secrets_than_a_role_can_be_granted_are_refused() -> None:
    with pytest.raises(ValueError, match=r"500 secrets need 1\d policies, but IAM allows 10"):
        made(lambda: ReaderRole("r", {**ROLE_ARGS, "secret_arns": secret_arns(500)}))


def test_the_order_of_secrets_moves_none_to_another_policy() -> None:
    names = list(secret_arns(100))
    assert policies.split_by_size(names) == policies.split_by_size(reversed(names))


def test_function_has_layer_log_group_and_alias() -> None:
    registered = made(lambda: ExtensionFunction("f", {**FUNCTION_ARGS, "tracing": True}))
    function = only(registered, "function:Function").inputs
    assert len(registered) == 4
    assert function["layers"] == [FUNCTION_ARGS["layer_arn"]]
    assert function["architectures"] == ["arm64"]
    assert function["runtime"] == "python3.13"
    assert function["tracingConfig"] == {"mode": "Active"}
    assert function["publish"] is True
    assert function["loggingConfig"] == {
        "logFormat": "Text",
        "logGroup": "/aws/lambda/p-s-reader",
    }
    assert only(registered, "LogGroup").inputs == {
        "name": "/aws/lambda/p-s-reader",
        "kmsKeyId": KEY,
        "retentionInDays": 30,
    }
    log_group = only(registered, "LogGroup")
    assert log_group.urn in only(registered, "function:Function").dependencies
    alias = only(registered, "alias:Alias").inputs
    # The version that the function's publishing made, not $LATEST.
    assert alias["functionVersion"] == Recording.FUNCTION_VERSION
    assert alias["name"] == "live"


def test_function_keeps_requests_at_once_for_itself_if_asked() -> None:
    kept = made(lambda: ExtensionFunction("f", {**FUNCTION_ARGS, "reserved_concurrency": 0}))
    assert only(kept, "function:Function").inputs["reservedConcurrentExecutions"] == 0
    shared = made(lambda: ExtensionFunction("f", FUNCTION_ARGS))
    assert "reservedConcurrentExecutions" not in only(shared, "function:Function").inputs


def test_function_gets_all_nine_variables_of_the_extension() -> None:
    registered = made(
        lambda: ExtensionFunction(
            "f",
            {
                **FUNCTION_ARGS,
                "environment": {"A": "b"},
                "extension": {
                    "cache_enabled": False,
                    "cache_size": 0,
                    "http_port": 4000,
                    "log_level": "debug",
                    "max_connections": 5,
                    "secrets_ttl_seconds": 0,
                    "secrets_timeout_millis": 0,
                    "parameters_ttl_seconds": 1,
                    "parameters_timeout_millis": 2,
                },
            },
        )
    )
    assert only(registered, "function:Function").inputs["environment"]["variables"] == {
        "A": "b",
        "PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED": "FALSE",
        "PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE": "0",
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "4000",
        "PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL": "DEBUG",
        "PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS": "5",
        "SECRETS_MANAGER_TTL": "0",
        "SECRETS_MANAGER_TIMEOUT_MILLIS": "0",
        "SSM_PARAMETER_STORE_TTL": "1",
        "SSM_PARAMETER_STORE_TIMEOUT_MILLIS": "2",
    }


MINE = f"python{sys.version_info[0]}.{sys.version_info[1]}"
OTHER = "python3.14" if MINE != "python3.14" else "python3.13"


def packed(tmp_path: Path, runtime: str) -> dict[str, bytes]:
    files = {"app.py": tmp_path / "app.py", "data/x.json": tmp_path / "x.json"}
    args: ExtensionFunctionArgs = {**FUNCTION_ARGS, "files": files, "runtime": runtime}
    registered = made(lambda: ExtensionFunction("f", args))
    assets = only(registered, "function:Function").inputs["code"].assets
    return {name: Path(asset.path).read_bytes() for name, asset in assets.items()}


@pytest.fixture(autouse=True)
def _only_this_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Have no Python but this one, and an empty cache."""
    monkeypatch.setattr(store, "DEFAULT", tmp_path_factory.mktemp("cache"))
    mine = {runtimes.THIS: sys.executable}
    monkeypatch.setattr(bytecode, "interpreter", mine.get)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "password.txt").write_text("not to be packed")
    source = tmp_path / "app.py"
    source.write_text('"""A docstring."""\n\ndef answer():\n    return 42\n')
    return source


def test_package_holds_the_named_files_and_their_bytecode_only(module: Path) -> None:
    tag = sys.implementation.cache_tag
    names = {"app.py", "data/x.json", f"__pycache__/app.{tag}.pyc"}
    assert set(packed(module.parent, MINE)) == names
    assert set(packed(module.parent, OTHER)) == {"app.py", "data/x.json"}


def test_bytecode_is_that_of_the_source_and_never_checked(module: Path, tmp_path: Path) -> None:
    content = packed(module.parent, MINE)[f"__pycache__/app.{sys.implementation.cache_tag}.pyc"]
    assert content[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(content[4:8], "little") == 0b01  # by hash, unchecked: PEP 552
    alone = tmp_path / "alone.pyc"
    alone.write_bytes(content)
    spec = importlib.util.spec_from_loader("app", SourcelessFileLoader("app", str(alone)))
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    assert loaded.answer() == 42
    assert loaded.__doc__ == "A docstring."


def test_package_changes_with_its_files_only(module: Path) -> None:
    first = packed(module.parent, MINE)
    os.utime(module, (0, 0))
    (module.parent / "beside.py").write_text("")
    assert packed(module.parent, MINE) == first
    module.write_text(module.read_text() + "\n\ndef other():\n    return 43\n")
    assert packed(module.parent, MINE) != first


def test_packing_leaves_nothing_next_to_the_sources(module: Path) -> None:
    before = {path.name for path in module.parent.iterdir()}
    packed(module.parent, MINE)
    assert {path.name for path in module.parent.iterdir()} == before


def test_a_package_with_a_program_becomes_a_zip_that_keeps_it_executable(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    archive = packages.archive({"bin/tool": program}, "provided.al2023")
    assert isinstance(archive, pulumi.FileArchive)
    assert package(archive) == package({"path": archive.path}) == Path(archive.path).read_bytes()
    with zipfile.ZipFile(archive.path) as packed:
        assert packed.getinfo("bin/tool").external_attr >> 16 == 0o100755
    program.chmod(0o644)
    assert isinstance(packages.archive({"bin/tool": program}, "x"), pulumi.AssetArchive)


def test_deployment_says_what_a_package_without_bytecode_costs(module: Path) -> None:
    files = {"app.py": module}
    for runtime, said in ((MINE, False), (OTHER, True)):
        args: ExtensionFunctionArgs = {**FUNCTION_ARGS, "files": files, "runtime": runtime}
        engine = BuiltInEngine(Recording())
        engine.run(stack("dev"), lambda args=args: (ExtensionFunction("f", args), None)[1])  # type: ignore[misc]
        expected = f"f: packed without bytecode, so {OTHER} compiles up to 4 lines at every cold"
        assert any(expected in message for message in engine.messages) is said


def test_the_engine_refuses_two_resources_of_one_urn() -> None:
    def program() -> None:
        for _ in range(2):
            EncryptionKey("twice", KEY_ARGS)

    with pytest.raises(DeploymentError, match="twice: duplicate resource URN 'urn:pulumi:"):
        BuiltInEngine(Recording()).run(stack("dev"), program)


def test_a_missing_file_of_the_package_is_named(tmp_path: Path) -> None:
    files = {"app.py": tmp_path / "none.py"}
    with pytest.raises(FileNotFoundError, match=r"missing files: .*none\.py"):
        made(lambda: ExtensionFunction("f", {**FUNCTION_ARGS, "files": files}))


def test_a_distribution_is_packed_with_what_it_requires_and_nothing_of_its_installation() -> None:
    files = packages.distribution("pg8000")
    assert {"pg8000/native.py", "scramp/__init__.py", "six.py"} <= files.keys()
    assert all(path.is_file() for path in files.values())
    assert not [name for name in files if name.endswith((".pyc", "RECORD", "INSTALLER"))]
    assert not [name for name in files if ".." in name or name.startswith("/")]


def test_only_the_rotation_of_a_single_user_lists_older_versions() -> None:
    made_text: SecretRotationArgs = {**ROTATION_ARGS, "strategy": "random"}
    registered = made(lambda: SecretRotation("r", made_text))
    (rotate,) = [each for each in by_type(registered, ":RolePolicy") if each.name == "r-rotate"]
    assert json.loads(rotate.inputs["policy"])["Statement"][0]["Action"] == [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ]


def test_rotation_may_do_its_work_on_its_own_secret_only() -> None:
    registered = made(lambda: SecretRotation("r", ROTATION_ARGS))
    grants = {each.name: each.inputs["policy"] for each in by_type(registered, ":RolePolicy")}
    assert set(grants) == {"r-logs", "r-rotate"}
    rotate, key, passwords = json.loads(grants["r-rotate"])["Statement"]
    assert rotate["Action"] == [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ]
    assert rotate["Resource"] == ROTATION_ARGS["secret_arn"]
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert key["Resource"] == KEY
    contexts = key["Condition"]["StringLike"]["kms:EncryptionContext:SecretARN"]
    assert contexts == ["arn:*:secret:p/s/database-AbCdEf"]
    assert passwords["Action"] == "secretsmanager:GetRandomPassword"
    (permission,) = by_type(registered, "permission:Permission")
    assert permission.inputs == {
        "action": "lambda:InvokeFunction",
        "function": "r-function-0123456",
        "principal": "secretsmanager.amazonaws.com",
        "sourceAccount": "123456789012",
        "sourceArn": ROTATION_ARGS["secret_arn"],
    }


def test_an_administrators_secret_is_read_and_not_written() -> None:
    admin = "arn:aws:secretsmanager:us-east-1:123456789012:secret:p/s/admin-AbCdEf"
    args: SecretRotationArgs = {
        **ROTATION_ARGS,
        "strategy": "alternatingUsers",
        "admin_secret_arn": admin,
    }
    registered = made(lambda: SecretRotation("r", args))
    (grant,) = [e for e in by_type(registered, ":RolePolicy") if e.name == "r-rotate"]
    about = [
        statement
        for statement in json.loads(grant.inputs["policy"])["Statement"]
        if "p/s/admin" in json.dumps(statement)
    ]
    assert [each["Action"] for each in about] == ["secretsmanager:GetSecretValue", ["kms:Decrypt"]]
    function = only(registered, "function:Function")
    assert function.inputs["environment"]["variables"]["ADMIN_SECRET_ARN"] == admin


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ({}, {}),
        ({"database_host": "db", "database_port": None}, {"ROTATION_HOST": "db"}),
        (
            {"database_host": "db", "database_port": 5433},
            {"ROTATION_HOST": "db", "ROTATION_PORT": "5433"},
        ),
    ],
)
def test_the_deployer_names_the_server_of_a_rotation(
    given: SecretRotationArgs, variables: dict[str, str]
) -> None:
    registered = made(lambda: SecretRotation("r", {**ROTATION_ARGS, **given}))
    environment = only(registered, "function:Function").inputs["environment"]["variables"]
    names = {"ROTATION_HOST", "ROTATION_PORT"} & environment.keys()
    assert {name: environment[name] for name in names} == variables


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({}, {"automaticallyAfterDays": 30}),
        ({"every_days": 7, "window_hours": 3}, {"automaticallyAfterDays": 7, "duration": "3h"}),
        ({"schedule": "rate(4 hours)"}, {"scheduleExpression": "rate(4 hours)"}),
    ],
)
def test_rotation_has_its_schedule(given: SecretRotationArgs, rules: dict[str, object]) -> None:
    registered = made(lambda: SecretRotation("r", {**ROTATION_ARGS, **given}))
    rotation = only(registered, "secretRotation:SecretRotation").inputs
    assert rotation["rotationRules"] == rules
    assert rotation["rotateImmediately"] is False


def test_rotation_waits_for_permission_and_grants() -> None:
    registered = made(lambda: SecretRotation("r", ROTATION_ARGS))
    order = [each.type.rpartition(":")[2] for each in registered]
    first = order.index("SecretRotation", 1)  # the component has the same name
    assert {"Permission", "RolePolicy", "Function"} <= set(order[:first])
    waits = {urn.rpartition("::")[2] for urn in registered[first].dependencies}
    assert {"r-permission", "r-logs", "r-rotate"} <= waits


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"strategy": "daily"}, "strategy must be one of singleUser, alternatingUsers, random"),
        ({"every_days": 0}, "every_days must be 1 to 1000, got 0"),
        ({"window_hours": 25}, "window_hours must be 1 to 24, got 25"),
        ({"overlap_hours": -1}, "overlap_hours must be 0 to 24000, got -1"),
        ({"database_port": 0}, "database_port must be 1 to 65535, got 0"),
        ({"strategy": "alternatingUsers"}, "admin_secret_arn is required for alternatingUsers"),
        ({"admin_secret_arn": "arn"}, "admin_secret_arn is required for alternatingUsers"),
    ],
)
def test_rotation_refuses_what_aws_would(given: SecretRotationArgs, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        made(lambda: SecretRotation("r", {**ROTATION_ARGS, **given}))


def test_seeder_is_called_once_for_each_secret_after_its_grants() -> None:
    registered = made(
        lambda: SecretSeeder(
            "s",
            {
                "seeds": {
                    name: {
                        "name": name,
                        "arn": arn,
                        "fields": {"a": 1},
                        "generate": {"b": {"length": 9}},
                    }
                    for name, arn in secret_arns(2, length=1).items()
                },
                "key_arn": KEY,
                "log_group_name": "/g",
                "files": own_files.SEEDER,
                "handler": "seed.lambda_handler",
            },
        )
    )
    calls = by_type(registered, "Invocation")
    assert len(calls) == 2
    assert json.loads(calls[0].inputs["input"])["Fields"] == {"a": 1}
    assert json.loads(calls[0].inputs["input"])["Generate"] == {"b": {"length": 9}}
    grants = {
        only(registered, "rolePolicy:RolePolicy").urn,
        only(registered, "RolePolicyAttachment").urn,
    }
    assert all(grants <= call.dependencies for call in calls)


@pytest.mark.parametrize(
    ("build", "fault"),
    [
        (
            lambda: EncryptionKey("k", {**KEY_ARGS, "rotation_period_in_days": 89}),
            "rotation_period_in_days must be 90 to 2560, got 89",
        ),
        (
            lambda: EncryptionKey("k", {**KEY_ARGS, "deletion_window_in_days": 31}),
            "deletion_window_in_days must be 7 to 30, got 31",
        ),
        (
            lambda: AppSecret("s", {**SECRET_ARGS, "recovery_window_in_days": 6}),
            "recovery_window_in_days must be 7 to 30, got 6",
        ),
        (lambda: AppSecret("s", {**SECRET_ARGS, "name": "a b"}), "letters, digits and"),
        (
            lambda: ExtensionFunction("f", {**FUNCTION_ARGS, "memory_mb": 127, "runtime": "go"}),
            r"runtime must be a Lambda .*, got 'go'; memory_mb must be 128 to 10240, got 127",
        ),
        (
            lambda: ExtensionFunction(
                "f", {**FUNCTION_ARGS, "extension": {"secrets_ttl_seconds": 301, "cache_size": -1}}
            ),
            "secrets_ttl_seconds must be 0 to 300, got 301; cache_size must be 0 to 1000, got -1",
        ),
    ],
)
def test_a_plain_value_out_of_range_is_named_before_anything_is_made(
    build: Callable[[], object], fault: str
) -> None:
    engine = BuiltInEngine(Recording())
    with pytest.raises(ValueError, match=fault):
        engine.run(stack("dev"), lambda: (build(), None)[1])
    assert engine.registrations == []
