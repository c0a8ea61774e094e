"""The built-in engine: runs a program once and records the resources that it registers.

It replaces Pulumi's engine where the CLI is not installed. It has no plan and no state: it deploys
to an empty account, or previews.
"""

import asyncio
import contextvars
import json
import logging
import runpy
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import grpc  # type: ignore[import-untyped]
import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime import settings as runtime_settings
from pulumi.runtime.proto import provider_pb2, resource_pb2
from pulumi.runtime.stack import run_in_stack, wait_for_rpcs

from local.aws import ACCOUNT_ID, ADMIN_ARN
from local.config.project import Stack
from local.provider import wire
from local.provider.provider import DeploymentError, check

_STACK = "pulumi:pulumi:Stack"
# The message has another name before pulumi 3.256.
_InvokeResponse = getattr(resource_pb2, "ResourceInvokeResponse", provider_pb2.InvokeResponse)
SECRET = "[secret]"  # noqa: S105 (what Pulumi prints instead of a secret)


@dataclass
class Registration:
    """One resource that the program registered."""

    urn: str
    type: str
    """Type token, such as `aws:kms/key:Key`."""
    name: str
    """Logical name."""
    parent: str
    """URN of the parent."""
    custom: bool
    """Whether a provider creates it; if not, it is a component."""
    inputs: dict[str, Any]
    """Unmasked inputs, including secrets: never print them."""
    secret_inputs: set[str]
    """Names of inputs that contain a secret."""
    dependencies: frozenset[str]
    """URNs of the resources that are created before it."""
    id: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: set[str] = field(default_factory=set)
    registered_outputs: dict[str, Any] | None = None
    """What a component passed to `register_outputs`; None if it did not call it."""


