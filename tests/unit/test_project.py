"""A project's files, read as the Pulumi CLI would hand them to a program."""

import json
from pathlib import Path

import pytest

from local.config.project import ProjectError, Stack, load

PROJECT = """
name: shop
config:
  aws:region: {value: us-east-1}
  function: {type: object, default: {memoryMb: 256}}
  recoveryWindowDays: 30
  secretValues: {type: object, default: {}}
"""


# (what a stack's file gives a key, the text that a program gets).
# tests/engine/test_project.py puts the same tables to the CLI itself.
TEXTS = [
    *[("60", "60"), ("'60'", "60"), ("true", "true"), ("'true'", "true"), ("yes", "yes")],
    *[("", ""), ("~", ""), ("''", ""), ("1e3", "1000"), ("0.00001", "0.00001"), ("1e-7", "1e-7")],
    *[("9223372036854775808", "9223372036854775808"), ("18446744073709551615", str(2**64 - 1))],
    *[("{b: 1, a: [x, ~]}", '{"a":["x",null],"b":1}'), ("[]", "[]"), ("{}", "{}")],
]
# (the config of a stack of the project app, the keys that a program gets).
KEYS = [
    ("{a: 1}", {"app:a": "1"}),
    ("{app:a: 1}", {"app:a": "1"}),
    ("{app:config:a: 1}", {"app:a": "1"}),
    ("{aws:region: r, aws:config:profile: p}", {"aws:region": "r", "aws:profile": "p"}),
    ("{':a': 1, 'b:': 2, '': 3}", {":a": "1", "b:": "2", "app:": "3"}),
]
# (the same, what the error says).
REFUSED_KEYS = [
    ("{7: x}", "a key of config is not text; put 7 in quotes"),
    ("{a:b:c: x}", "the key a:b:c has too many colons; write NAMESPACE:KEY"),
]


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
        "shop:secretValues": "{}",
    }
    assert stack.region == "us-east-1"
    assert stack.program == tmp_path / "__main__.py"


def test_an_empty_stack_file_is_a_stack(tmp_path: Path) -> None:
    assert read(tmp_path, "dev", "").name == "dev"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("metadata: {a: 1}", "unknown key 'metadata'; allowed keys: config, encryptedkey"),
        ("environment: [shared]", "environment takes config from Pulumi Cloud, which the local"),
    ],
)
def test_what_a_newer_pulumi_or_pulumi_cloud_adds_to_a_stack_file_is_refused(
    tmp_path: Path, line: str, told: str
) -> None:
    own = "secretsprovider: passphrase\nencryptionsalt: v1:x\nencryptedkey: y\nconfig: {}\n"
    read(tmp_path, "dev", own)
    with pytest.raises(ProjectError) as error:
        read(tmp_path, "dev", f"{own}{line}\n")
    assert str(error.value).startswith(f"Pulumi.dev.yaml: {told}")
    assert "\n" not in str(error.value)


def test_an_encrypted_value_gets_a_stand_in_and_is_named(tmp_path: Path) -> None:
    text = "config:\n  shop:secretValues:\n    stripe:\n      secure: AAABcipher\n"
    stack = read(tmp_path, "dev", text)
    values = json.loads(stack.config["shop:secretValues"])
    assert set(json.loads(values["stripe"])) == {"host", "dbname", "username", "password"}
    assert "cipher" not in str(stack)
    assert stack.secret_keys == ("shop:secretValues",)
    assert stack.placeholders == ("shop:secretValues.stripe",)


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
    with pytest.raises(ProjectError, match=r"Pulumi\.dev\.yaml is not UTF-8 text"):
        load(tmp_path, "dev")


def test_a_secret_named_secure_is_a_secret(tmp_path: Path) -> None:
    text = "config:\n  shop:secrets:\n    secure: {from: external}\n"
    stack = read(tmp_path, "dev", text)
    assert stack.placeholders == ()
    assert json.loads(stack.config["shop:secrets"]) == {"secure": {"from": "external"}}


