"""What Lambda's resources do beyond the contract of all types."""

import json
from typing import Any

import pytest

from local.provider.archive import package
from local.provider.provider import DeploymentError, HalfMadeError
from local.provider.wire import UNKNOWN
from tests.provider.specimen import World
from tests.provider.specimens.lambda_ import ECHO, archive, function, role

FUNCTION, INVOCATION = "aws:lambda/function:Function", "aws:lambda/invocation:Invocation"
FAILS = "def handler(event, context):\n    raise ValueError('of the tests')\n"


def given(world: World, **inputs: Any) -> dict[str, Any]:
    """Return checked inputs of a function."""
    always = {"handler": "index.handler", "runtime": "python3.12", "role": role(world)}
    return world.checked(FUNCTION, "f", **{"code": archive(ECHO), **always, **inputs})


def invocation(world: World, **inputs: Any) -> dict[str, Any]:
    return world.checked(INVOCATION, "i", **{"functionName": function(world)["name"], **inputs})


@pytest.mark.parametrize(
    ("name", "inputs", "told"),
    [
        ("with.period", {}, "name: must match"),
        ("x" * 57, {}, "name: would be"),
        ("f", {"runtime": None}, "runtime: handler and runtime must be set"),
        ("f", {"runtime": "python4.0"}, "runtime: must be one of"),
        ("f", {"memorySize": 64}, "memorySize: must be 128"),
        ("f", {"layers": ["no-arn"]}, "layers: must be an ARN"),
        ("f", {"role": "no-arn"}, "role: must be an ARN"),
        ("f", {"loggingConfig": {"logFormat": "XML"}}, "loggingConfig.logFormat: must be one of"),
        ("f", {"vpcConfig": {"subnetIds": []}}, "vpcConfig.securityGroupIds: is required"),
        (
            "f",
            {"replacementSecurityGroupIds": ["sg-1"]},
            "replacementSecurityGroupIds: can be set only together with",
        ),
    ],
)
def test_a_preview_refuses(world: World, name: str, inputs: dict[str, Any], told: str) -> None:
    wanted = {"code": archive(ECHO), "handler": "h", "runtime": "python3.12", "role": role(world)}
    _, refused = world.provider.check(FUNCTION, name, {**wanted, **inputs})

    assert {path for path, _ in refused} == {told.partition(":")[0]}
    assert f"{refused[0][0]}: {refused[0][1]}".startswith(told)


def test_a_function_whose_concurrency_is_refused_is_made_nevertheless(world: World) -> None:
    inputs = given(world, reservedConcurrentExecutions=950)

    with pytest.raises(HalfMadeError, match="below its minimum") as error:
        world.provider.create(FUNCTION, "f", inputs)
    try:
        assert error.value.id == inputs["name"]
        wrong = world.provider.diff(FUNCTION, error.value.state, inputs)
        assert wrong.changed == {"reservedConcurrentExecutions"}
    finally:
        world.provider.delete(FUNCTION, "f", error.value.id, error.value.state)


@pytest.mark.parametrize(
    ("change", "publish", "unknown"),
    [
        ({"memorySize": 512}, True, {"version", "qualifiedArn", "qualifiedInvokeArn"}),
        ({"memorySize": 512}, False, set()),
        ({"code": archive(FAILS)}, False, {"lastModified"}),
        ({"reservedConcurrentExecutions": 5}, True, set()),
        ({"tags": {"A": "1"}}, True, set()),
    ],
)
def test_a_preview_knows_what_an_update_publishes(
    world: World, change: dict[str, Any], unknown: set[str], *, publish: bool
) -> None:
    inputs = given(world, name="f", publish=publish)
    id_, state = world.provider.create(FUNCTION, "f", inputs)
    try:
        wanted = {**inputs, **change}
        planned = world.provider.updated(FUNCTION, state, wanted)
        assert {key for key, value in planned.items() if value == UNKNOWN} == unknown
        updated = world.provider.update(FUNCTION, "f", id_, state, wanted)
        assert (updated["version"] != state["version"]) == ("version" in unknown)
        assert updated["qualifiedArn"] == f"{state['arn']}:{updated['version']}"
    finally:
        world.provider.delete(FUNCTION, "f", id_, state)


def test_the_names_of_variables_stay_as_they_are(world: World) -> None:
    variables = {"UPPER": "1", "lower": "2", "camelCase": "3"}
    inputs = given(world, name="f", environment={"variables": variables})
    id_, state = world.provider.create(FUNCTION, "f", inputs)
    try:
        found = world.client("lambda").get_function(FunctionName="f")["Configuration"]
        assert found["Environment"]["Variables"] == variables
    finally:
        world.provider.delete(FUNCTION, "f", id_, state)


def test_code_that_cannot_be_packed_is_refused(world: World) -> None:
    code = {**archive(ECHO), "assets": {"a": {"uri": "https://example.com"}}}

    with pytest.raises(DeploymentError, match="supports only files and texts"):
        world.provider.create(FUNCTION, "f", given(world, code=code))


def test_a_kept_function_is_not_deleted(world: World) -> None:
    inputs = given(world, name="f", skipDestroy=True)
    id_, state = world.provider.create(FUNCTION, "f", inputs)

    world.provider.delete(FUNCTION, "f", id_, state)

    assert world.provider.read(FUNCTION, "f", id_, state)
    world.provider.delete(FUNCTION, "f", id_, {**state, "skipDestroy": False})
    assert world.provider.read(FUNCTION, "f", id_, state) is None


def test_an_invocation_calls_once_and_keeps_the_result(world: World) -> None:
    inputs = invocation(world, input='{"a": 1}')
    id_, state = world.provider.create(INVOCATION, "i", inputs)

    assert id_ == f"{inputs['functionName']},$LATEST,42b7b4f2921788ea14dac5566e6f06d0"
    assert json.loads(state["result"]) == {"a": 1}
    assert world.provider.read(INVOCATION, "i", id_, state) == state
    again = world.provider.diff(INVOCATION, state, {**inputs, "input": "{}"})
    assert again.replaces == {"input"}


def test_an_invocation_with_a_whole_life_tells_the_action_and_the_previous_input(
    world: World,
) -> None:
    inputs = invocation(world, input='{"a": 1}', lifecycleScope="CRUD", terraformKey="about")
    id_, state = world.provider.create(INVOCATION, "i", inputs)
    created = {"action": "create", "prev_input": None}
    assert json.loads(state["result"]) == {"a": 1, "about": created}

    wanted = {**inputs, "input": '{"a": 2}'}
    assert world.provider.diff(INVOCATION, state, wanted).replaces == set()
    assert world.provider.updated(INVOCATION, state, wanted)["result"] == UNKNOWN
    state = world.provider.update(INVOCATION, "i", id_, state, wanted)
    updated = {"action": "update", "prev_input": {"a": 1}}
    assert json.loads(state["result"]) == {"a": 2, "about": updated}

    functions = world.client("lambda")
    functions.update_function_code(
        FunctionName=inputs["functionName"], ZipFile=package(archive(FAILS))
    )
    with pytest.raises(DeploymentError, match="of the tests"):
        world.provider.delete(INVOCATION, "i", id_, state)


def test_an_invocation_that_fails_shows_the_error(world: World) -> None:
    failing = given(world, name="failing", code=archive(FAILS))
    id_, state = world.provider.create(FUNCTION, "f", failing)
    try:
        inputs = {**invocation(world, input="{}"), "functionName": "failing"}
        with pytest.raises(DeploymentError, match=r"invoking failing: .*of the tests"):
            world.provider.create(INVOCATION, "i", inputs)
    finally:
        world.provider.delete(FUNCTION, "f", id_, state)


def test_a_whole_life_wants_an_object(world: World) -> None:
    inputs = {"functionName": "f", "input": "[1]", "lifecycleScope": "CRUD"}

    _, refused = world.provider.check(INVOCATION, "i", inputs)

    assert [path for path, _ in refused] == ["input"]
    assert world.provider.check(INVOCATION, "i", {**inputs, "lifecycleScope": None})[1] == []
