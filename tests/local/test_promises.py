"""Every promise is tried on a deployment, and every one is broken once: its check must notice."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import own_files
from infra.aws.layers import extension_layer_arn
from infra.config.settings import SettingsError
from infra.packaging import client
from local import deployment
from local.deployment import Deployment
from local.engines.built_in import BuiltInEngine
from local.proofs import checks
from local.proofs.role_access import read_as
from local.proofs.traffic import rotate
from local.provider.provider import DeploymentError, Provider
from tests.recording import PROJECT, ROOT, stack

ANSWERS = "every function answers as expected and reveals no secret value"
AGREES = "the extension returns the values in Secrets Manager"
ONE_CALL = "three invocations cost at most one GetSecretValue per secret"
LATENCY = "first and later invocations stay within timeout and memory"
LOGS = "the logs contain no secret value"
OWN = "each role can read its own secrets and no others"
KEY = "without permission for the key, each role is denied"
NOWHERE = "no secret value in state, outputs, environment or package"
ROTATES = "no request fails while every secret rotates"
SEEDED = "generating the initial values again changes none of them"

Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    """Deploy a stack into an account of its own, with top-level config keys replaced."""
    with ExitStack() as running:

        def make(name: str = "dev", **changes: object) -> Deployment:
            changed = stack(name, **changes)
            if "secretValues" in changes:
                changed = replace(changed, secret_keys=(f"{PROJECT}:secretValues",))
            return running.enter_context(deployment.running(changed))

        yield make


def broken(deployed: Deployment) -> dict[str, str]:
    """Promises that do not hold -> how."""
    return {each.promise: each.figure for each in checks.run(deployed) if each.passed is False}


def change_policy(
    deployed: Deployment, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    """Change the statements of the role's policy about secrets."""
    iam = deployed.client("iam")
    role = deployed.outputs["role_arn"].rsplit("/", 1)[1]
    (attached,) = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    arn = attached["PolicyArn"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    document["Statement"] = change(document["Statement"])
    iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True
    )


def publish(deployed: Deployment) -> None:
    """Publish the function as it is now, and move the alias there."""
    functions, name = deployed.client("lambda"), deployed.outputs["function_name"]
    functions.get_waiter("function_updated_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
    )
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)


def change_code(deployed: Deployment, **files: str) -> None:
    """Deploy the function again with `app.py` or a file of the client replaced."""
    data = io.BytesIO()
    package = {"app.py": ROOT / "handler/app.py", **client.files(ROOT / "handler")}
    with zipfile.ZipFile(data, "w") as packed:
        for name, path in package.items():
            packed.writestr(name, files.get(path.stem) or path.read_text(encoding="utf-8"))
    deployed.client("lambda").update_function_code(
        FunctionName=deployed.outputs["function_name"], ZipFile=data.getvalue()
    )
    publish(deployed)


def source(name: str, old: str, new: str) -> str:
    text = (ROOT / "handler" / f"{name}.py").read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_promise_holds(deploy: Deploy, name: str) -> None:
    outcomes = list(checks.run(deploy(name)))
    assert [each for each in outcomes if each.passed is False] == []
    assert tuple(each.promise for each in outcomes) == checks.PROMISES


@pytest.mark.exhaustive
def test_every_promise_holds_for_values_from_config(deploy: Deploy) -> None:
    value = {"host": "h", "dbname": "d", "username": "u", "password": "s3cr3t-canary"}
    deployed = deploy(secrets={"database": {"from": "config"}}, secretValues={"database": value})
    assert broken(deployed) == {}
    assert "s3cr3t-canary" in deployed.canaries


@pytest.mark.exhaustive
def test_every_promise_holds_when_the_cache_is_off(deploy: Deploy) -> None:
    deployed = deploy(maxStalenessSeconds=0)
    outcomes = {each.promise: each for each in checks.run(deployed)}
    assert all(each.passed is not False for each in outcomes.values())
    assert outcomes[ONE_CALL].figure.startswith("3 GetSecretValue by ")


@pytest.mark.exhaustive
def test_without_the_grant_for_the_secret_nothing_is_read(deploy: Deploy) -> None:
    deployed = deploy()
    change_policy(deployed, lambda all_: [each for each in all_ if "kms" in str(each["Action"])])
    found = broken(deployed)
    assert "500" in found[ANSWERS]
    assert "secretsmanager:GetSecretValue" in found[OWN]
    assert any('"error": "AccessDenied"' in line for line in deployed.log_lines())


