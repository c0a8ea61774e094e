"""The commands of docs/operations.md after a kill, a destroy and a change by hand."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.aws import EmbeddedAws
from local.provider.provider import Created
from local.provider.server import served
from tests.engine.cli import needs_cli
from tests.engine.conftest import CANARY, REGION, CommandError, Stack, commands, refusal
from tests.engine.test_documented import documented, run
from tests.recording import PROJECT

pytestmark = [pytest.mark.exhaustive, needs_cli]

ALIAS, LOG_GROUP = "aws:kms/alias:Alias", "aws:cloudwatch/logGroup:LogGroup"
SECRET, PARAMETER = "aws:secretsmanager/secret:Secret", "aws:ssm/parameter:Parameter"
WINDOW = {"recoveryWindowDays": 7}
_PATIENCE_SECONDS = 60


class InFlight:
    """Keeps creations of some types from being answered, until one of each is made."""

    def __init__(self, *types: str) -> None:
        self.names: dict[str, str] = {}
        """Logical name -> type, of those that are made and not answered."""
        self._types = set(types)
        self._full, self._end = threading.Event(), threading.Event()

    def created(self, resource: Created) -> None:
        """Hear of a creation, as the provider has it done."""
        if resource.type in self._types and not self._end.is_set():
            self.names[resource.name] = resource.type
            if self._types == {*self.names.values()}:
                self._full.set()
            self._end.wait(_PATIENCE_SECONDS)

    def kill(self, stack: Stack) -> None:
        """Deploy, and kill the CLI when everything is in flight."""
        with ThreadPoolExecutor() as pool:
            command = "echo $$ > pid; exec pulumi up --skip-preview --parallel 16"
            deployed = pool.submit(stack.run, command)
            try:
                assert self._full.wait(_PATIENCE_SECONDS)
                os.kill(int((stack.work / "pid").read_text()), signal.SIGKILL)
                with pytest.raises(CommandError):
                    deployed.result()
            finally:
                self._end.set()


def killed(stack: Stack, account: tuple[EmbeddedAws, int], *types: str) -> dict[str, str]:
    """Kill a deployment with creations of these types in flight; return them."""
    flight, (aws, own) = InFlight(*types), account
    with served(aws, REGION, flight.created) as port:
        stack.attach(port)
        flight.kill(stack)
    stack.attach(own)
    assert "the stack is currently locked" in refusal(stack.up)
    return flight.names


# Each group is made at the same time, as it waits for the same.
@pytest.mark.parametrize("types", [(ALIAS, SECRET, PARAMETER), (LOG_GROUP,)])
def test_what_has_a_name_and_was_made_when_the_cli_was_killed_is_deleted_and_made_again(
    stack: Stack,
    account: tuple[EmbeddedAws, int],
    types: tuple[str, ...],
) -> None:
    unlock, delete, deploy, _, _ = documented("An interrupted deployment")
    stack.write({}, parameters={"x": {"value": "info"}})
    names = killed(stack, account, *types)
    told = refusal(lambda: run(stack, unlock))
    for name in names:
        assert f"::{name}, interrupted while creating" in told
    assert "exists" in told
    secret, parameter, alias, logs, _ = delete.splitlines()
    lines = {ALIAS: alias, LOG_GROUP: logs, PARAMETER: parameter, SECRET: secret}
    for name, type_ in names.items():
        own = name.removeprefix("parameters-").removesuffix("-secret").removesuffix("-logs")
        run(stack, lines[type_].replace("NAME", own))
    assert "interrupted while creating" in run(stack, deploy)
    assert "interrupted" not in stack.run("pulumi up --skip-preview --expect-no-changes")


def test_a_key_that_was_made_twice_is_found(
    stack: Stack, account: tuple[EmbeddedAws, int]
) -> None:
    unlock, _, _, leftovers, _ = documented("An interrupted deployment")
    stack.write({})
    names = killed(stack, account, "aws:kms/key:Key")
    assert names.keys() == {"environment-key"}
    run(stack, unlock)
    look, delete = leftovers.splitlines()
    (found,) = run(stack, look).splitlines()
    orphan, own = found.split()[0], stack.run("pulumi stack output key_arn").strip()
    assert ":key/" in orphan
    assert orphan != own
    assert "delete it in 30 days? [y/N]" in run(stack, f"echo n | {delete}")
    assert "is deleted on" not in run(stack, look)
    run(stack, f"echo y | {delete}")
    assert "is deleted on" in run(stack, look)
    assert own not in run(stack, look)


def test_a_destroy_goes_on_when_a_secret_is_scheduled_for_deletion_already(stack: Stack) -> None:
    *_, destroy = documented("An interrupted deployment")
    stack.write({}, **WINDOW)
    stack.up()
    # As a kill leaves it: AWS has deleted it, and the state still has it.
    stack.secrets.delete_secret(SecretId=f"{stack.prefix}database", RecoveryWindowInDays=7)
    told = refusal(lambda: stack.run("pulumi destroy --skip-preview"))
    assert "already scheduled for deletion" in told
    run(stack, destroy)
    assert stack.urns() == set()


def test_a_stack_that_was_destroyed_is_deployed_again_with_its_values(stack: Stack) -> None:
    ask, take_back = documented("Deploy again after a destroy")
    generated: dict[str, Any] = {"generate": {"password": {}}}
    secure = {"type": "SecureString"}
    stack.write({}, secrets={"x": generated}, parameters={"x": secure}, **WINDOW)
    stack.up()
    stack.put(CANARY, "database")
    values = stack.text("database"), stack.text("x"), stack.value("x")
    key = stack.run("pulumi stack output key_arn")
    stack.run("pulumi destroy --skip-preview")
    assert stack.text("x") is None
    told = refusal(lambda: run(stack, ask))
    restoring = commands(told)
    assert [line.split()[2] for line in restoring] == [
        *("cancel-key-deletion", "enable-key", "restore-secret", "restore-secret")
    ]
    for line in restoring:
        stack.run(line)
    run(stack, take_back)
    assert (stack.text("database"), stack.text("x"), stack.value("x")) == values
    assert None not in values
    assert stack.run("pulumi stack output key_arn") == key
    stack.run("pulumi preview --expect-no-changes")


def test_drift_is_found(stack: Stack) -> None:
    (find,) = documented("Find drift")
    find = f"unset PULUMI_SKIP_CONFIRMATIONS; {find}"  # which stands for --yes
    stack.write({}, parameters={"x": {"value": "info"}})
    stack.up()
    run(stack, find)
    stack.ssm.put_parameter(Name=stack.parameter_name, Value="by hand", Overwrite=True)
    assert "no changes were expected" in refusal(lambda: run(stack, find))
    stack.run("pulumi up --refresh --skip-preview")
    assert stack.value() == "info"
    run(stack, find)


def restore(stack: Stack) -> None:
    """Do what docs/operations.md says about a state that cannot be read."""
    (lines,) = documented("A state file that cannot be read")
    run(stack, lines.replace(f"~/.pulumi/stacks/{PROJECT}", str(stack.state_file.parent)))


def test_a_state_file_that_was_cut_off_is_restored_from_the_backup(stack: Stack) -> None:
    stack.configure_secrets(x={"generate": {"password": {}}})
    stack.up()
    value = stack.text("x")
    stack.configure_secrets(x={"generate": {"password": {}}, "description": "changed"})
    stack.up()
    stack.state_file.write_bytes(b"")
    assert "failed to load checkpoint" in refusal(stack.up)
    restore(stack)
    stack.up()
    assert stack.text("x") == value
    assert "interrupted" not in stack.run("pulumi preview --expect-no-changes")
