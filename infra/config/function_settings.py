"""The keys of stack config about functions and their roles. Pure: no Pulumi, no boto3."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ..aws import limits
from .model import Model, Within

_Path = Annotated[str, Within(limits.IAM_PATH)]
_Arn = Annotated[str, Within(limits.ARN)]


class RuntimeSettings(Model):
    """How a function runs."""

    architecture: limits.Architecture = Field(
        default=limits.DEFAULT_ARCHITECTURE,
        description="architecture of the function and of its extension layer",
    )
    memory_mb: Annotated[int, Within(limits.MEMORY_MB)] = Field(
        default=256, description="memory, in MB"
    )
    timeout_seconds: Annotated[int, Within(limits.TIMEOUT_SECONDS)] = Field(
        default=30, description="seconds after which an invocation times out"
    )
    reserved_concurrency: Annotated[int, Within(limits.RESERVED_CONCURRENCY)] | None = Field(
        default=None,
        description="concurrent invocations reserved for the function; none: it shares the"
        " account's. Lambda keeps 100 of the account's quota unreserved, so an account with a"
        " quota of 100 or less, such as a new one, cannot reserve any (`aws lambda"
        " get-account-settings`)",
    )
    log_retention_days: Annotated[int, Within(limits.LOG_RETENTION_DAYS)] = Field(
        default=limits.DEFAULT_LOG_RETENTION_DAYS, description="days that logs are kept"
    )
    tracing: bool = Field(default=True, description="whether X-Ray traces the function")
    telemetry: bool = Field(
        default=False,
        description="whether the client publishes CloudWatch metrics, in the namespace"
        " LambdaSecrets",
    )


class ExtensionSettings(Model):
    """How the AWS Parameters and Secrets Lambda Extension works."""

    cache_enabled: bool = Field(default=True, description="whether the extension caches values")
    cache_size: Annotated[int, Within(limits.CACHE_SIZE)] = Field(
        default=1000, description="maximum number of secrets and parameters in the cache"
    )
    secrets_ttl_seconds: Annotated[int, Within(limits.TTL_SECONDS)] | None = Field(
        default=None,
        description="seconds that a secret stays in the cache; none: half of"
        " `maxStalenessSeconds`",
    )
    parameters_ttl_seconds: Annotated[int, Within(limits.TTL_SECONDS)] | None = Field(
        default=None,
        description="seconds that a parameter stays in the cache; none: half of"
        " `maxStalenessSeconds`",
    )
    secrets_timeout_millis: Annotated[int, Within(limits.TIMEOUT_MILLIS)] = Field(
        default=2000, description="timeout for Secrets Manager, in milliseconds; 0: no timeout"
    )
    parameters_timeout_millis: Annotated[int, Within(limits.TIMEOUT_MILLIS)] = Field(
        default=2000, description="timeout for Parameter Store, in milliseconds; 0: no timeout"
    )
    max_connections: Annotated[int, Within(limits.MAX_CONNECTIONS)] = Field(
        default=3, description="maximum number of concurrent connections to AWS"
    )
    http_port: Annotated[int, Within(limits.EXTENSION_PORT)] = Field(
        default=2773, description="port of the extension on 127.0.0.1"
    )
    log_level: Annotated[str, Within(limits.LOG_LEVELS)] = Field(
        default="info", description="log level of the extension"
    )
    layer_arn: str | None = Field(
        default=None,
        description="ARN of the extension's layer version; none: the version pinned for the"
        " region and architecture",
    )


class RolesSettings(Model):
    """What all roles that this program creates have in common."""

    permissions_boundary: _Arn | None = Field(
        default=None, description="ARN of the permissions boundary of all roles"
    )
    path: _Path | None = Field(
        default=None, description="path of all roles and their policies, such as `/apps/`"
    )


class RoleSettings(Model):
    """What a function's role has in addition to its grants."""

    permissions_boundary: _Arn | None = Field(
        default=None,
        description="ARN of this role's permissions boundary, instead of"
        " `roles.permissionsBoundary`",
    )
    path: _Path | None = Field(
        default=None, description="this role's path, instead of `roles.path`"
    )
    policy_arns: list[_Arn] = Field(
        default=[],
        description="ARNs of managed policies to attach, for other calls that the code makes",
    )


class FunctionNetworkSettings(Model):
    """The VPC of one function."""

    subnet_ids: list[str] = Field(
        default=[],
        description="the function's subnets; none: outside any VPC. Without the key `network`,"
        " the function uses the stack's VPC",
    )
    security_group_ids: list[str] = Field(default=[], description="the function's security groups")