@pytest.mark.exhaustive
def test_without_the_grant_for_the_key_nothing_is_read(deploy: Deploy) -> None:
    deployed = deploy()
    change_policy(
        deployed, lambda all_: [each for each in all_ if "kms" not in str(each["Action"])]
    )
    found = broken(deployed)
    assert "500" in found[ANSWERS]
    assert "Access to KMS is not allowed" in found[OWN]
    assert any('"error": "DecryptionFailed"' in line for line in deployed.log_lines())


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("StringEquals", {"kms:ViaService": ["ssm.us-east-1.amazonaws.com"]}),
        ("StringLike", {"kms:EncryptionContext:SecretARN": ["arn:*:secret:another-AbCdEf"]}),
    ],
)
def test_each_condition_on_the_key_is_what_lets_the_role_decrypt(
    deploy: Deploy, condition: str, value: dict[str, list[str]]
) -> None:
    deployed = deploy()

    def change(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        (decrypt,) = [each for each in statements if "kms" in str(each["Action"])]
        assert set(decrypt["Condition"][condition]) == set(value)
        decrypt["Condition"][condition] = value
        return statements

    change_policy(deployed, change)
    arns = list(deployed.outputs["secret_arns"].values())
    outcomes = read_as(deployed.client, deployed.outputs["role_arn"], arns)
    assert all("Access to KMS is not allowed" in each for each in outcomes.values())


@pytest.mark.exhaustive
def test_the_key_is_of_no_use_past_secrets_manager_to_the_administrator(deploy: Deploy) -> None:
    deployed = deploy()
    kms, key = deployed.client("kms"), deployed.outputs["key_arn"]
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.exhaustive
def test_without_the_key_itself_nothing_is_read(deploy: Deploy) -> None:
    deployed = deploy()
    deployed.client("kms").disable_key(KeyId=deployed.outputs["key_arn"])
    assert deployed.functions["reader"].invoke().status == 500


@pytest.mark.exhaustive
def test_without_the_layer_the_sdk_is_the_way_and_the_check_says_so(deploy: Deploy) -> None:
    deployed = deploy()
    name = deployed.outputs["function_name"]
    deployed.client("lambda").update_function_configuration(FunctionName=name, Layers=[])
    publish(deployed)
    assert "through the sdk" in deployed.functions["reader"].invoke().body["message"]
    refused = "<urlopen error [Errno 111] Connection refused>"
    assert broken(deployed) == {
        AGREES: f"the extension does not return the value of database, session ({refused})"
    }


@pytest.mark.exhaustive
def test_without_the_token_header_the_sdk_is_the_way(
    deploy: Deploy,
) -> None:
    deployed = deploy()
    change_code(
        deployed,
        extension=source("secret_client/extension", "X-Aws-Parameters-Secrets-Token", "X-Other"),
    )
    assert "through the sdk" in deployed.functions["reader"].invoke().body["message"]


@pytest.mark.exhaustive
def test_a_call_at_import_is_too_early_for_the_extension_and_goes_to_the_sdk(
    deploy: Deploy,
) -> None:
    deployed = deploy()
    eager = (
        "import json, os\n"
        "from secret_client import SecretClient\n"
        "early = SecretClient().get_secret(os.environ['SECRET_NAME'])\n"
        "def lambda_handler(event, context):\n"
        "    return {'statusCode': 200, 'body': json.dumps({'source': early.source})}\n"
    )
    change_code(deployed, app=eager)
    assert deployed.functions["reader"].invoke().body == {"source": "sdk"}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("architecture", "arn"),
    [
        ("arm64", extension_layer_arn("eu-west-1", "arm64").replace("eu-west-1", "us-east-1")),
        ("arm64", extension_layer_arn("eu-west-1", "arm64")),
    ],
    ids=["wrong region's account", "wrong region"],
)
def test_the_layer_of_another_region_is_refused_by_config_and_by_lambda(
    deploy: Deploy, architecture: str, arn: str
) -> None:
    with pytest.raises(SettingsError, match="eu-west-1"):
        deploy(extension={"layerArn": arn}, function={"architecture": architecture})
    deployed = deploy()
    with pytest.raises(ClientError, match="layer"):
        deployed.client("lambda").update_function_configuration(
            FunctionName=deployed.outputs["function_name"], Layers=[arn]
        )


def test_a_password_in_plain_config_is_refused(deploy: Deploy) -> None:
    fields = {"host": "h", "password": "s3cr3t-canary"}
    with pytest.raises(
        SettingsError, match="appears to contain a secret in plain text"
    ) as refused:
        deploy(secrets={"database": {"fields": fields}})
    assert "s3cr3t-canary" not in str(refused.value)


