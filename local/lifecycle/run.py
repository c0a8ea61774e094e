"""Makes a change of a stack's config and the way back, and checks what became of the stack."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from local import networks
from local.config.project import Stack
from local.deployment import Deployment, with_local_config
from local.engines.pulumi_engine import PulumiEngine, PulumiError, Step
from local.functions import FunctionError, NotInvokedError
from local.lifecycle.changes import TRAIL_LOG_GROUP, Change, exempted, protection
from local.lifecycle.patches import patched
from local.proofs.traffic import rotate

# Types of AWS that hold something that nobody can make again.
_HOLDS_DATA = {
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:kms/key:Key",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:s3/bucket:Bucket",
    "aws:secretsmanager/secret:Secret",
    "aws:ssm/parameter:Parameter",
}
_TAKES_AWAY = {"create-replacement", "delete", "delete-replaced", "replace"}

Steps = Mapping[str, Counter[str]]
"""Operation -> how often on each type."""


class LifecycleError(Exception):
    """A change did what it must not; the text says which and what, without a value."""


@dataclass(frozen=True)
class Outcome:
    """What a change did to the resources."""

    change: Change
    steps: Steps
    seconds: float


class Lifecycle:
    """A deployed stack that is changed again and again."""

    def __init__(self, deployment: Deployment, engine: PulumiEngine) -> None:
        self._deployment = deployment
        self._engine = engine
        self._stack = deployment.stack
        logs = deployment.client("logs")
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=TRAIL_LOG_GROUP)

    def make(self, change: Change) -> Outcome:
        """Make a change and the way back.

        Raises:
            LifecycleError: a value changed, something that holds data was lost, a function or a
                rotation fails, or another `up` would change something.

        """
        start = time.perf_counter()
        try:
            wanted = self._wanted(change)
            steps = self._up(wanted, change)
            if not steps:
                raise LifecycleError(f"{change.title}: changes nothing")
            self.check(change.title)
            self._return(wanted, change)
        except (PulumiError, ClientError) as error:
            raise LifecycleError(f"{change.title}: {error}") from error
        return Outcome(change, steps, time.perf_counter() - start)

    def take_back(self, change: Change) -> None:
        """Deploy the stack's own config again, after a change that failed.

        Raises:
            PulumiError: that failed, too.

        """
        for stack in (patched(self._stack, exempted(*change.deletes)), self._stack):
            self._configure(stack)
            self._engine.up()

    def _wanted(self, change: Change) -> Stack:
        wanted = patched(self._stack, change.patch)
        if protection(self._stack) == "strict":
            wanted = patched(wanted, exempted(*change.breaks))
            wanted = patched(wanted, {"exemptions": dict.fromkeys(change.meets)})
        if "network" in change.patch and not self._stack.section("network").get("subnetIds"):
            wanted = networks.with_local_vpc(wanted, self._deployment.aws)
        return wanted

    def _return(self, wanted: Stack, change: Change) -> None:
        asked = exempted(*change.deletes)
        if asked and protection(self._stack) == "strict":
            self._configure(patched(wanted, asked))
            self._engine.up()  # ends the protection
        self._up(patched(self._stack, asked), change)
        if asked:
            self._configure(self._stack)
            self._engine.up()  # protects again

    def _up(self, stack: Stack, change: Change) -> Steps:
        before = self._values()
        self._configure(stack)
        steps = self._engine.up()
        self._deployment = replace(
            self._deployment, stack=with_local_config(stack), record=self._engine.record()
        )
        self._compare(before, change)
        lost = {step.name for step in steps if _loses(step)} - {*change.replaces}
        if lost:
            raise LifecycleError(f"{change.title}: takes away {', '.join(sorted(lost))}")
        return _counted(steps)

    def _configure(self, stack: Stack) -> None:
        self._engine.configure(with_local_config(stack))

    def check(self, title: str) -> None:
        """Check that another `up` does nothing, every function answers and every secret rotates.

        Raises:
            LifecycleError: one does not; the text begins with the title.

        """
        if again := self._engine.preview():
            names = ", ".join(sorted({f"{step.operation} {step.name}" for step in again}))
            raise LifecycleError(f"{title}: another `up` would {names}")
        for function in self._deployment.functions.values():
            try:
                function.request()
            except NotInvokedError:
                continue
            except FunctionError as error:
                raise LifecycleError(f"{title}: {function.name}: {error}") from error
        for name in self._deployment.rotating:
            try:
                rotate(self._deployment, self._deployment.outputs["secret_arns"][name])
            except TimeoutError as error:
                raise LifecycleError(f"{title}: {error}") from error

    def _values(self) -> dict[str, str]:
        """Read every secret and parameter: logical name -> text, empty if there is none."""
        return dict(self._read())

    def _read(self) -> Iterator[tuple[str, str]]:
        secrets, ssm = (self._deployment.client(name) for name in ("secretsmanager", "ssm"))
        outputs = self._deployment.outputs
        for name, arn in outputs["secret_arns"].items():
            try:
                yield name, secrets.get_secret_value(SecretId=arn)["SecretString"]
            except secrets.exceptions.ResourceNotFoundException:
                yield name, ""
        prefix = self._deployment.names.parameter("")
        for full in outputs["parameter_arns"]:
            read = ssm.get_parameter(Name=full, WithDecryption=True)["Parameter"]
            yield full.removeprefix(prefix), read["Value"]

    def _compare(self, before: Mapping[str, str], change: Change) -> None:
        after = self._values()
        for name, text in before.items():
            if after.get(name, text) == text:  # or it is no longer in the config
                continue
            if name not in change.rewrites:
                raise LifecycleError(f"{change.title}: the value of {name} changed")
            if _fields(text).items() - _fields(after[name]).items():
                raise LifecycleError(f"{change.title}: a field of {name} was lost")


def _fields(text: str) -> dict[str, str]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _loses(step: Step) -> bool:
    return step.operation in _TAKES_AWAY and step.type in _HOLDS_DATA


def _counted(steps: list[Step]) -> Steps:
    counted: dict[str, Counter[str]] = {}
    for step in steps:
        if step.type.startswith("aws:"):
            counted.setdefault(step.operation, Counter())[step.type] += 1
    return counted
