# ruff: noqa: ARG002, N802 (the engine's gRPC interface)
"""A provider for Pulumi's engine, as small as these tests allow, on the embedded AWS.

It makes every type as the local run does. It knows how to change, read and delete a parameter, and
how to change a key's policy; any other resource is changed and deleted in the state only.
"""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.aws import EmbeddedAws
from local.engine import plain
from local.provider import AwsProvider

PARAMETER = "aws:ssm/parameter:Parameter"
_REPLACED_BY = {
    PARAMETER: {"name"},
    "aws:lambda/invocation:Invocation": {"functionName", "input"},
}
_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit


@contextmanager
def served(aws: EmbeddedAws, region: str) -> Iterator[int]:
    """Serve the provider on a port of its own."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8),
        options=[("grpc.max_receive_message_length", _MESSAGE_BYTES)],
    )
    servicer = Provider(aws, region)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The names below are those of the engine's gRPC interface."""

    def __init__(self, aws: EmbeddedAws, region: str) -> None:
        self._aws = AwsProvider(aws, region)
        self._kms, self._ssm = aws.client("kms", region), aws.client("ssm", region)

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="7.51.1")

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema='{"name": "aws", "version": "7.51.1"}')

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        # Without secrets: the engine takes the marks off, and puts them on again.
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Invoke(self, request: Any, context: Any) -> Any:
        answer = self._aws.invoke(request.tok, _plain(request.args))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").update(answer)  # the field bears a keyword's name
        return response

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = _comparable(request.old_inputs), _comparable(request.news)
        changed = {key for key in old | new if old.get(key) != new.get(key)}
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME
            if changed
            else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(changed),
            replaces=sorted(changed & _REPLACED_BY.get(_type(request.urn), set())),
        )

    def Create(self, request: Any, context: Any) -> Any:
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        name = request.urn.rsplit("::", 1)[1]
        inputs = _plain(request.properties)
        try:
            id_, made = self._aws.create(_type(request.urn), name, inputs)
        except Exception as error:  # noqa: BLE001 (the engine shows it)
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.properties)  # as it came: assets, too
        outputs.update({key: value for key, value in made.items() if key not in inputs})
        return provider_pb2.CreateResponse(id=id_, properties=outputs)

    def Update(self, request: Any, context: Any) -> Any:
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.olds)
        outputs.MergeFrom(request.news)
        wanted, type_ = _plain(request.news), _type(request.urn)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=outputs)
        if type_ == PARAMETER:
            keys = {"name": "Name", "type": "Type", "tier": "Tier", "keyId": "KeyId"}
            self._ssm.put_parameter(
                Value=wanted.get("value") or wanted["insecureValue"],
                Overwrite=True,
                **{word: wanted[key] for key, word in keys.items() if wanted.get(key)},
            )
        elif type_ == "aws:kms/key:Key":
            self._kms.put_key_policy(KeyId=request.id, Policy=wanted["policy"])
        return provider_pb2.UpdateResponse(properties=outputs)

    def Read(self, request: Any, context: Any) -> Any:
        if _type(request.urn) != PARAMETER:
            return provider_pb2.ReadResponse(
                id=request.id, properties=request.properties, inputs=request.inputs
            )
        try:
            found = self._ssm.get_parameter(Name=request.id, WithDecryption=True)["Parameter"]
        except self._ssm.exceptions.ParameterNotFound:
            return provider_pb2.ReadResponse()
        secure = found["Type"] == "SecureString"
        inputs = {"name": found["Name"], "type": found["Type"]}
        inputs |= (
            {"value": rpc.wrap_rpc_secret(found["Value"])}
            if secure
            else {"insecureValue": found["Value"]}
        )
        return provider_pb2.ReadResponse(
            id=request.id,
            inputs=_struct(inputs),
            properties=_struct({**inputs, "arn": found["ARN"]}),
        )

    def Delete(self, request: Any, context: Any) -> Any:
        if _type(request.urn) == PARAMETER:
            self._ssm.delete_parameters(Names=[request.id])  # one that is gone is no error
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def _type(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    return plain(struct)[0]


def _comparable(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Write an archive as its hash: of an old one, the engine gives nothing else."""
    written = json_format.MessageToDict(struct)
    return {
        key: value["hash"] if isinstance(value, dict) and "hash" in value else value
        for key, value in written.items()
    }


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct
