"""What was deleted in AWS comes back by a deployment, by Pulumi's engine."""

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import Stack, refusal

pytestmark = [pytest.mark.exhaustive, needs_cli]

GENERATE = {"type": "SecureString", "generate": {"length": 20}}


def test_a_generated_parameter_that_was_deleted_comes_back_each_time(stack: Stack) -> None:
    stack.configure(x=GENERATE, y=GENERATE)
    stack.up()
    for _ in range(2):
        lost = stack.value()
        stack.ssm.delete_parameter(Name=stack.parameter_name)
        planned = stack.preview()
        assert "seeder-parameters/x replace" in planned
        assert "seeder-parameters/y" not in planned
        stack.up()
        assert len(str(stack.value())) == 20
        assert stack.value() != lost
        stack.run("pulumi preview --expect-no-changes")


def test_a_parameter_that_is_external_or_gone_from_the_config_stays_deleted(stack: Stack) -> None:
    stack.configure(x=GENERATE, y=GENERATE)
    stack.up()
    stack.ssm.delete_parameter(Name=stack.parameter_name)
    stack.configure(x={"type": "SecureString", "from": "external"})
    stack.up()
    assert stack.value() is None
    stack.run("pulumi preview --expect-no-changes")


def test_a_secret_that_was_deleted_for_good_comes_back_after_a_refresh(stack: Stack) -> None:
    given = {"x": {"generate": {"password": {}}}, "y": {"from": "config"}}
    stack.write({"y": "first"}, secrets=given)
    stack.up()
    lost = stack.text()
    for name in given:
        stack.secrets.delete_secret(SecretId=stack.prefix + name, ForceDeleteWithoutRecovery=True)
    stack.write({"y": "second"}, secrets=given)
    stack.run("pulumi up --refresh")
    assert stack.text() not in {None, lost}
    assert stack.text("y") == "second"
    stack.run("pulumi preview --expect-no-changes")


def test_a_parameter_under_the_key_of_an_earlier_environment_is_brought_along(
    stack: Stack,
) -> None:
    stack.write({}, parameters={"x": GENERATE}, recoveryWindowDays=0)
    stack.up()
    value = stack.value()
    key = stack.run("pulumi stack output key_arn").strip()
    stack.run("pulumi destroy --skip-preview")
    told = refusal(stack.up)
    assert "cannot be read" in told
    stack.run(f"aws kms cancel-key-deletion --key-id {key}")
    stack.run(f"aws kms enable-key --key-id {key}")
    (encrypt,) = {each for each in told.split("`") if "put-parameter" in each}
    stack.run(encrypt)
    stack.up()
    assert stack.value() == value
    described = stack.ssm.describe_parameters()["Parameters"]
    (about,) = [each for each in described if each["Name"] == stack.parameter_name]
    assert about["KeyId"] == stack.run("pulumi stack output key_arn").strip()
