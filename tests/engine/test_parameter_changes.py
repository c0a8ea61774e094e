"""A change of a parameter's type or source, by Pulumi's engine: no value is lost unawares."""

import contextlib

import pytest

from tests.engine.conftest import CommandError, Stack

VALUE = "s3cr3t-canary"

lost = pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the engine deletes by name what left the program"
)


def deploy(stack: Stack) -> None:
    """Deploy; being refused is fine."""
    with contextlib.suppress(CommandError):
        stack.up()


@lost
@pytest.mark.parametrize("source", ["generate", "external"])
def test_a_secure_string_that_leaves_the_config_keeps_its_value(stack: Stack, source: str) -> None:
    stack.parameter(VALUE, type="SecureString", **{"from": "config"})
    stack.up()
    assert stack.value() == VALUE
    stack.parameter(None, type="SecureString", **{"from": source})
    deploy(stack)
    assert stack.value() == VALUE


@lost
def test_what_is_generated_in_the_place_of_a_string_stays(stack: Stack) -> None:
    stack.parameter(None, type="String", value="plain")
    stack.up()
    stack.parameter(None, type="SecureString")
    deploy(stack)
    if stack.value() == "plain":  # the seeder asks for this
        stack.ssm.delete_parameter(Name=stack.parameter_name)
    deploy(stack)
    assert stack.value() is not None
