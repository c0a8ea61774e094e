"""Functions from zips."""

from collections.abc import Iterable, Mapping
from typing import Any

from local.provider import forms
from local.provider.archive import package
from local.provider.diff import filled
from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    RejectedError,
    Resource,
    Session,
    already_created,
    camel,
    given,
    pascal,
)

_RUNTIMES = (
    *("nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x"),
    *("nodejs12.x", "nodejs14.x", "nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x"),
    *("nodejs24.x", "java8", "java8.al2", "java11", "java17", "java21", "java25"),
    *("python2.7", "python3.6", "python3.7", "python3.8", "python3.9", "python3.10"),
    *("python3.11", "python3.12", "python3.13", "python3.14", "dotnetcore1.0", "dotnetcore2.0"),
    *("dotnetcore2.1", "dotnetcore3.1", "dotnet6", "dotnet8", "dotnet10", "go1.x", "ruby2.5"),
    *("ruby2.7", "ruby3.2", "ruby3.3", "ruby3.4", "provided", "provided.al2", "provided.al2023"),
)
_CODE = {"architectures", "code", "codeSha256", "sourceCodeHash", "sourceKmsKeyArn"}
_CONFIGURATION = {
    *("deadLetterConfig", "description", "durableConfig", "environment", "ephemeralStorage"),
    *("fileSystemConfig", "handler", "kmsKeyArn", "layers", "loggingConfig", "memorySize", "role"),
    *("runtime", "snapStart", "timeout", "tracingConfig", "vpcConfig"),
}
# The values that remove an input that is no longer set.
_NOTHING: Properties = {
    "deadLetterConfig": {"targetArn": ""},
    "description": "",
    "environment": {},
    "kmsKeyArn": "",
    "layers": [],
    "snapStart": {"applyOn": "None"},
    "vpcConfig": {"securityGroupIds": [], "subnetIds": []},
}
_WAIT = {"Delay": 0.02, "MaxAttempts": 500}


