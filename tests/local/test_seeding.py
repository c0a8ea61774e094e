"""The seeding function on the embedded AWS: it fills, it keeps, it never loses."""

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from local import deployment
from local.aws import EmbeddedAws
from local.deployment import Deployment
from local.proofs.role_access import READ, read_as
from tests.recording import stack


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployment]:
    secrets = {
        "database": {"fields": {"host": "h", "port": 5432}, "generate": {"password": {}}},
        "another": {"from": "external"},
    }
    planned = stack("dev", secrets=secrets)
    layers = deployment.layer_arns(deployment.preview(planned))
    with EmbeddedAws(layers=layers) as aws:
        yield deployment.deploy(planned, aws)


def seed(deployed: Deployment, name: str = "database", **event: Any) -> dict[str, Any]:
    (seeder,) = [
        each["FunctionName"]
        for each in deployed.client("lambda").list_functions()["Functions"]
        if "-seeder-function-" in each["FunctionName"]
    ]
    asked = {
        "SecretId": deployed.outputs["secret_arns"][name],
        "Fields": event.get("fields", {}),
        "Generate": event.get("generate", {}),
    }
    answer = deployed.client("lambda").invoke(
        FunctionName=seeder, Payload=json.dumps(asked).encode()
    )
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    return result


def value(deployed: Deployment, name: str = "database") -> dict[str, Any]:
    held: dict[str, Any] = json.loads(deployed.secret_text(deployed.outputs["secret_arns"][name]))
    return held


def test_plain_fields_keep_their_types(deployed: Deployment) -> None:
    held = value(deployed)
    assert held["port"] == 5432
    assert len(held["password"]) == 32
    assert not set(held["password"]) & set("/@\"'\\ ")


def test_a_changed_plain_field_is_updated_and_the_password_kept(deployed: Deployment) -> None:
    before = value(deployed)
    result = seed(deployed, fields={"host": "elsewhere", "port": 5432}, generate={"password": {}})
    assert result["Updated"] == ["host"]
    assert result["Generated"] == []
    assert value(deployed) == {**before, "host": "elsewhere"}


def test_a_field_that_config_no_longer_names_stays(deployed: Deployment) -> None:
    before = value(deployed)
    seed(deployed, fields={"added": 1})
    seed(deployed, fields={})
    assert value(deployed) == {**before, "added": 1}


def test_a_newly_generated_field_is_made_beside_the_others(deployed: Deployment) -> None:
    before = value(deployed)
    result = seed(deployed, generate={"password": {}, "pin": {"length": 9}})
    assert result["Generated"] == ["pin"]
    held = value(deployed)
    assert len(held.pop("pin")) == 9
    assert held == before


@pytest.mark.parametrize(
    "rules",
    [
        {"length": 64, "excludePunctuation": True, "excludeUppercase": True},
        {"PasswordLength": 64, "ExcludePunctuation": True, "ExcludeUppercase": True},
    ],
    ids=["of a stack file", "of Secrets Manager"],
)
def test_rules_of_a_generated_field_are_in_the_words_of_a_stack_file_or_of_secrets_manager(
    deployed: Deployment, rules: dict[str, object]
) -> None:
    field = f"token{len(value(deployed))}"
    seed(deployed, generate={field: rules})
    assert re.fullmatch("[a-z0-9]{64}", value(deployed)[field])


def test_an_answer_names_fields_and_holds_no_value(deployed: Deployment) -> None:
    result = seed(deployed, fields={"host": "s3cr3t-host"}, generate={"other": {}})
    assert set(result) == {"VersionId", "Generated", "Updated"}
    assert value(deployed)["other"] not in json.dumps(result)
    assert "s3cr3t-host" not in json.dumps(result)


def test_which_of_two_alternating_users_it_is_stays_what_rotation_made_it(
    deployed: Deployment,
) -> None:
    assert seed(deployed, fields={"username": "app"})["Updated"] == ["username"]
    # As a rotation leaves it; leaving rotation, or the strategy, must not undo it either.
    seed(deployed, fields={"username": "app_clone", "alternateUsername": "app"})
    result = seed(deployed, fields={"username": "app", "host": "another"})
    assert result["Updated"] == ["host"]
    assert value(deployed)["username"] == "app_clone"


