"""A project's files, read as the Pulumi CLI would hand them to a program."""

import json
from pathlib import Path

import pytest

from local.project import ProjectError, Stack, load

PROJECT = """
name: shop
config:
  aws:region: {value: us-east-1}
  function: {type: object, default: {memoryMb: 256}}
  recoveryWindowDays: 30
  secretValues: {type: object}
"""


def read(tmp_path: Path, stack: str, config: str) -> Stack:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / f"Pulumi.{stack}.yaml").write_text(config)
    return load(tmp_path, stack)


def test_a_stack_has_the_projects_values_and_its_own(tmp_path: Path) -> None:
    stack = read(tmp_path, "dev", "config:\n  shop:recoveryWindowDays: 7\n")
    assert stack.config == {
        "aws:region": "us-east-1",
        "shop:function": '{"memoryMb": 256}',
        "shop:recoveryWindowDays": "7",
    }
    assert stack.region == "us-east-1"
    assert stack.program == tmp_path / "__main__.py"


def test_an_empty_stack_file_is_a_stack(tmp_path: Path) -> None:
    assert read(tmp_path, "dev", "").name == "dev"


def test_an_encrypted_value_gets_a_stand_in_and_is_named(tmp_path: Path) -> None:
    text = "config:\n  shop:secretValues:\n    stripe:\n      secure: AAABcipher\n"
    stack = read(tmp_path, "dev", text)
    values = json.loads(stack.config["shop:secretValues"])
    assert set(json.loads(values["stripe"])) == {"host", "dbname", "username", "password"}
    assert "cipher" not in str(stack)
    assert stack.secret_keys == ("shop:secretValues",)
    assert stack.stand_ins == ("shop:secretValues.stripe",)


def test_a_map_encrypted_as_a_whole_is_refused_as_pulumi_refuses_it(tmp_path: Path) -> None:
    text = "config:\n  shop:secretValues: {secure: AAABcipher}\n"
    with pytest.raises(ProjectError, match="set each value with `pulumi config set") as error:
        read(tmp_path, "dev", text)
    assert "cipher" not in str(error.value)


def test_a_map_with_one_encrypted_value_is_secret_to_the_program(tmp_path: Path) -> None:
    text = "config:\n  shop:function: {runtime: {secure: AAAB}, memoryMb: 256}\n"
    assert read(tmp_path, "dev", text).secret_keys == ("shop:function",)


def test_a_plain_value_beside_an_encrypted_one_is_not_taken_for_encrypted(tmp_path: Path) -> None:
    text = "config:\n  shop:secretValues:\n    a: {secure: AAAB}\n    b: plain\n"
    assert read(tmp_path, "dev", text).secret_keys == ()


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    read(tmp_path, "dev", "")
    (tmp_path / "Pulumi.dev.yaml").write_bytes(b"config:\n  a: \xe9\n")
    with pytest.raises(ProjectError, match=r"Pulumi\.dev\.yaml is not text in UTF-8"):
        load(tmp_path, "dev")


def test_a_secret_named_secure_is_a_secret(tmp_path: Path) -> None:
    text = "config:\n  shop:secrets:\n    secure: {from: external}\n"
    stack = read(tmp_path, "dev", text)
    assert stack.stand_ins == ()
    assert json.loads(stack.config["shop:secrets"]) == {"secure": {"from": "external"}}


def test_two_stand_ins_are_never_the_same(tmp_path: Path) -> None:
    text = "config:\n  shop:secretValues:\n    a: {secure: A}\n    b: {secure: A}\n"
    values = json.loads(read(tmp_path, "dev", text).config["shop:secretValues"])
    assert values["a"] != values["b"]


def test_a_missing_stack_file_is_named_with_those_there_are(tmp_path: Path) -> None:
    read(tmp_path, "dev", "")
    with pytest.raises(ProjectError, match=r"Pulumi\.qa\.yaml is missing; .*: dev$"):
        load(tmp_path, "qa")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config:\n  a: [1\n", r"Pulumi\.dev\.yaml, line 3 is not YAML"),
        ("config: 7\n", r"Pulumi\.dev\.yaml: config must be a map"),
        ("- a\n", r"Pulumi\.dev\.yaml: the file must be a map"),
        ("config:\n  a: {secure: s3cr3t-canary\n", "is not YAML"),
        ("config:\n  a: 1\n  a: 2\n", "the key 'a' stands there twice"),
        ("config:\n  7: x\n", "a key of config is no text; put 7 in quotes"),
        ("config:\n  a: 2026-01-01\n", r"config\.a is a date; put it in quotes"),
        ("config:\n  a: !!binary eA==\n", r"config\.a is a bytes"),
        ("config:\n  a: &x [*x]\n", "holds an alias to what it stands in"),
        ('config:\n  a: "\\uD800"\n', "is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_not_quoted(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ProjectError, match=message) as error:
        read(tmp_path, "dev", text)
    assert "s3cr3t-canary" not in str(error.value)