@pytest.mark.exhaustive
def test_a_function_that_answers_its_password_is_found_out(deploy: Deploy) -> None:
    deployed = deploy()
    change_code(deployed, app=source("app", 'note = "the', 'note = database["password"] or "the'))
    assert broken(deployed)[ANSWERS] == "the response contains a secret value"


@pytest.mark.exhaustive
def test_a_function_that_logs_its_password_is_found_out(deploy: Deploy) -> None:
    deployed = deploy()
    answers = '    note = "the'
    printing = source("app", answers, f'    print(database["password"])\n{answers}')
    change_code(deployed, app=printing)
    assert broken(deployed) == {LOGS: "a log line contains a secret value"}


@pytest.mark.exhaustive
def test_a_function_that_logs_the_extensions_answer_is_found_out(deploy: Deploy) -> None:
    """The extension writes `<`, `>` and `&` as escapes, and so would a log of its answer."""
    deployed = deploy()
    arn = deployed.outputs["secret_arns"]["database"]
    held = json.loads(deployed.secret_text(arn)) | {"password": "pass<word>&more"}
    deployed.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(held))
    read = "    if status != _OK:"
    printing = source("secret_client/extension", read, f"    print(body)\n{read}")
    change_code(deployed, extension=printing)
    found = broken(deployed)
    assert found[LOGS] == "a log line contains a secret value"


@pytest.mark.exhaustive
def test_a_function_that_goes_round_the_cache_is_found_out(deploy: Deploy) -> None:
    deployed = deploy()
    past_it = "__import__('boto3').client('secretsmanager').get_secret_value(SecretId=secret_name)"
    asks = "        secret = _secrets"
    change_code(deployed, app=source("app", asks, f"        {past_it}\n{asks}"))
    assert broken(deployed) == {
        ONE_CALL: f"4 calls for {PROJECT}/dev/database instead of at most 1"
    }


@pytest.mark.exhaustive
def test_a_value_in_an_environment_variable_is_found_out(deploy: Deploy) -> None:
    deployed = deploy()
    variables = {
        **deployed.functions["reader"].environment,
        "PASSWORD": next(iter(deployed.canaries)),
    }
    deployed.client("lambda").update_function_configuration(
        FunctionName=deployed.outputs["function_name"], Environment={"Variables": variables}
    )
    assert broken(deployed) == {NOWHERE: "an environment variable contains a secret value"}


