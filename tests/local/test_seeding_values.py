"""What a secret holds stays as it is when a seeding or a rotation writes it again, or is refused.

Both are run in this process, with the credentials of a seeder's role, which may do what this
needs of a rotation, too.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

import rotation
import rotation_engine
import seed
from tests.local import rotation_support, seeding_support
from tests.local.seeding_support import Seeded, Seeding
from tests.scripted import told

idle_function = rotation_support.idle_function
seeding, seeded_prefix = seeding_support.seeding, seeding_support.seeded_prefix

Write = Callable[[Seeded], str]
REFUSED = (seed.SeedError, rotation_engine.RotationError)
RULES = {"length": 40, "excludePunctuation": True}


@pytest.fixture(params=["seeding", "rotation"])
def write(
    request: pytest.FixtureRequest, idle_function: str, monkeypatch: pytest.MonkeyPatch
) -> Write:
    """Return the function that writes a secret with a new `key`, and returns the new text."""

    def by_seeding(secret: Seeded) -> str:
        secret.seed(generate={"key": RULES})
        return secret.text()

    def by_rotation(secret: Seeded) -> str:
        token = secret.begin_rotation(idle_function)
        for name, setting in {
            "SECRET_ARN": secret.arn,
            "STRATEGY": "random",
            "GENERATE": json.dumps({"key": RULES}),
            "OVERLAP_SECONDS": "0",
        }.items():
            monkeypatch.setenv(name, setting)
        event = {"SecretId": secret.arn, "ClientRequestToken": token}
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            rotation.lambda_handler({"Step": step, **event}, None)
        return secret.text()

    writers: dict[str, Write] = {"seeding": by_seeding, "rotation": by_rotation}
    return writers[request.param]


@pytest.mark.parametrize(
    "rest",
    [
        json.dumps("é" * 20_000, ensure_ascii=False),
        json.dumps("密" * 20_000, ensure_ascii=False),
        f"[{','.join(['1'] * 32_000)}]",
    ],
    ids=["é", "密", "compact"],
)
def test_a_value_grows_by_nothing_but_what_is_new(
    seeding: Seeding, write: Write, rest: str
) -> None:
    secret = seeding.secret(f'{{"rest":{rest}}}')
    written = write(secret)
    assert json.loads(written)["rest"] == json.loads(rest)
    assert len(written.encode()) == len(f'{{"rest":{rest},"key":"{"k" * 40}"}}'.encode())


@pytest.mark.parametrize(
    "rest",
    [
        "0.1",
        "1.50",
        "-2E-5",
        "12345678901234567890123",
        "[true, false, null, {}, []]",
        r'"\ud800 \\ \" \u0000"',
        '"😀"',
    ],
)
def test_what_json_can_hold_is_kept(seeding: Seeding, write: Write, rest: str) -> None:
    assert json.loads(write(seeding.secret(f'{{"rest": {rest}}}')))["rest"] == json.loads(rest)


@pytest.mark.parametrize(
    ("held", "match"),
    [
        ('{"rest": 1e400}', "a number with more digits, or a larger exponent"),
        ('{"rest": 0.10000000000000000001}', "a number with more digits"),
        ('{"rest": 1e-99999999999999999999}', "a number with more digits"),
        ('{"rest": NaN}', "has NaN, which JSON does not allow; put it in quotes"),
        ('{"rest": "s3cr3t", "rest": 2}', "has the field 'rest' twice; remove one of them"),
        ('{"rest": [{"a": "s3cr3t", "b": 1, "a": 2}]}', "has the field 'a' twice"),
        (
            f'{{"rest": "{"s3cr3t" * 10_917}"}}',
            r"would have 65,\d{3} bytes, and Secrets Manager stores at most 65,536",
        ),
        (
            f'{{"rest": {"[" * 20_000}"s3cr3t"{"]" * 20_000}}}',
            "not a JSON object, or is nested too deeply",
        ),
    ],
    ids=["1e400", "digits", "1e-…", "NaN", "twice", "twice below", "large", "deep"],
)
def test_what_would_not_be_kept_is_refused_with_the_way_out(
    seeding: Seeding, write: Write, held: str, match: str
) -> None:
    secret = seeding.secret(held)
    with pytest.raises(REFUSED, match=match) as refusal:
        write(secret)
    assert "s3cr3t" not in told(refusal.value)
    assert secret.text() == held


def test_a_value_that_is_not_written_again_may_hold_anything(seeding: Seeding) -> None:
    held = '{"rest": 1e400, "rest": 2, "key": "k"}'
    secret = seeding.secret(held)
    assert secret.seed(generate={"key": RULES})["Generated"] == []
    assert secret.text() == held


@pytest.mark.parametrize("kept", [0, False, [], {}], ids=repr)
def test_a_generated_field_that_is_there_is_kept(seeding: Seeding, kept: Any) -> None:
    secret = seeding.secret({"key": kept})
    assert secret.seed(generate={"key": RULES})["Generated"] == []
    assert secret.value() == {"key": kept}


@pytest.mark.parametrize("placeholder", ["", None], ids=repr)
def test_an_empty_text_and_null_are_placeholders_of_a_generated_field(
    seeding: Seeding, placeholder: str | None
) -> None:
    secret = seeding.secret({"key": placeholder})
    assert secret.seed(generate={"key": RULES})["Generated"] == ["key"]
    assert len(secret.value()["key"]) == 40