class FunctionSettings(RuntimeSettings):
    """A function with its own code: what it runs, and exactly what it may read."""

    code: str = Field(
        min_length=1,
        description="the function's code, relative to the project folder: a folder, a file, or a"
        " built .zip",
    )
    handler: str = Field(
        min_length=1,
        description="what Lambda calls: `module.function` in Python, `file.export` in Node",
    )
    runtime: Annotated[str, Within(limits.ANY_RUNTIME)] = Field(
        default=limits.DEFAULT_RUNTIME, description="the function's runtime, in any language"
    )
    include: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        description="more files for the root of the package; for a folder, its contents",
    )
    requirements: str | None = Field(
        default=None,
        description="requirements.txt, resolved to wheels for the runtime and architecture; the"
        " lock file is written next to it",
    )
    ca_bundle: bool = Field(
        default=False,
        description="whether the package contains `ca-bundle.pem`, the CA bundle for the"
        " databases (`database.caBundle`)",
    )
    secrets: list[str] = Field(
        default=[], description="logical names of the secrets that the function may read"
    )
    describe_secrets: bool = Field(
        default=False,
        description="whether the function may also call DescribeSecret on these secrets, which"
        " returns no value; AWS's caching libraries need it",
    )
    parameters: list[str] = Field(
        default=[], description="logical names of the parameters that the function may read"
    )
    environment: dict[str, str] = Field(
        default={},
        description="environment variables, at most 4 KB with those that this program sets;"
        " never a secret's value",
    )
    layers: list[str] = Field(
        default=[], description="ARNs of layer versions to add to the extension's"
    )
    event: str | None = Field(
        default=None, description="JSON file with the event that `make up` sends"
    )
    expect: dict[str, Any] | None = Field(
        default=None,
        description="fields that the response to `event` must contain; others are ignored",
    )
    extension: ExtensionSettings = Field(
        default=ExtensionSettings(),
        description="settings of the extension for this function, instead of those in `extension`",
    )
    network: FunctionNetworkSettings | None = Field(
        default=None, description="the function's own VPC, instead of `network`"
    )
    role: RoleSettings = Field(
        default=RoleSettings(), description="what to add to the function's role"
    )
    code_signing_config_arn: _Arn | None = Field(
        default=None, description="ARN of the code signing configuration"
    )
    environment_key: _Arn | None = Field(
        default=None,
        description="ARN of the KMS key for the environment variables; none: the AWS managed key",
    )
    dead_letter_queue: _Arn | None = Field(
        default=None, description="ARN of the SQS queue or SNS topic for failed events"
    )
    options: dict[str, Any] = Field(
        default={},
        description="more arguments of `aws.lambda.Function`, such as `{snapStart: {applyOn:"
        " PublishedVersions}}`",
    )
    replaces: Literal["function"] | None = Field(
        default=None,
        description="`function`: this function takes over the role, log group, function and"
        " alias of the section `function`; keep the key as long as the function exists",
    )

    @property
    def is_python(self) -> bool:
        """Whether it runs Python, and so its package gets the client."""
        return self.runtime.startswith("python")


class SingleFunctionSettings(RuntimeSettings):
    """The function `reader`, with the code of an example. Use `functions` for your own."""

    handler: Literal["app", "query"] = Field(
        default="app",
        description="`app` returns where it would connect to; `query` queries the PostgreSQL"
        " database",
    )
    secret: str = Field(
        default="database",
        description="logical name of the secret whose full name is passed as `SECRET_NAME`",
    )
    secrets: list[str] | None = Field(
        default=None,
        description="logical names of the secrets that the function may read; none: all except"
        " admin secrets, with a warning",
    )
    parameters: list[str] | None = Field(
        default=None,
        description="logical names of the parameters that the function may read; none: all",
    )
    runtime: Annotated[str, Within(limits.RUNTIMES)] = Field(
        default=limits.DEFAULT_RUNTIME,
        description="runtime of the function, and the default of `internalFunctions.runtime`",
    )


class InternalFunctionSettings(Model):
    """The functions that generate initial values, rotate secrets and watch rotation."""

    runtime: Annotated[str, Within(limits.RUNTIMES)] | None = Field(
        default=None,
        description="runtime; none: that of the function `reader`, or of the function that"
        f" replaces it, if it runs Python, else {limits.DEFAULT_RUNTIME}",
    )
    architecture: limits.Architecture | None = Field(
        default=None,
        description="architecture; none: that of `reader` or its replacement, else "
        + limits.DEFAULT_ARCHITECTURE,
    )
    log_retention_days: Annotated[int, Within(limits.LOG_RETENTION_DAYS)] | None = Field(
        default=None,
        description=f"days that logs are kept; none: as for `reader` or its replacement, else"
        f" {limits.DEFAULT_LOG_RETENTION_DAYS}",
    )