class Maker(Protocol):
    """Creates resources and answers invokes: the AWS provider, or its preview."""

    preview: bool
    """Whether resources are only planned, so that some outputs are unknown."""

    def check(
        self, type_: str, name: str, given: dict[str, Any]
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Return the inputs with defaults, and path and reason of each error."""

    def create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create a resource from checked inputs; return its id, and its inputs and outputs."""

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a provider function, such as `aws:index/getCallerIdentity:…`."""


class Preview:
    """Checks and plans everything, and creates nothing."""

    preview = True

    def check(
        self, type_: str, name: str, given: dict[str, Any]
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Check as the provider does."""
        return check(type_, name, given)

    def create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return what is known before the resource exists: the inputs."""
        del type_, name
        return "", inputs

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Answer as the embedded AWS will."""
        del token, args
        return {"accountId": ACCOUNT_ID, "arn": ADMIN_ARN}


class BuiltInEngine(mocks.MockMonitor):
    """Passes each resource to a provider, in the order of its dependencies."""

    def __init__(
        self,
        provider: Maker,
        on_created: Callable[[Registration], None] | None = None,
        earlier: Mapping[str, Any] | None = None,
    ) -> None:
        """`earlier` is the state of a previous deployment, as a program sees it (default: none).

        URN -> `type` and `outputs` of each of its resources.
        """
        super().__init__(_Unused())
        self._earlier = dict(earlier or {})
        self.registrations: list[Registration] = []
        self.messages: list[str] = []
        """What the program logged for the deployer."""
        self.outputs: dict[str, Any] = {}
        self.secret_outputs: set[str] = set()
        self._provider = provider
        self._on_created = on_created or (lambda _: None)
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._urns: set[str] = set()

    def run(self, stack: Stack, program: Callable[[], None] | None = None) -> None:
        """Run the Pulumi program of a stack, or `program` instead.

        Raises:
            Exception: whatever the program or the provider raised first.

        """

        async def main() -> None:
            # Tasks that wait for a failed resource fail too, and asyncio would report each.
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            pulumi.runtime.set_all_config(dict(stack.config), list(stack.secret_keys))
            # What an earlier run that failed left behind belongs to a loop that is closed.
            runtime_settings.SETTINGS.rpc_manager.clear()
            runtime_settings.SETTINGS.outputs.clear()
            pulumi.runtime.set_mocks(
                self.mocks,
                project=stack.project,
                stack=stack.name,
                preview=self._provider.preview,
                logger=self._logger(),
                monitor=self,
            )
            # `set_mocks` makes a root of its own and ends it; the program's outputs need one
            # that is still open, and come after those of the first, which are empty.
            await asyncio.sleep(0)
            await wait_for_rpcs()
            runtime_settings.set_root_resource(None)  # type: ignore[arg-type]
            await run_in_stack(program or (lambda: _run(stack.program)))

        try:
            contextvars.copy_context().run(asyncio.run, main())
        except Exception:
            if self._failure is not None:
                raise self._failure from None
            raise

    def _logger(self) -> logging.Logger:
        class Keep(logging.Handler):
            def emit(_, record: logging.LogRecord) -> None:  # noqa: N805 (`self` is the engine)
                self.messages.append(record.getMessage())

        logger = logging.Logger("program", logging.INFO)  # noqa: LOG001 (this run's own)
        logger.addHandler(Keep())
        return logger

    def state(self) -> str:
        """Return the state that Pulumi would store, with `[secret]` for what it encrypts."""
        resources = [
            {
                "urn": each.urn,
                "id": each.id,
                "inputs": _masked(each.inputs, each.secret_inputs),
                "outputs": _masked(each.outputs, each.secret_inputs),
                "registered": _masked(each.registered_outputs or {}, each.secret_outputs),
            }
            for each in self.registrations
        ]
        outputs = _masked(self.outputs, self.secret_outputs)
        return json.dumps({"resources": resources, "outputs": outputs}, default=_describe)

    # These methods are named after the engine's gRPC interface.

    def RegisterResource(  # noqa: N802 (the interface's name)
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Create a resource, or record a component."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        with self._lock:
            if urn in self._urns:
                self._failure = DeploymentError(f"{request.name}: duplicate resource URN {urn!r}")
                raise self._failure
            self._urns.add(urn)
        inputs, secret = plain(request.object)
        made = Registration(
            urn,
            request.type,
            request.name,
            request.parent,
            request.custom,
            inputs,
            secret,
            frozenset(request.dependencies),
        )
        if request.custom:
            try:
                made.id, made.outputs = self._create(made, wire.plain(request.object))
            except Exception as error:
                self._failure = self._failure or error
                raise
        else:
            made.outputs = dict(inputs)
        with self._lock:
            self.registrations.append(made)
            self._on_created(made)
        returned = {
            key: rpc.wrap_rpc_secret(value) if key in secret else value
            for key, value in made.outputs.items()
            if _is_json(value) and not wire.is_archive(value) and not key.startswith("__")
        }
        return resource_pb2.RegisterResourceResponse(urn=urn, id=made.id, object=_struct(returned))

    def _create(self, made: Registration, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        inputs, refused = self._provider.check(made.type, made.name, given)
        if refused:
            told = "; ".join(f"{path} {reason}" for path, reason in refused)
            raise DeploymentError(f"{made.name} ({made.type}): {told}")
        return self._provider.create(made.type, made.name, inputs)

    def RegisterResourceOutputs(  # noqa: N802 (the interface's name)
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Record the outputs of a component or of the stack."""
        outputs, secret = plain(request.outputs)
        with self._lock:
            if request.urn.split("::")[2] == _STACK:
                self.outputs, self.secret_outputs = outputs, secret
            for each in self.registrations:
                if each.urn == request.urn:
                    each.registered_outputs, each.secret_outputs = outputs, secret
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> Any:  # noqa: ANN401, N802 (one of two classes)
        """Answer a function of the provider or of the engine."""
        if request.tok.startswith("pulumi:pulumi:readStack"):
            answer: dict[str, Any] = {"outputs": self._earlier}
        else:
            try:
                answer = self._provider.invoke(request.tok, plain(request.args)[0])
            except DeploymentError as error:
                raise _InvokeError(error) from error
        response = _InvokeResponse()
        getattr(response, "return").update(answer)  # the field's name is a keyword
        return response


class _InvokeError(grpc.RpcError):  # type: ignore[misc] # grpc is untyped
    """An error of a provider function, which the program may handle, as Pulumi's engine has it."""

    def code(self) -> grpc.StatusCode:
        """Return the status of any error of a provider."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Return the text of the error."""
        return str(self)


class _Unused(mocks.Mocks):
    """Required by Pulumi's constructor, but never called: the engine has a provider."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(args.typ)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(args.token)


def _run(program: Path) -> None:
    root = str(program.parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    runpy.run_path(str(program), run_name="__main__")


def plain(struct: struct_pb2.Struct) -> tuple[dict[str, Any], set[str]]:
    """Remove the secret markers; return the values, and the keys that had one at any depth."""
    wrapped = rpc.deserialize_properties(struct) or {}
    plain = {key: _unwrapped(value) for key, value in wrapped.items()}
    return plain, {key for key, value in wrapped.items() if _holds_secret(value)}


def _unwrapped(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    if rpc.is_rpc_secret(value):
        return _unwrapped(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _unwrapped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unwrapped(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # a protobuf Struct has only floats
    return value


def _holds_secret(value: Any) -> bool:  # noqa: ANN401 (any JSON)
    if rpc.is_rpc_secret(value):
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holds_secret(each) for each in inner)


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | float)


def _masked(values: Mapping[str, Any], secret: set[str]) -> dict[str, Any]:
    return {key: SECRET if key in secret else value for key, value in values.items()}


def _describe(value: object) -> object:
    """Describe an archive as Pulumi stores it: by the names and paths of its files."""
    assets = getattr(value, "assets", None)
    if isinstance(assets, dict):
        return {name: getattr(asset, "path", repr(asset)) for name, asset in assets.items()}
    return repr(value)


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(dict(values))
    return struct