def test_two_stand_ins_are_never_the_same(tmp_path: Path) -> None:
    text = "config:\n  shop:secretValues:\n    a: {secure: A}\n    b: {secure: A}\n"
    values = json.loads(read(tmp_path, "dev", text).config["shop:secretValues"])
    assert values["a"] != values["b"]


def test_a_stack_file_with_the_other_ending_is_named(tmp_path: Path) -> None:
    read(tmp_path, "dev", "config: {}\n")
    (tmp_path / "Pulumi.qb.yml").write_text("config: {}\n")
    with pytest.raises(ProjectError) as error:
        load(tmp_path, "qb")
    assert str(error.value) == "Pulumi.qb.yaml is missing, but Pulumi.qb.yml exists; rename it"


def test_a_missing_stack_file_is_named_with_those_there_are(tmp_path: Path) -> None:
    read(tmp_path, "dev", "")
    with pytest.raises(ProjectError, match=r"Pulumi\.qa\.yaml is missing; .*: dev$"):
        load(tmp_path, "qa")


@pytest.mark.parametrize(("written", "text"), TEXTS)
def test_a_program_gets_a_value_as_the_cli_writes_it(
    tmp_path: Path, written: str, text: str
) -> None:
    kept = read(tmp_path, "dev", f"config:\n  key: {written}\n").config["shop:key"]
    assert kept.replace(" ", "") == text


@pytest.mark.parametrize(("config", "named"), KEYS)
def test_a_key_without_a_namespace_is_the_projects(
    tmp_path: Path, config: str, named: dict[str, str]
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config: {config}\n")
    assert load(tmp_path, "dev").config == named


@pytest.mark.parametrize(("config", "message"), REFUSED_KEYS)
def test_a_key_that_the_cli_refuses_is_refused(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(ProjectError, match=rf"^Pulumi\.dev\.yaml: {message}$"):
        read(tmp_path, "dev", f"config: {config}\n")


@pytest.mark.parametrize(
    ("first", "second"),
    [("a", "shop:a"), ("shop:a", "a"), ("a", "shop:config:a"), ("x:a", "x:config:a")],
)
def test_two_forms_of_one_key_are_refused_as_the_cli_takes_any(
    tmp_path: Path, first: str, second: str
) -> None:
    message = f"{first} and {second} are the same key, and Pulumi may use either value; keep one"
    with pytest.raises(ProjectError, match=rf"^Pulumi\.dev\.yaml: {message}$"):
        read(tmp_path, "dev", f"config:\n  {first}: 1\n  {second}: 1\n")


def test_a_key_declared_in_the_long_form_has_its_default_and_its_type(tmp_path: Path) -> None:
    declared = "config: {app:a: {type: integer, default: 1}}"
    (tmp_path / "Pulumi.yaml").write_text(f"name: app\n{declared}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    assert load(tmp_path, "dev").config == {"app:a": "1"}
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {a: x}")
    with pytest.raises(ProjectError, match="a must be of type integer, got text"):
        load(tmp_path, "dev")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config:\n  a: [1\n", r"Pulumi\.dev\.yaml, line 3: not YAML"),
        ("config: 7\n", r"Pulumi\.dev\.yaml: config must be a map"),
        ("- a\n", r"Pulumi\.dev\.yaml: the file must be a map"),
        ("7: x\n", r"Pulumi\.dev\.yaml: a key of the file is not text; put 7 in quotes"),
        ("config:\n  a: {secure: s3cr3t-canary\n", r"Pulumi\.dev\.yaml, line 3: not YAML"),
        ("config:\n  a: s3cr3t-canary: x\n", r"Pulumi\.dev\.yaml, line 2: not YAML"),
        (
            "config:\n  a: 1\n\n  a: 2\n",
            r"Pulumi\.dev\.yaml, line 4: the key 'a' is already in line 2",
        ),
        ("config:\n  a: 2026-01-01\n", r"Pulumi\.dev\.yaml, line 2: Pulumi would add a time"),
        (f"config:\n  a: {9000 * '['}{9000 * ']'}\n", r"Pulumi\.dev\.yaml is nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_not_quoted(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ProjectError, match=message) as error:
        read(tmp_path, "dev", text)
    assert "s3cr3t-canary" not in str(error.value)
