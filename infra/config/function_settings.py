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
        default=limits.DEFAULT_ARCHITECTURE, description="of the function and its extension layer"
    )
    memory_mb: Annotated[int, Within(limits.MEMORY_MB)] = Field(
        default=256, description="megabytes"
    )
    timeout_seconds: Annotated[int, Within(limits.TIMEOUT_SECONDS)] = Field(
        default=30, description="seconds until a request is ended"
    )
    reserved_concurrency: Annotated[int, Within(limits.RESERVED_CONCURRENCY)] | None = Field(
        default=None,
        description="requests at once kept for it; none: shares the account's. Lambda keeps 100 of"
        " the account's quota for all others, so an account with a quota of 100 or less, as a new"
        " one may have, can keep none (`aws lambda get-account-settings`)",
    )
    log_retention_days: Annotated[int, Within(limits.LOG_RETENTION_DAYS)] = Field(
        default=limits.DEFAULT_LOG_RETENTION_DAYS, description="days that logs are kept"
    )
    tracing: bool = Field(default=True, description="X-Ray")
    telemetry: bool = Field(
        default=False,
        description="metrics of the client in CloudWatch, in the namespace LambdaSecrets",
    )


class ExtensionSettings(Model):
    """How the extension works."""

    cache_enabled: bool = Field(default=True, description="whether answers are kept")
    cache_size: Annotated[int, Within(limits.CACHE_SIZE)] = Field(
        default=1000, description="entries kept, secrets and parameters together"
    )
    secrets_ttl_seconds: Annotated[int, Within(limits.TTL_SECONDS)] | None = Field(
        default=None,
        description="seconds a secret is kept there; none: half of `maxStalenessSeconds`",
    )
    parameters_ttl_seconds: Annotated[int, Within(limits.TTL_SECONDS)] | None = Field(
        default=None, description="seconds a parameter is kept there; none: the same"
    )
    secrets_timeout_millis: Annotated[int, Within(limits.TIMEOUT_MILLIS)] = Field(
        default=2000, description="milliseconds to wait for Secrets Manager; 0: for ever"
    )
    parameters_timeout_millis: Annotated[int, Within(limits.TIMEOUT_MILLIS)] = Field(
        default=2000, description="milliseconds to wait for Parameter Store; 0: for ever"
    )
    max_connections: Annotated[int, Within(limits.MAX_CONNECTIONS)] = Field(
        default=3, description="connections to AWS at once"
    )
    http_port: Annotated[int, Within(limits.HTTP_PORT)] = Field(
        default=2773, description="port on 127.0.0.1"
    )
    log_level: Annotated[str, Within(limits.LOG_LEVELS)] = Field(
        default="info", description="what it logs"
    )
    layer_arn: str | None = Field(
        default=None,
        description="layer version instead of the pinned one of region and architecture",
    )


class RolesSettings(Model):
    """What every role has that is made here."""

    permissions_boundary: _Arn | None = Field(
        default=None, description="ARN of the policy that bounds what the roles may do"
    )
    path: _Path | None = Field(
        default=None, description="path of the roles and their policies, such as `/apps/`"
    )


class RoleSettings(Model):
    """What a function's role has in addition to its grants."""

    permissions_boundary: _Arn | None = Field(
        default=None, description="instead of `roles.permissionsBoundary`"
    )
    path: _Path | None = Field(default=None, description="instead of `roles.path`")
    policy_arns: list[_Arn] = Field(
        default=[], description="ARNs of managed policies to attach, for what else the code calls"
    )


class FunctionNetworkSettings(Model):
    """The VPC of one function."""

    subnet_ids: list[str] = Field(
        default=[],
        description="its subnets; none: outside of any VPC. Without `network`: the stack's",
    )
    security_group_ids: list[str] = Field(default=[], description="its security groups")


class FunctionSettings(RuntimeSettings):
    """A function with code of its own: what it runs, and exactly what it may read."""

    code: str = Field(
        min_length=1,
        description="its code: a folder, one file, or a built .zip; from the project's folder",
    )
    handler: str = Field(
        min_length=1,
        description="what Lambda calls: `module.function` in Python, `file.export` in Node",
    )
    runtime: Annotated[str, Within(limits.ANY_RUNTIME)] = Field(
        default=limits.DEFAULT_RUNTIME, description="any of Lambda's, such as `nodejs22.x`"
    )
    include: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="more files, and folders' contents, at the root of the package"
    )
    requirements: str | None = Field(
        default=None,
        description="its requirements.txt, resolved to wheels for runtime and architecture; the"
        " lock is written beside it",
    )
    ca_bundle: bool = Field(
        default=False,
        description="whether the package gets `ca-bundle.pem`, the CAs of the databases'"
        " certificates (`database.caBundle`)",
    )
    secrets: list[str] = Field(default=[], description="the secrets that it may read, by name")
    describe_secrets: bool = Field(
        default=False,
        description="whether it may call DescribeSecret on them, too, which answers no value:"
        " AWS's caching libraries do",
    )
    parameters: list[str] = Field(
        default=[], description="the parameters that it may read, by name"
    )
    environment: dict[str, str] = Field(
        default={},
        description="its environment variables, 4 KB at most with those set here; never a"
        " secret's value",
    )
    layers: list[str] = Field(
        default=[], description="ARNs of layer versions in addition to the extension's"
    )
    event: str | None = Field(
        default=None, description="JSON file with the event that `make up` sends"
    )
    expect: dict[str, Any] | None = Field(
        default=None, description="what its answer to that event must hold; it may hold more"
    )
    extension: ExtensionSettings = Field(
        default=ExtensionSettings(),
        description="instead of the same keys of `extension`, whose values are the defaults",
    )
    network: FunctionNetworkSettings | None = Field(
        default=None, description="its VPC instead of that of `network`"
    )
    role: RoleSettings = Field(default=RoleSettings(), description="what else its role has")
    code_signing_config_arn: _Arn | None = Field(
        default=None, description="ARN of the code signing configuration"
    )
    environment_key: _Arn | None = Field(
        default=None,
        description="ARN of the KMS key for its environment variables; none: Lambda's own",
    )
    dead_letter_queue: _Arn | None = Field(
        default=None, description="ARN of the queue or topic for events that failed"
    )
    options: dict[str, Any] = Field(
        default={},
        description="further arguments of `aws.lambda.Function`, such as"
        " `{snapStart: {applyOn: PublishedVersions}}`",
    )
    replaces: Literal["function"] | None = Field(
        default=None,
        description="`function`: takes over the role, log group, function and alias of the"
        " section `function`; it stays as long as the function does",
    )

    @property
    def is_python(self) -> bool:
        """Whether it runs Python, and so gets the client."""
        return self.runtime.startswith("python")


class SingleFunctionSettings(RuntimeSettings):
    """The function `reader`, with the code of an example. Write `functions` for your own."""

    handler: Literal["app", "query"] = Field(
        default="app",
        description="`app` tells what it would connect to; `query` asks the PostgreSQL database",
    )
    secret: str = Field(
        default="database", description="the secret whose name it gets as `SECRET_NAME`"
    )
    secrets: list[str] | None = Field(
        default=None,
        description="the secrets that it may read, by name; none: all but those of administrators,"
        " with a warning",
    )
    parameters: list[str] | None = Field(
        default=None, description="the parameters that it may read, by name; none: every one"
    )
    runtime: Annotated[str, Within(limits.RUNTIMES)] = Field(
        default=limits.DEFAULT_RUNTIME,
        description="its runtime, and the default of `internalFunctions.runtime`",
    )


class InternalFunctionSettings(Model):
    """The functions that seed, rotate and watch."""

    runtime: Annotated[str, Within(limits.RUNTIMES)] | None = Field(
        default=None,
        description="their runtime; none: that of the function `reader`, or of the one that"
        f" replaces it, if it runs Python, else {limits.DEFAULT_RUNTIME}",
    )
    architecture: limits.Architecture | None = Field(
        default=None,
        description="their architecture; none: that of the same function, else "
        + limits.DEFAULT_ARCHITECTURE,
    )
    log_retention_days: Annotated[int, Within(limits.LOG_RETENTION_DAYS)] | None = Field(
        default=None,
        description=f"days that their logs are kept; none: as those of the same function, else"
        f" {limits.DEFAULT_LOG_RETENTION_DAYS}",
    )