class Function(Resource):
    """A function whose code is a zip."""

    type = "aws:lambda/function:Function"
    inputs = {
        "architectures": Input(computed=True, length=(0, 1), choices=("x86_64", "arm64")),
        "code": Input(required=True),
        "codeSha256": Input(computed=True),
        "codeSigningConfigArn": Input(arn=True),
        "deadLetterConfig": Input(fields={"targetArn": Input(required=True, arn=True)}),
        "description": Input(),
        "durableConfig": Input(
            fields={
                "executionTimeout": Input(required=True, bounds=(1, 31_622_400)),
                "retentionPeriod": Input(computed=True, bounds=(1, 90)),
            }
        ),
        "environment": Input(fields={"variables": Input()}),
        "ephemeralStorage": Input(
            computed=True, fields={"size": Input(computed=True, bounds=(512, 10_240))}
        ),
        "fileSystemConfig": Input(
            fields={
                "arn": Input(required=True, arn=True),
                "localMountPath": Input(required=True, pattern=r"/mnt/[0-9A-Za-z_.-]+"),
            }
        ),
        "handler": Input(length=(1, 128)),
        "kmsKeyArn": Input(arn=True),
        "layers": Input(length=(0, 5), arn=True),
        "loggingConfig": Input(
            computed=True,
            fields={
                "applicationLogLevel": Input(
                    computed=True, choices=("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
                ),
                "logFormat": Input(required=True, choices=("JSON", "Text")),
                "logGroup": Input(computed=True, pattern=r"[0-9A-Za-z_./#-]+", length=(1, 512)),
                "systemLogLevel": Input(computed=True, choices=("DEBUG", "INFO", "WARN")),
            },
        ),
        "memorySize": Input(default=128, bounds=(128, 32_768)),
        "name": Input(
            replaces=True, auto_name=AutoName(64), pattern=r"[0-9A-Za-z_-]+", length=(1, 64)
        ),
        "packageType": Input(default="Zip", replaces=True, choices=("Image", "Zip")),
        "publish": Input(default=False),
        "region": REGION,
        "replaceSecurityGroupsOnDestroy": Input(),
        "replacementSecurityGroupIds": Input(form=forms.unordered),
        "reservedConcurrentExecutions": Input(default=-1, bounds=(-1, 2**31 - 1)),
        "role": Input(required=True, arn=True),
        "runtime": Input(choices=_RUNTIMES),
        "skipDestroy": Input(default=False),
        "snapStart": Input(
            fields={
                "applyOn": Input(required=True, choices=("None", "PublishedVersions")),
                "optimizationStatus": Input(computed=True),
            }
        ),
        "sourceCodeHash": Input(computed=True),
        "sourceKmsKeyArn": Input(arn=True),
        "tags": TAGS,
        "tenancyConfig": Input(
            replaces=True,
            fields={"tenantIsolationMode": Input(required=True, choices=("PER_TENANT",))},
        ),
        "timeout": Input(default=3, bounds=(1, 900)),
        "tracingConfig": Input(
            computed=True,
            fields={"mode": Input(required=True, choices=("Active", "PassThrough"))},
        ),
        "vpcConfig": Input(
            fields={
                "ipv6AllowedForDualStack": Input(default=False),
                "securityGroupIds": Input(required=True, form=forms.unordered),
                "subnetIds": Input(required=True, form=forms.unordered),
                "vpcId": Input(computed=True),
            }
        ),
    }
    outputs = (
        *("arn", "invokeArn", "lastModified", "qualifiedArn", "qualifiedInvokeArn"),
        *("responseStreamingInvokeArn", "signingJobArn", "signingProfileVersionArn"),
        *("sourceCodeSize", "version"),
    )
    needs = (("replacementSecurityGroupIds", "replaceSecurityGroupsOnDestroy"),)
    gone = frozenset({"ResourceNotFoundException"})

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        if inputs.get("packageType") == "Zip":
            for key in ("handler", "runtime"):
                if inputs.get(key) in (None, ""):
                    yield key, "handler and runtime must be set when packageType is Zip"

    def create(self, session: Session, inputs: Properties) -> str:
        functions, name = session.client("lambda"), str(inputs["name"])
        functions.create_function(
            FunctionName=name,
            Code={
                "ZipFile": _zipped(inputs),
                "SourceKMSKeyArn": inputs.get("sourceKmsKeyArn") or "",
            },
            Publish=inputs["publish"],
            Tags=inputs["tags"],
            **given(inputs, "architectures", "packageType", "tenancyConfig"),
            **_configuration(inputs, {key for key in _CONFIGURATION if inputs.get(key)}),
        )
        with already_created(name):
            _wait(functions, "function_active_v2", FunctionName=name)
            if config := inputs.get("codeSigningConfigArn"):
                functions.put_function_code_signing_config(
                    FunctionName=name, CodeSigningConfigArn=config
                )
            if (reserved := inputs["reservedConcurrentExecutions"]) >= 0:
                functions.put_function_concurrency(
                    FunctionName=name, ReservedConcurrentExecutions=reserved
                )
        return name

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        functions = session.client("lambda")
        found = functions.get_function(FunctionName=id_)
        function = found["Configuration"]
        pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=id_)
        version = [each["Version"] for page in pages for each in page["Versions"]][-1]
        arn = function["FunctionArn"]
        reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1)
        vpc, snap_start = function.get("VpcConfig", {}), function.get("SnapStart", {})
        return {
            "arn": arn,
            "architectures": function["Architectures"],
            "codeSha256": function["CodeSha256"],
            "codeSigningConfigArn": functions.get_function_code_signing_config(FunctionName=id_)[
                "CodeSigningConfigArn"
            ],
            "deadLetterConfig": camel(function.get("DeadLetterConfig", {})),
            "description": function.get("Description", ""),
            "durableConfig": _durable(function),
            "environment": {"variables": function.get("Environment", {}).get("Variables", {})},
            "ephemeralStorage": camel(function["EphemeralStorage"]),
            "fileSystemConfig": camel(next(iter(function.get("FileSystemConfigs", [])), {})),
            "handler": function["Handler"],
            "invokeArn": invoke_arn(session, arn),
            "kmsKeyArn": function.get("KMSKeyArn", ""),
            "lastModified": function["LastModified"],
            "layers": [layer["Arn"] for layer in function.get("Layers", [])],
            "loggingConfig": camel(function["LoggingConfig"]),
            "memorySize": function["MemorySize"],
            "name": function["FunctionName"],
            "packageType": function["PackageType"],
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": invoke_arn(session, f"{arn}:{version}"),
            "reservedConcurrentExecutions": reserved,
            "responseStreamingInvokeArn": invoke_arn(
                session, arn, "2021-11-15", "response-streaming-invocations"
            ),
            "role": function["Role"],
            "runtime": function["Runtime"],
            "signingJobArn": function.get("SigningJobArn", ""),
            "signingProfileVersionArn": function.get("SigningProfileVersionArn", ""),
            "snapStart": camel(snap_start) if snap_start.get("ApplyOn") != "None" else {},
            "sourceCodeSize": function["CodeSize"],
            "sourceKmsKeyArn": found["Code"].get("SourceKMSKeyArn", ""),
            "tags": found.get("Tags", {}),
            "tenancyConfig": camel(function.get("TenancyConfig", {})),
            "timeout": function["Timeout"],
            "tracingConfig": camel(function["TracingConfig"]),
            "version": version,
            "vpcConfig": camel(vpc) if vpc.get("SubnetIds") else {},
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        functions = session.client("lambda")
        if configured := changed & _CONFIGURATION:
            if "kmsKeyArn" in configured:  # Lambda encrypts them again
                configured.add("environment")
            wanted = {**inputs, "loggingConfig": self._logging(state, inputs)}
            functions.update_function_configuration(
                FunctionName=id_, **_configuration(wanted, configured)
            )
            _wait(functions, "function_updated_v2", FunctionName=id_)
        if coded := changed & _CODE:
            functions.update_function_code(
                FunctionName=id_,
                ZipFile=_zipped(inputs),
                SourceKMSKeyArn=inputs.get("sourceKmsKeyArn") or "",
                **given(inputs, *coded & {"architectures"}),
            )
            _wait(functions, "function_updated_v2", FunctionName=id_)
        if "codeSigningConfigArn" in changed:
            if config := inputs.get("codeSigningConfigArn"):
                functions.put_function_code_signing_config(
                    FunctionName=id_, CodeSigningConfigArn=config
                )
            else:
                functions.delete_function_code_signing_config(FunctionName=id_)
        if "reservedConcurrentExecutions" in changed:
            if (reserved := inputs["reservedConcurrentExecutions"]) >= 0:
                functions.put_function_concurrency(
                    FunctionName=id_, ReservedConcurrentExecutions=reserved
                )
            else:
                functions.delete_function_concurrency(FunctionName=id_)
        if self._publishes(changed, inputs):
            version = functions.publish_version(FunctionName=id_)["Version"]
            _wait(functions, "function_updated_v2", FunctionName=id_, Qualifier=version)

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("lambda").tag_resource(Resource=state["arn"], Tags=dict(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("lambda").untag_resource(Resource=state["arn"], TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        if state.get("skipDestroy"):
            return
        functions, vpc = session.client("lambda"), state.get("vpcConfig") or {}
        if state.get("replaceSecurityGroupsOnDestroy") and vpc.get("securityGroupIds"):
            groups = state.get("replacementSecurityGroupIds") or _default(session, vpc["vpcId"])
            functions.update_function_configuration(
                FunctionName=id_,
                VpcConfig={"SubnetIds": vpc["subnetIds"], "SecurityGroupIds": groups},
            )
            _wait(functions, "function_updated_v2", FunctionName=id_)
        functions.delete_function(FunctionName=id_)

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        # https://docs.aws.amazon.com/lambda/latest/dg/durable-configuration.html: it can be
        # enabled only when a function is created.
        durable = {bool(each.get("durableConfig")) for each in (state, inputs)}
        begins_or_ends = {"durableConfig"} if len(durable) > 1 else set()
        return super().replacing(state, inputs, changed) | (begins_or_ends & changed)

    def unknown_after(self, changed: set[str], inputs: Properties) -> set[str]:
        published = {"version", "qualifiedArn", "qualifiedInvokeArn"}
        return (published if self._publishes(changed, inputs) else set()) | (
            {"lastModified"} if changed & _CODE else set()
        )

    def _publishes(self, changed: set[str], inputs: Properties) -> bool:
        return bool(inputs["publish"] and changed & (_CODE | _CONFIGURATION | {"publish"}))

    def _logging(self, state: Properties, inputs: Properties) -> Properties | None:
        """Return the whole logging config, because Lambda resets keys that are omitted."""
        new, old = inputs.get("loggingConfig"), state.get("loggingConfig") or {}
        if new and new["logFormat"] != old.get("logFormat"):  # levels are those of a format
            old = {key: value for key, value in old.items() if key == "logGroup"}
        return filled(self.inputs["loggingConfig"], new, old)  # type: ignore[no-any-return]


def _configuration(inputs: Properties, keys: set[str]) -> Properties:
    """Convert inputs to arguments of CreateFunction and UpdateFunctionConfiguration."""
    values: Properties = {key: inputs.get(key) or _NOTHING.get(key) for key in sorted(keys)}
    if "fileSystemConfig" in values:
        values["fileSystemConfigs"] = list(filter(None, [values.pop("fileSystemConfig")]))
    if durable := values.get("durableConfig"):
        values["durableConfig"] = {
            "executionTimeout": durable["executionTimeout"],
            "retentionPeriodInDays": durable.get("retentionPeriod"),
        }
    for key, read_only in (("snapStart", "optimizationStatus"), ("vpcConfig", "vpcId")):
        if key in values:
            values[key] = {k: v for k, v in values[key].items() if k != read_only}
    written: Properties = pascal(values)
    if "environment" in values:  # the names of variables are not converted
        written["Environment"] = {"Variables": values["environment"].get("variables") or {}}
    if "kmsKeyArn" in values:
        written["KMSKeyArn"] = written.pop("KmsKeyArn")
    return written


def _durable(function: Mapping[str, Any]) -> Properties:
    config = function.get("DurableConfig") or {}
    if not config:
        return {}
    return {
        "executionTimeout": config["ExecutionTimeout"],
        "retentionPeriod": config.get("RetentionPeriodInDays", 14),
    }


def _zipped(inputs: Properties) -> bytes:
    try:
        return package(inputs["code"])
    except (OSError, ValueError) as error:
        raise RejectedError(f"code: {error}") from error


def _wait(functions: Any, state: str, **function: str) -> None:
    functions.get_waiter(state).wait(**function, WaiterConfig=_WAIT)


def _default(session: Session, vpc: str) -> list[str]:
    filters = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    groups = session.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    return [each["GroupId"] for each in groups]


def invoke_arn(
    session: Session, arn: str, version: str = "2015-03-31", what: str = "invocations"
) -> str:
    """Return the ARN that API Gateway uses to invoke a function."""
    gateway = f"arn:aws:apigateway:{session.region}:lambda"
    return f"{gateway}:path/{version}/functions/{arn}/{what}"