def test_a_value_in_the_state_is_found_out(deploy: Deploy) -> None:
    deployed = deploy()
    leaking = deployed.record.state + next(iter(deployed.canaries))
    deployed = replace(deployed, record=replace(deployed.record, state=leaking))
    assert broken(deployed) == {NOWHERE: "the state contains a secret value"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("around", ["{}", "\0{}"], ids=["text", "library"])
def test_a_value_in_a_package_is_found_out(deploy: Deploy, around: str) -> None:
    deployed = deploy()
    packed = next(
        each for each in deployed.record.resources if each.type == "aws:lambda/function:Function"
    )
    holds = {"text": around.format(min(deployed.canaries))}
    packed.inputs["code"] = {"assets": {**vars(packed.inputs["code"])["assets"], "lib.so": holds}}
    assert broken(deployed) == {NOWHERE: "a package contains a secret value"}


@pytest.mark.exhaustive
def test_a_role_that_reads_too_much_is_found_out(deploy: Deploy) -> None:
    deployed = deploy()

    def widen(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for each in statements:
            if each["Sid"] == "ReadSecrets":
                each["Resource"] = "*"
            else:
                del each["Condition"]
        return statements

    change_policy(deployed, widen)
    assert broken(deployed) == {
        OWN: "expected AccessDeniedException on secretsmanager:GetSecretValue, got: read"
    }


@pytest.mark.exhaustive
def test_a_seeder_that_makes_a_new_password_is_found_out(deploy: Deploy) -> None:
    deployed = deploy()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, file in own_files.SEEDER.items():
            source = file.read_text(encoding="utf-8")
            packed.writestr(name, source.replace("if seeded.get(name) in _MISSING", "if True"))
    functions = deployed.client("lambda")
    (seeder,) = [
        each["FunctionName"]
        for each in functions.list_functions()["Functions"]
        if "-seeder-function-" in each["FunctionName"]
    ]
    functions.update_function_code(FunctionName=seeder, ZipFile=data.getvalue())
    assert "wrote a new version" in broken(deployed)[SEEDED]


@pytest.mark.exhaustive
def test_a_role_of_300_secrets_is_granted_each_within_iams_quotas(deploy: Deploy) -> None:
    secrets = {f"secret{number:03}": {"from": "external"} for number in range(300)}
    deployed = deploy(secrets=secrets, function={"secret": "secret000"})
    role = deployed.outputs["role_arn"].rsplit("/", 1)[1]
    attached = deployed.client("iam").list_attached_role_policies(RoleName=role)
    assert 1 < len(attached["AttachedPolicies"]) <= 10
    arns = list(deployed.outputs["secret_arns"].values())
    assert set(read_as(deployed.client, deployed.outputs["role_arn"], arns).values()) == {"read"}


@pytest.mark.exhaustive
def test_logs_need_the_grant_for_their_group(deploy: Deploy) -> None:
    deployed = deploy()
    iam, role = deployed.client("iam"), deployed.outputs["role_arn"].rsplit("/", 1)[1]
    (logs,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    iam.delete_role_policy(RoleName=role, PolicyName=logs)
    before = len(deployed.log_lines())
    assert deployed.functions["reader"].invoke().status == 200
    assert len(deployed.log_lines()) == before


def test_what_aws_refuses_names_the_resource(deploy: Deploy) -> None:
    deployed = deploy()
    again = BuiltInEngine(Provider(deployed.aws, "us-east-1"))
    with pytest.raises(SettingsError, match=r"alias/\S+ already exists in us-east-1"):
        again.run(deployed.stack)
    deployed.client("kms").delete_alias(AliasName=deployed.outputs["key_alias"])
    with pytest.raises(DeploymentError, match=r"secret .*Exists|logs .*AlreadyExists"):
        again.run(deployed.stack)


def test_a_type_that_the_local_run_cannot_make_is_named(deploy: Deploy) -> None:
    provider = Provider(deploy().aws, "us-east-1")
    with pytest.raises(DeploymentError, match="the local run does not support aws:sqs/queue"):
        provider.create("aws:sqs/queue:Queue", "queue", {})


GROUPED = {
    "database": {
        "fields": {"host": "h", "dbname": "d", "username": "u"},
        "generate": {"password": {}},
    },
    **{
        name: {
            "generate": {"key": {}},
            "rotation": {"strategy": "random", "everyDays": 30, "group": "keys"},
        }
        for name in ("first", "second")
    },
}


def test_a_rotation_that_does_not_end_tells_what_its_function_logged(deploy: Deploy) -> None:
    deployed = deploy(secrets=GROUPED)
    function = deployed.outputs["rotation_function_arns"]["first"]
    found = deployed.client("lambda").get_function_configuration(FunctionName=function)
    role, iam = found["Role"].rpartition("/")[2], deployed.client("iam")
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        if "logs" not in policy:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
    with pytest.raises(TimeoutError, match=r"log ends with:\n(.*\n)*.*AccessDenied"):
        rotate(deployed, deployed.outputs["secret_arns"]["first"], 3)


@pytest.mark.exhaustive
def test_what_a_rotation_group_can_read_is_shown(deploy: Deploy) -> None:
    deployed = deploy(secrets=GROUPED)
    outcomes = {each.promise: each for each in checks.run(deployed)}
    assert [each for each in outcomes.values() if each.passed is False] == []
    assert outcomes[OWN].figure.splitlines()[-1] == (
        "rotation group keys: first, second read, 1 denied"
    )
    assert outcomes[ROTATES].figure.startswith("2 rotated, ")


def test_a_rotation_group_that_can_read_another_secret_is_found(deploy: Deploy) -> None:
    deployed = deploy(secrets=GROUPED)
    function = deployed.outputs["rotation_function_arns"]["first"]
    found = deployed.client("lambda").get_function_configuration(FunctionName=function)
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"],
            "Resource": "*",
        },
    }
    deployed.client("iam").put_role_policy(
        RoleName=found["Role"].rsplit("/", 1)[1],
        PolicyName="more",
        PolicyDocument=json.dumps(document),
    )
    assert broken(deployed) == {OWN: "the role of rotation group keys can also read database"}


@pytest.mark.exhaustive
def test_a_role_whose_policies_fit_only_because_they_are_managed_is_copied(
    deploy: Deploy,
) -> None:
    """Inline policies would have room for three quarters of these secrets."""
    names = [f"{'x' * 250}-{number:02}" for number in range(40)]
    database = GROUPED["database"]
    deployed = deploy(
        secrets={"database": database, **{name: {"generate": {"key": {}}} for name in names}},
        function={"secrets": ["database", *names]},
    )
    outcomes = {each.promise: each for each in checks.run(deployed)}
    assert outcomes[OWN].figure.startswith("41 read, 1 denied")
    assert outcomes[KEY].passed, outcomes[KEY].figure
    roles = deployed.client("iam").list_roles(MaxItems=1000)["Roles"]
    assert not [each for each in roles if each["RoleName"].startswith("like-")]