def test_a_rotation_under_way_is_waited_for(deployed: Deployment) -> None:
    secrets, arn = deployed.client("secretsmanager"), deployed.outputs["secret_arns"]["database"]
    before = value(deployed)
    pending = secrets.put_secret_value(
        SecretId=arn,
        SecretString=json.dumps({**before, "password": "a" * 32}),
        VersionStages=["AWSPENDING"],
    )["VersionId"]
    answers: list[dict[str, Any]] = []
    seeding = threading.Thread(
        target=lambda: answers.append(seed(deployed, fields={"host": "during"}))
    )
    seeding.start()
    seeding.join(0.8)
    assert value(deployed) == before
    current = secrets.get_secret_value(SecretId=arn)["VersionId"]
    secrets.update_secret_version_stage(
        SecretId=arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=pending,
        RemoveFromVersionId=current,
    )
    seeding.join()
    assert answers[0]["Updated"] == ["host"]
    assert value(deployed) == {**before, "host": "during", "password": "a" * 32}


def test_nothing_changed_writes_no_version(deployed: Deployment) -> None:
    first = seed(deployed, fields={"same": "x"})
    assert seed(deployed, fields={"same": "x"}) == {
        "VersionId": first["VersionId"],
        "Generated": [],
        "Updated": [],
    }


@pytest.mark.parametrize("held", ["s3cr3t-canary", "[1]", '"text"', "{"])
def test_a_value_that_is_no_json_object_is_refused_and_left_as_it_is(
    deployed: Deployment, held: str
) -> None:
    secrets = deployed.client("secretsmanager")
    arn = deployed.outputs["secret_arns"]["database"]
    good = deployed.secret_text(arn)
    secrets.put_secret_value(SecretId=arn, SecretString=held)
    try:
        failed = seed(deployed, fields={"host": "h"})
        assert "holds a value that is not a JSON object" in failed["errorMessage"]
        assert "s3cr3t-canary" not in json.dumps(failed)
        assert deployed.secret_text(arn) == held
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=good)


def test_a_deleted_secret_is_not_written(deployed: Deployment) -> None:
    secrets = deployed.client("secretsmanager")
    arn = deployed.outputs["secret_arns"]["database"]
    secrets.delete_secret(SecretId=arn)
    try:
        failed = seed(deployed, fields={"host": "h"})
        assert "InvalidRequestException" in failed["errorMessage"]
    finally:
        secrets.restore_secret(SecretId=arn)


def test_the_seeder_may_touch_no_other_secret(deployed: Deployment) -> None:
    (role,) = [
        each.outputs["arn"] for each in deployed.record.resources if each.name == "seeder-role"
    ]
    own, other = (deployed.outputs["secret_arns"][name] for name in ("database", "another"))
    outcomes = read_as(deployed.client, role, [own, other])
    assert outcomes[own] == READ
    assert "AccessDeniedException" in outcomes[other]


@pytest.mark.parametrize("late", ["SeedSecrets", "EncryptSecrets", "MakePasswords"])
def test_a_grant_that_is_not_there_yet_is_waited_for(deployed: Deployment, late: str) -> None:
    """IAM is known everywhere some seconds after a role got its policy; a first call is early."""
    iam = deployed.client("iam")
    (arn,) = [
        each.outputs["arn"]
        for each in deployed.record.resources
        if each.name == "seeder-seed-1" and each.type.endswith(":Policy")
    ]
    whole = iam.get_policy_version(
        PolicyArn=arn, VersionId=iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    )["PolicyVersion"]["Document"]

    def grant(statements: list[dict[str, Any]]) -> None:
        document = json.dumps({**whole, "Statement": statements})
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        for each in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not each["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=each["VersionId"])

    grant([each for each in whole["Statement"] if each["Sid"] != late])
    granted = threading.Timer(1.5, grant, [whole["Statement"]])
    granted.start()
    result = seed(deployed, fields={late: "x"}, generate={late + "2": {}})
    granted.join()
    assert result["Updated"] == [late]
    assert result["Generated"] == [late + "2"]
