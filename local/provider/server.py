# ruff: noqa: N802 (the engine's gRPC interface)
"""Serves the provider to Pulumi's engine.

`PULUMI_DEBUG_PROVIDERS=aws:<port>` connects the engine to it, so that it starts no plugin.
https://pulumi-developer-docs.readthedocs.io/latest/docs/_generated/proto/provider.html
"""

import json
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from importlib import metadata
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import any_pb2, empty_pb2, struct_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.account import AwsAccount
from local.provider.provider import Created, DeploymentError, HalfMadeError, Provider
from local.provider.resource import Properties
from local.provider.wire import plain, struct

_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_THREADS = 16
_VERSION = metadata.version("pulumi-aws")


@contextmanager
def served(
    aws: AwsAccount, region: str, created: Callable[[Created], None] | None = None
) -> Iterator[int]:
    """Serve the provider on a free port; `created` is called after each creation."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_THREADS),
        options=[("grpc.max_receive_message_length", _MESSAGE_BYTES)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        Servicer(Provider(aws, region, created)), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Translates between the engine's gRPC interface and the provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=_VERSION)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(
            schema=json.dumps({"name": "aws", "version": _VERSION})
        )

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        # Without a difference, the engine configures the provider as in the previous deployment.
        olds, news = plain(request.olds), plain(request.news)
        changed = sorted(key for key in {*olds, *news} if olds.get(key) != news.get(key))
        kinds = provider_pb2.DiffResponse
        return kinds(changes=kinds.DIFF_SOME if changed else kinds.DIFF_NONE, diffs=changed)

    def Configure(self, request: Any, context: Any) -> Any:
        config = plain(request.args)
        default_tags = _object(config.get("defaultTags")).get("tags") or {}
        self._provider.configure(config.get("region"), default_tags)
        # Without secrets: the engine removes the markers and adds them again.
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Invoke(self, request: Any, context: Any) -> Any:
        with _aborting(context):
            answer = self._provider.invoke(request.tok, plain(request.args))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").update(answer)  # the field's name is a keyword
        return response

    def Check(self, request: Any, context: Any) -> Any:
        suffix = request.randomSeed.hex()[:7]
        with _aborting(context):
            inputs, failures = self._provider.check(
                _type(request.urn),
                _name(request.urn),
                plain(request.news),
                plain(request.olds),
                suffix,
            )
        failed = [provider_pb2.CheckFailure(property=path, reason=why) for path, why in failures]
        return provider_pb2.CheckResponse(inputs=struct(inputs), failures=failed)

    def Diff(self, request: Any, context: Any) -> Any:
        with _aborting(context):
            found = self._provider.diff(
                _type(request.urn), plain(request.olds), plain(request.news)
            )
        ignored = {key.split(".")[0].split("[")[0] for key in request.ignoreChanges}
        changed = found.changed - ignored
        kinds = provider_pb2.DiffResponse
        return provider_pb2.DiffResponse(
            changes=kinds.DIFF_SOME if changed else kinds.DIFF_NONE,
            diffs=sorted(changed),
            replaces=sorted(found.replaces - ignored),
            deleteBeforeReplace=found.delete_first,
        )

    def Create(self, request: Any, context: Any) -> Any:
        type_, inputs = _type(request.urn), plain(request.properties)
        with _aborting(context):
            if request.preview:
                id_, state = "", self._provider.planned(type_, inputs)
            else:
                try:
                    id_, state = self._provider.create(type_, _name(request.urn), inputs)
                except HalfMadeError as error:
                    _tell_what_is_made(context, error, self._state(type_, error.state))
                    raise
        return provider_pb2.CreateResponse(id=id_, properties=self._state(type_, state))

    def Read(self, request: Any, context: Any) -> Any:
        type_, name = _type(request.urn), _name(request.urn)
        state, inputs = plain(request.properties), plain(request.inputs)
        with _aborting(context):
            if not state and not inputs:
                found = self._provider.find(type_, name, request.id)
                if found is None:
                    return provider_pb2.ReadResponse()
                id_, inputs, read = found
            else:
                current = self._provider.read(type_, name, request.id, state or inputs)
                if current is None:
                    return provider_pb2.ReadResponse()
                id_, read = request.id, current
                inputs = self._provider.refreshed(type_, inputs, read)
        return provider_pb2.ReadResponse(
            id=id_, inputs=self._state(type_, inputs), properties=self._state(type_, read)
        )

    def Update(self, request: Any, context: Any) -> Any:
        type_ = _type(request.urn)
        state, inputs = plain(request.olds), plain(request.news)
        with _aborting(context):
            if request.preview:
                updated = self._provider.updated(type_, state, inputs)
            else:
                name = _name(request.urn)
                updated = self._provider.update(type_, name, request.id, state, inputs)
        return provider_pb2.UpdateResponse(properties=self._state(type_, updated))

    def Delete(self, request: Any, context: Any) -> Any:
        with _aborting(context):
            self._provider.delete(
                _type(request.urn), _name(request.urn), request.id, plain(request.properties)
            )
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def _state(self, type_: str, properties: Properties) -> struct_pb2.Struct:
        return struct(
            {key: value for key, value in properties.items() if value is not None},
            self._provider.sensitive(type_),
        )


@contextmanager
def _aborting(context: Any) -> Iterator[None]:
    """Pass an error to the engine, which shows its text."""
    try:
        yield
    except DeploymentError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _tell_what_is_made(context: Any, error: HalfMadeError, state: struct_pb2.Struct) -> None:
    """Attach the state of the half-made resource to the error, so that it is recorded."""
    half = provider_pb2.ErrorResourceInitFailed(
        id=error.id, properties=state, reasons=[str(error)]
    )
    detail = any_pb2.Any()
    detail.Pack(half)
    status = status_pb2.Status(
        code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail]
    )
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))


def _object(value: Any) -> dict[str, Any]:
    """Read a value of the provider's config, which the engine sends as JSON text or a map."""
    read = json.loads(value) if isinstance(value, str) and value else value
    return read if isinstance(read, dict) else {}


def _type(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _name(urn: str) -> str:
    return urn.split("::", 3)[3]
