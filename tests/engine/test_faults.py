"""Calls that fail, two deployments at once, what was deleted by hand; and their recovery."""

import itertools
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local.aws import EmbeddedAws
from local.provider.server import served
from tests.engine.cli import needs_cli
from tests.engine.conftest import REGION, CommandError, Stack, commands, refusal
from tests.engine.test_documented import documented, run
from tests.engine.test_kills import configure, values

pytestmark = [pytest.mark.exhaustive, needs_cli]

MOMENTS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


class Failing:
    """An account whose n-th call that is made by the provider does not reach AWS."""

    def __init__(self, aws: EmbeddedAws, failing: int) -> None:
        self._aws, self._failing, self._calls = aws, failing, itertools.count(1)
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._aws, name)

    def client(self, service: str, region: str) -> "Client":
        return Client(self._aws.client(service, region), self._check)

    def _check(self) -> None:
        if next(self._calls) == self._failing:
            self.failed = True
            raise EndpointConnectionError(endpoint_url=self._aws.endpoint_url)


class Client:
    """A client of boto3 that checks before each call."""

    def __init__(self, client: Any, check: Callable[[], None]) -> None:
        self._client, self._check = client, check

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in self._client.meta.method_to_api_mapping:
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._check()
            return found(*arguments, **options)

        return call


def test_a_deployment_whose_nth_call_fails_is_continued(
    stack: Stack, account: tuple[EmbeddedAws, int]
) -> None:
    aws, own = account
    configure(stack, 0)
    stack.up()
    failed = 0
    for count, moment in enumerate(MOMENTS, 1):
        before = values(stack, count - 1)
        configure(stack, count)
        failing, is_refused = Failing(aws, moment), False
        with served(failing, REGION) as port:  # type: ignore[arg-type] # an account, but for calls
            stack.attach(port)
            try:
                stack.up()
            except CommandError:
                is_refused = True
        assert failing.failed or not is_refused, moment
        failed += is_refused
        stack.attach(own)
        continue_(stack)
        after = values(stack, count)
        assert after[:-1] == before, moment
        assert after[-1], moment
        stack.run("pulumi preview --expect-no-changes")
    assert failed > len(MOMENTS) / 2


def continue_(stack: Stack) -> None:
    """Deploy again, after the commands that a refusal gives."""
    try:
        stack.up()
    except CommandError as error:
        stack.run(commands(str(error))[0])
        stack.up()


def test_of_two_deployments_at_once_one_is_refused(
    stack: Stack, account: tuple[EmbeddedAws, int]
) -> None:
    aws, own = account
    configure(stack, 1)
    second: list[str] = []

    def created(_: object) -> None:
        if not second:
            second.append("")
            second[0] = refusal(stack.up)

    with served(aws, REGION, created) as port, ThreadPoolExecutor() as pool:
        stack.attach(port)
        pool.submit(stack.up).result()
    stack.attach(own)
    assert "the stack is currently locked" in second[0]
    assert values(stack, 1)[0]
    stack.run("pulumi preview --expect-no-changes")


HAND: dict[str, Callable[[EmbeddedAws, Stack], object]] = {
    "function": lambda aws, stack: aws.client("lambda", REGION).delete_function(
        FunctionName=named(stack, "aws:lambda/function:Function", "reader-function")
    ),
    "alias of the key": lambda aws, stack: aws.client("kms", REGION).delete_alias(
        AliasName=f"alias/{stack.prefix.rstrip('/')}"
    ),
    "policy of a role": lambda aws, stack: aws.client("iam", REGION).delete_role_policy(
        RoleName=named(stack, "aws:iam/role:Role", "reader-role"),
        PolicyName=named(stack, "aws:iam/rolePolicy:RolePolicy", "reader-logs").split(":")[1],
    ),
    "log group": lambda aws, stack: aws.client("logs", REGION).delete_log_group(
        logGroupName=named(stack, "aws:cloudwatch/logGroup:LogGroup", "reader-logs")
    ),
    "parameter": lambda aws, stack: aws.client("ssm", REGION).delete_parameter(
        Name=f"/{stack.prefix}p0"
    ),
}


def named(stack: Stack, type_: str, name: str) -> str:
    """Return the id of a resource of the state."""
    (found,) = (
        each["id"]
        for each in stack.state()["deployment"]["resources"]
        if each["type"] == type_ and each["urn"].endswith(f"::{name}")
    )
    return str(found)


def test_what_was_deleted_by_hand_is_made_again(
    stack: Stack, account: tuple[EmbeddedAws, int]
) -> None:
    (find,) = documented("Find drift")
    find = f"unset PULUMI_SKIP_CONFIRMATIONS; {find}"  # which stands for --yes
    configure(stack, 1)
    stack.up()
    before = values(stack, 1)
    for name, delete in HAND.items():
        delete(account[0], stack)
        assert "no changes were expected" in refusal(lambda: run(stack, find)), name
        stack.run("pulumi up --refresh --skip-preview")
        run(stack, find)
    assert values(stack, 1) == before
    assert stack.value("p0") == "text"


@pytest.mark.parametrize("fault", ["disabled", "scheduled for deletion"])
def test_a_key_that_was_disabled_or_deleted_is_brought_back_as_documented(
    stack: Stack, account: tuple[EmbeddedAws, int], fault: str
) -> None:
    (lines,) = documented("key-disabled")
    configure(stack, 1)
    stack.up()
    before = values(stack, 1)
    key = stack.run("pulumi stack output key_arn").strip()
    kms = account[0].client("kms", REGION)
    is_leaving = fault == "scheduled for deletion"
    if is_leaving:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    else:
        kms.disable_key(KeyId=key)
    with pytest.raises(kms.exceptions.ClientError, match="DecryptionFailure"):
        stack.text("s0")

    _trail, cancel, enable, look = lines.splitlines()
    for line in (cancel, enable, look) if is_leaving else (enable, look):
        shown = run(stack, re.sub(r"--region \S+ --key-id \S+", f"--key-id {key}", line))
    assert shown.strip() == "Enabled"
    assert values(stack, 1) == before
    stack.run("pulumi preview --expect-no-changes")
