"""The examples, deployed and invoked: their functions read the secrets, and no state has a value.

The program that imports the components gets them from the installed wheel.
"""

import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import deployment
from local.aws import EmbeddedAws
from local.config import project
from local.engines.built_in import BuiltInEngine, Preview
from local.proofs import leaks
from local.provider.provider import Provider
from tests import wheel
from tests.recording import ROOT

EXAMPLES = ROOT / "examples"
ORDER = "17"


def signed(key: str) -> str:
    return hmac.new(key.encode(), ORDER.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the installed wheel on the path, for one test."""
    site = wheel.install(wheel.build(tmp_path / "wheels"), tmp_path / "site")
    monkeypatch.syspath_prepend(site)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == wheel.PACKAGE]:
        del sys.modules[name]


def test_a_stack_of_ones_own_reads_its_secrets() -> None:
    stack = project.load(ROOT, "shop", EXAMPLES / "own-stack/Pulumi.shop.yaml")
    with deployment.running(stack) as made:
        answer = made.functions["orders"].request().result
        key = json.loads(made.secret_text(made.secret_arns["signing"]))["key"]
        token = made.secret_text(made.secret_arns["payments"])
        assert answer == {
            "order": ORDER,
            "signature": signed(key),
            "authorization": signed(token),
        }
        assert not leaks.leaked(made.record.state, {key, token})


@pytest.mark.usefixtures("installed")
def test_a_program_of_ones_own_uses_the_installed_components() -> None:
    stack = project.load(EXAMPLES / "imported-components", "dev")
    planned = BuiltInEngine(Preview())
    planned.run(stack)
    with EmbeddedAws(layers=deployment.layer_arns(planned)) as aws:
        engine = BuiltInEngine(Provider(aws, stack.region))
        engine.run(stack)
        response = aws.client("lambda", stack.region).invoke(
            FunctionName=engine.outputs["function_alias_arn"],
            Payload=json.dumps({"order": ORDER}),
        )
        with response["Payload"] as payload:
            answer = json.loads(payload.read())
        read = aws.client("secretsmanager", stack.region).get_secret_value(
            SecretId=engine.outputs["secret_arn"]
        )
    key = json.loads(read["SecretString"])["key"]
    assert answer == {"order": ORDER, "signature": signed(key)}
    assert not leaks.leaked(engine.state(), {key})
