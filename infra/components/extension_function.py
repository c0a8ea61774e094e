"""A Lambda function with the AWS Parameters and Secrets Lambda Extension as its layer.

The role is an argument: it decides what the function may do.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pydantic.alias_generators import to_snake

from ..aws import extension, function_options, limits
from . import packages


class RuntimeArgs(TypedDict, total=False):
    """How the function runs."""

    runtime: str
    """Runtime (default python3.13)."""
    architecture: str
    """arm64 (default) or x86_64; the layer must match."""
    memory_mb: int
    """Memory in MB, 128 to 10240 (default 256)."""
    timeout_seconds: int
    """Seconds after which an invocation times out, 1 to 900 (default 30)."""
    reserved_concurrency: int | None
    """Concurrent invocations reserved for this function (default None: none reserved)."""
    log_retention_days: int
    """Days that logs are kept, as CloudWatch allows (default 30)."""
    tracing: bool
    """Whether X-Ray traces invocations (default false); the role must allow it."""


class ExtensionFunctionArgs(RuntimeArgs):
    """Arguments of an `ExtensionFunction`."""

    role_arn: pulumi.Input[str]
    """ARN of the execution role."""
    layer_arn: pulumi.Input[str]
    """ARN of the extension's layer version."""
    layer_arns: NotRequired[Sequence[pulumi.Input[str]] | None]
    """ARNs of more layer versions, after the extension's (default none)."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the logs."""
    log_group_name: str
    """Name of the log group that the component creates. Role and key refer to it by this name."""
    files: Mapping[str, Path]
    """The package, exactly: path in the package -> file."""
    handler: str
    """What Lambda calls, in the form of the runtime: `module.function` in Python."""
    vpc_config: NotRequired[aws.lambda_.FunctionVpcConfigArgsDict | None]
    """Subnets and security groups (default None: outside any VPC); the role must allow it."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables in addition to the extension's. Never a secret's value."""
    extension: NotRequired[extension.ExtensionArgs]
    """How the extension works."""
    environment_key_arn: NotRequired[str | None]
    """ARN of the KMS key that encrypts the environment variables (default None: Lambda's own)."""
    code_signing_config_arn: NotRequired[str | None]
    """ARN of the code signing configuration (default None)."""
    dead_letter_arn: NotRequired[str | None]
    """ARN of the queue or topic for failed events; the role must allow it (default None)."""
    options: NotRequired[Mapping[str, Any] | None]
    """More arguments of `aws.lambda.Function`, by their names there, such as `snapStart`."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of function and log group."""


class ExtensionFunction(pulumi.ComponentResource):
    """A function that reads secrets through the extension.

    Resources:
        aws.cloudwatch.LogGroup: with retention, encrypted with the key.
        aws.lambda.Function: package, layer, environment.
        aws.lambda.Alias: `live`, pointing at the version just published.
    """

    name: pulumi.Output[str]
    """Name of the function."""
    arn: pulumi.Output[str]
    """ARN of the function, unqualified."""
    alias_arn: pulumi.Output[str]
    """ARN of the alias `live`: what callers invoke."""
    log_group_name: pulumi.Output[str]
    """Name of the log group."""

    def __init__(
        self, name: str, args: ExtensionFunctionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        runtime = args.get("runtime", limits.DEFAULT_RUNTIME)
        architecture = args.get("architecture", limits.DEFAULT_ARCHITECTURE)
        memory = args.get("memory_mb", 256)
        timeout = args.get("timeout_seconds", 30)
        retention = args.get("log_retention_days", limits.DEFAULT_LOG_RETENTION_DAYS)
        limits.check(
            f"ExtensionFunction {name!r}",
            [
                ("runtime", runtime, limits.ANY_RUNTIME),
                ("architecture", architecture, limits.ARCHITECTURES),
                ("memory_mb", memory, limits.MEMORY_MB),
                ("timeout_seconds", timeout, limits.TIMEOUT_SECONDS),
                ("log_retention_days", retention, limits.LOG_RETENTION_DAYS),
                (
                    "reserved_concurrency",
                    args.get("reserved_concurrency"),
                    limits.RESERVED_CONCURRENCY,
                ),
            ],
        )
        if missing := [str(path) for path in args["files"].values() if not path.is_file()]:
            raise FileNotFoundError(
                f"ExtensionFunction {name!r}: missing files: {', '.join(missing)}"
            )
        options: Any = _options(name, args.get("options") or {})  # typed by the provider alone
        environment = {
            **extension.variables(args.get("extension", {})),
            **args.get("environment", {}),
        }
        props = {key: value for key, value in args.items() if key != "files"}
        super().__init__("lambda-secrets:index:ExtensionFunction", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)
        if cost := packages.cost_of_source(name, args["files"], runtime):
            pulumi.log.info(cost, self)

        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=args["log_group_name"],
            retention_in_days=retention,
            kms_key_id=args["key_arn"],
            tags=args.get("tags"),
            opts=child,
        )
        logging: Any = {"log_format": "Text", **options.pop("logging_config", {})}
        logging["log_group"] = logs.name
        function = aws.lambda_.Function(
            f"{name}-function",
            code=packages.archive(args["files"], runtime),
            handler=args["handler"],
            runtime=runtime,
            architectures=[architecture],
            layers=[args["layer_arn"], *(args.get("layer_arns") or ())],
            role=args["role_arn"],
            memory_size=memory,
            timeout=timeout,
            reserved_concurrent_executions=args.get("reserved_concurrency"),
            environment={"variables": environment},
            vpc_config=args.get("vpc_config"),
            kms_key_arn=args.get("environment_key_arn"),
            code_signing_config_arn=args.get("code_signing_config_arn"),
            dead_letter_config=_dead_letter_config(args.get("dead_letter_arn")),
            # The log group must exist before the first log line, or Lambda tries to create one.
            logging_config=logging,
            tracing_config={"mode": "Active" if args.get("tracing") else "PassThrough"},
            publish=True,
            tags=args.get("tags"),
            opts=child,
            **options,
        )
        alias = aws.lambda_.Alias(
            f"{name}-live",
            name="live",
            description="What callers invoke",
            function_name=function.name,
            function_version=function.version,
            opts=child,
        )

        self.name = function.name
        self.arn = function.arn
        self.alias_arn = alias.arn
        self.log_group_name = logs.name
        self.register_outputs(
            {
                "name": self.name,
                "arn": self.arn,
                "alias_arn": self.alias_arn,
                "log_group_name": self.log_group_name,
            }
        )


def _dead_letter_config(
    arn: str | None,
) -> aws.lambda_.FunctionDeadLetterConfigArgsDict | None:
    return None if arn is None else {"target_arn": arn}


def _options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return more arguments of the function, by their Python names.

    Raises:
        ValueError: names the arguments that are unknown, or that the component sets itself.

    """
    if unknown := [each for each in options if each not in function_options.PASSED]:
        allowed = ", ".join(function_options.PASSED)
        raise ValueError(
            f"ExtensionFunction {name!r}: unknown options: {', '.join(unknown)}; allowed:"
            f" {allowed}"
        )
    return {to_snake(option): value for option, value in options.items()}
