"""Physical names: what AWS takes, whatever project, stack and secret are called."""

import functools
import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.names import Names
from infra.physical_names import _TYPES, log_group, physical_name

# What Pulumi allows in the names of project and stack, and Secrets Manager in those of secrets.
PULUMI = st.text("abcXYZ019_-.", min_size=1, max_size=100)
SECRET = st.text("abcXYZ019/_+=.@-", min_size=1, max_size=512)
# Type of a resource -> service, operation and member of the name in botocore's model.
MODELS = {
    "aws:iam/role:Role": ("iam", "CreateRole", "RoleName"),
    "aws:iam/rolePolicy:RolePolicy": ("iam", "PutRolePolicy", "PolicyName"),
    "aws:lambda/function:Function": ("lambda", "CreateFunction", "FunctionName"),
    "aws:lambda/permission:Permission": ("lambda", "AddPermission", "StatementId"),
}


@functools.cache
def modelled(service: str, operation: str, member: str) -> tuple[int, int, str]:
    """Return least and most characters of a name, and its pattern."""
    model = botocore.session.get_session().get_service_model(service)
    given = model.operation_model(operation).input_shape
    assert given
    about = given.members[member].metadata
    # For a function, the model's maximum is that of a whole ARN.
    most = 64 if member == "FunctionName" else about.get("max", 128)
    return about.get("min", 1), most, about.get("pattern", ".*")


def takes(type_: str, name: str) -> bool:
    """Whether botocore's model of AWS takes a name, and Lambda its 64 characters."""
    least, most, pattern = modelled(*MODELS[type_])
    return least <= len(name) <= most and re.fullmatch(pattern, name) is not None


def test_every_type_has_a_model() -> None:
    assert MODELS.keys() == _TYPES.keys()
    assert not takes("aws:iam/role:Role", "a" * 65)
    assert not takes("aws:lambda/function:Function", "team/db")


@given(PULUMI, PULUMI, SECRET, st.sampled_from(sorted(MODELS)))
def test_every_name_is_one_that_aws_takes(
    project: str, stack: str, secret: str, type_: str
) -> None:
    prefix = Names(project, stack).physical_prefix
    name = physical_name(prefix, f"{secret}-rotation-function", _TYPES[type_].length)
    assert takes(type_, name)
    assert name.startswith(re.sub(r"[^A-Za-z0-9_-]", "-", prefix))


@given(PULUMI, PULUMI, SECRET)
def test_a_log_groups_name_is_one_that_aws_takes(project: str, stack: str, secret: str) -> None:
    names = Names(project, stack)
    name = log_group(names.log_group_prefix, f"{names.secret(secret)}-rotation")
    assert re.fullmatch(r"[.\-_/#A-Za-z0-9]{1,512}", name)


def test_a_short_name_is_readable_and_has_project_and_stack() -> None:
    prefix = Names("app", "prod").physical_prefix
    name = physical_name(prefix, "database-rotation-role", 64)
    assert re.fullmatch(r"app-prod-database-rotation-role-[0-9a-f]{7}", name)
    assert name != physical_name(prefix, "database-rotation-role", 64)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a" * 40, "dev"), ("a" * 40, "prod")),
        (("lambda" + "x" * 40, "secrets-dev"), ("lambda" + "x" * 40 + "-secrets", "dev")),
    ],
)
def test_long_environments_have_different_prefixes(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    prefixes = {Names(*each).physical_prefix for each in (first, second)}
    assert len(prefixes) == 2
    assert all(len(each) == 33 for each in prefixes)


def test_two_secrets_have_two_log_groups() -> None:
    names = ("a+b", "a=b", "a@b", "a-b", "a/b", "a.b")
    assert len({log_group("/p-", name) for name in names}) == len(names)
    assert log_group("/p-", "a/b.c_d-e#f") == "/p-a/b.c_d-e#f"


def test_a_log_groups_name_is_cut_only_where_it_does_not_fit() -> None:
    assert log_group("/p-", "x" * 509) == f"/p-{'x' * 509}"
    assert re.fullmatch(r"/p-a-b-[0-9a-f]{7}", log_group("/p-", "a+b"))
    first, second = (log_group("/p-", "x" * 509 + end) for end in "ab")
    assert first != second
    assert {len(first), len(second)} == {512}
