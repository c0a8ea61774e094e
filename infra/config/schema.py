"""The keys of stack config, their types, ranges and defaults. Pure: no Pulumi, no boto3.

What one key alone cannot tell stands in `rules`.
"""

from typing import Annotated, Literal

from pydantic import Field

from ..aws import limits
from ..aws.place import Place
from .function_settings import (
    ExtensionSettings,
    FunctionSettings,
    InternalFunctionSettings,
    RolesSettings,
    SingleFunctionSettings,
)
from .model import Model, Within


class GeneratedField(Model):
    """How Secrets Manager makes a value."""

    length: Annotated[int, Within(limits.PASSWORD_LENGTH)] = Field(
        default=32, description="characters"
    )
    # What RDS refuses in a password, the backslash, and the space that nobody sees.
    exclude_characters: str = Field(
        default="/@\"'\\ ",
        max_length=limits.EXCLUDED_CHARACTERS,
        description="characters never used",
    )
    exclude_lowercase: bool = Field(default=False, description="no lower-case letters")
    exclude_uppercase: bool = Field(default=False, description="no upper-case letters")
    exclude_numbers: bool = Field(default=False, description="no digits")
    exclude_punctuation: bool = Field(default=False, description="no punctuation")
    require_each_included_type: bool = Field(
        default=True, description="at least one of each kind not excluded"
    )

    def rules(self) -> dict[str, object]:
        """Write all of it in the words of a stack file, `length` first.

        GetRandomPassword's own word for that, or another text right after a field named
        `password`, makes secret scanners take the rules for a password.
        """
        return self.model_dump(by_alias=True)


class RotationSettings(Model):
    """How one secret is rotated."""

    strategy: limits.RotationStrategy = Field(
        description="of a PostgreSQL user, of two users in turn, or of generated text that no"
        " server knows"
    )
    every_days: Annotated[int, Within(limits.ROTATION_DAYS)] | None = Field(
        default=None, description="days between two rotations; none, and no `schedule`: 30"
    )
    schedule: str | None = Field(
        default=None, description="`rate(...)` or `cron(...)` in UTC, instead of `everyDays`"
    )
    window_hours: Annotated[int, Within(limits.ROTATION_WINDOW_HOURS)] | None = Field(
        default=None, description="hours in which it may happen; none: to the end of the day"
    )
    rotate_immediately: bool = Field(
        default=False,
        description="whether to rotate as well when rotation is set up or its schedule changes;"
        " false: with `everyDays` or `rate(...)`, a rotation that was already scheduled may still"
        " happen after a change",
    )
    admin_secret: str | None = Field(
        default=None, description="the administrator's secret; with `alternatingUsers`"
    )
    host: str | None = Field(
        default=None,
        min_length=1,
        description="the database's own endpoint, where the secret's `host` is one of RDS Proxy or"
        " of a pooler; none: the secret's `host` and `port`",
    )
    port: Annotated[int, Within(limits.HTTP_PORT)] | None = Field(
        default=None, description="its port; with `host`; none: 5432"
    )
    overlap_hours: Annotated[int, Within(limits.OVERLAP_HOURS)] = Field(
        default=0,
        description="hours that a superseded value stays in the secret, and up to one more;"
        " with `random`",
    )


class SecretSettings(Model):
    """One secret: its structure, never its value."""

    description: str = Field(
        default="", max_length=limits.SECRET_DESCRIPTION_LENGTH, description="what it is for"
    )
    source: Literal["generate", "config", "external"] = Field(
        default="generate", alias="from", description="where the value comes from"
    )
    existing: Annotated[str, Within(limits.SECRET_ARN)] | None = Field(
        default=None,
        description="ARN of a secret that exists already, in this or another account and region:"
        " it is read, and neither made, changed nor rotated here",
    )
    key_arn: Annotated[str, Within(limits.KEY_ARN)] | None = Field(
        default=None,
        description="ARN of the KMS key of an `existing` secret; none: Secrets Manager's own",
    )
    fields: dict[str, str | int | float | bool] = Field(
        default={}, description="plain fields of the value, with `from: generate`"
    )
    generate: dict[str, GeneratedField] = Field(
        default={}, description="fields made inside AWS, with `from: generate`"
    )
    recovery_window_days: (
        Annotated[int, Within(limits.RECOVERY_WINDOW_DAYS, besides=(0,))] | None
    ) = Field(default=None, description="instead of the environment's `recoveryWindowDays`")
    rotation: RotationSettings | None = Field(
        default=None, description="how it is rotated; none: never"
    )

    def generated_fields(self) -> dict[str, dict[str, object]]:
        """Write the rules of each field of `generate`."""
        return {field: generated.rules() for field, generated in self.generate.items()}

    def rotated_fields(self) -> dict[str, dict[str, object]]:
        """Write the same for each field that rotation makes anew: a database's is `password`."""
        return self.generated_fields() or {"password": GeneratedField().rules()}


class ParameterSettings(Model):
    """One parameter of Parameter Store; a SecureString's value stands elsewhere."""

    type: limits.ParameterType = Field(
        default="String", description="a StringList's items are separated by commas"
    )
    value: str | None = Field(
        default=None, description="the value in plain, of a String or StringList"
    )
    source: Literal["generate", "config", "external"] = Field(
        default="generate", alias="from", description="where a SecureString's value comes from"
    )
    generate: GeneratedField | None = Field(
        default=None, description="how the value is made, with `from: generate`"
    )
    description: str = Field(
        default="", max_length=limits.PARAMETER_DESCRIPTION_LENGTH, description="what it is for"
    )
    tier: limits.ParameterTier = Field(
        default="Standard", description="a value of 4 KB, for nothing, or of 8 KB"
    )

    @property
    def secure(self) -> bool:
        """Whether the value is encrypted."""
        return self.type == "SecureString"

    def generated(self) -> dict[str, object]:
        """Write the rules that a SecureString's value is made by."""
        return (self.generate or GeneratedField()).rules()


class ReaderSettings(Model):
    """A role that is made elsewhere."""

    role: Annotated[str, Within(limits.ROLE_ARN)] = Field(
        description="its ARN, in this or another account"
    )
    secrets: list[str] = Field(description="the secrets that it may read, by name")


class NetworkSettings(Model):
    """The VPC of the functions that read and rotate."""

    subnet_ids: list[str] = Field(
        default=[], description="subnets of the functions; none: outside of any VPC"
    )
    security_group_ids: list[str] = Field(
        default=[],
        description="security groups of the functions in these subnets; with `egress: endpoints`,"
        " besides their own",
    )
    egress: Literal["endpoints", "nat"] | None = Field(
        default=None,
        description="how functions reach AWS: by `endpoints`, which are made; or by `nat`, a NAT"
        " gateway or endpoints that are there already",
    )
    vpc_id: str | None = Field(
        default=None, description="VPC of the subnets; with `egress: endpoints`"
    )
    services: list[limits.EndpointService] = Field(
        default=[],
        description="endpoints besides those of Secrets Manager and Parameter Store, of what your"
        " own handler calls: `logs`, `monitoring`, `xray`; with `egress: endpoints`",
    )
    s3_route_table_ids: list[str] = Field(
        default=[],
        description="route tables of the subnets, for a gateway endpoint of S3 if your own handler"
        " needs it; with `egress: endpoints`",
    )
    database_security_group_id: str | None = Field(
        default=None,
        description="security group of the database, of another account as `ACCOUNT/GROUP`; with"
        " `egress: endpoints`, the only other way out",
    )
    database_port: Annotated[int, Within(limits.HTTP_PORT)] = Field(
        default=5432, description="port of the database"
    )


class DatabaseSettings(Model):
    """The databases that secrets log in to."""

    ca_bundle: str | None = Field(
        default=None,
        description="PEM file, from the project's folder, of who signs the databases'"
        " certificates; none: RDS's",
    )


class KeySettings(Model):
    """The environment's KMS key."""

    rotation_period_days: Annotated[int, Within(limits.KEY_ROTATION_PERIOD_DAYS)] = Field(
        default=365, description="days between two rotations of the key material"
    )
    deletion_window_days: Annotated[int, Within(limits.KEY_DELETION_WINDOW_DAYS)] = Field(
        default=30, description="days in which its deletion can be cancelled"
    )


class ResourcePolicySettings(Model):
    """The resource policy of every secret."""

    enabled: bool = Field(
        default=False,
        description="whether only the functions and `administrators` may use the values",
    )
    administrators: list[str] = Field(
        default=[],
        description="who else may, and whoever deploys must be one: ARNs of roles and users, `*`"
        " and `?` standing for any characters",
    )
    organization_id: str | None = Field(
        default=None, description="organization outside of which nobody may; none: not asked"
    )


class SubscriptionSettings(Model):
    """Who is told of an alarm."""

    protocol: Literal["email", "sms", "https", "sqs", "lambda"] = Field(
        description="how it is told"
    )
    endpoint: str = Field(
        description="where: an address, a number such as +491701234567, a URL without credentials,"
        " or an ARN"
    )


class MonitoringSettings(Model):
    """The alarms, whom they tell, and the dashboard."""

    enabled: bool = Field(default=False, description="whether there are any; needs `audit.trail`")
    subscriptions: list[SubscriptionSettings] = Field(
        default=[], description="who is told of an alarm and of its end"
    )
    known_readers: list[str] = Field(
        default=[],
        description="who may read secrets besides the functions without an alarm: ARNs of roles"
        " and users",
    )
    period_seconds: Annotated[int, Within(limits.ALARM_PERIOD_SECONDS)] = Field(
        default=300,
        description="seconds that an alarm looks at; with less than 300 it may miss what"
        " CloudTrail tells minutes late, and 10 and 30 are for the embedded AWS",
    )
    runbook_url: str | None = Field(
        default=None,
        description="https URL of docs/operations.md where the on-call person can open it, such as"
        " that of its page in your repository: each alarm links to its heading there; none: alarms"
        " name the file",
    )


class AuditSettings(Model):
    """The record of every call: CloudTrail."""

    trail: Literal["none", "own", "existing"] = Field(
        default="none", description="a trail of its own, or one that is there, or none"
    )
    log_group_name: str | None = Field(
        default=None, description="log group of the `existing` trail, in this account and region"
    )
    retention_days: Annotated[int, Within(limits.AUDIT_RETENTION_DAYS)] = Field(
        default=365, description="days that the log files of an `own` trail are kept"
    )
    log_retention_days: Annotated[int, Within(limits.LOG_RETENTION_DAYS)] = Field(
        default=90,
        description="days that its log group is kept, for searches and alarms",
    )


class CostSettings(Model):
    """What the estimate of cost assumes."""

    requests_per_month: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=100_000, description="requests of each function in a month"
    )
    average_milliseconds: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=50, description="milliseconds of a request"
    )
    cold_starts_per_month: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=1000, description="execution environments that start in a month"
    )
    cold_start_milliseconds: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=500, description="milliseconds of such a start"
    )
    environments: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=1, description="execution environments that are there at a time"
    )
    management_events_per_month: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=1_000_000,
        description="calls of the whole account, in all regions, which an `own` trail records",
    )
    first_trail: bool = Field(
        default=True,
        description="whether the `own` trail is the account's first, whose events cost nothing",
    )
    log_bytes_per_request: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=500, description="bytes that a request logs, Lambda's own lines among them"
    )


class Settings(Model):
    """Every key of stack config but `secretValues`."""

    secrets: dict[str, SecretSettings] = Field(
        default={}, description="the secrets, by logical name"
    )
    parameters: dict[str, ParameterSettings] = Field(
        default={}, description="the parameters of Parameter Store, by logical name"
    )
    functions: dict[str, FunctionSettings] = Field(
        default={}, description="the functions that read, by logical name"
    )
    function: SingleFunctionSettings = Field(
        default=SingleFunctionSettings(),
        description="the function `reader`, with the code of an example; goes without `functions`",
    )
    internal_functions: InternalFunctionSettings = Field(
        default=InternalFunctionSettings(), description="the functions that seed, rotate and watch"
    )
    roles: RolesSettings = Field(
        default=RolesSettings(), description="what every role has that is made here"
    )
    readers: dict[str, ReaderSettings] = Field(
        default={},
        description="roles that are made elsewhere and may read, by a name that no function has:"
        " of another stack, SAM, CDK or ECS, in this or another account",
    )
    extension: ExtensionSettings = Field(
        default=ExtensionSettings(), description="the AWS Parameters and Secrets Lambda Extension"
    )
    key: KeySettings = Field(default=KeySettings(), description="the environment's KMS key")
    network: NetworkSettings = Field(
        default=NetworkSettings(), description="the VPC of the functions that read and rotate"
    )
    database: DatabaseSettings = Field(
        default=DatabaseSettings(), description="the databases that secrets log in to"
    )
    max_staleness_seconds: Annotated[int, Within(limits.MAX_STALENESS_SECONDS)] = Field(
        default=300,
        description="longest time a value is served after it changed: the extension's and the"
        " client's caches together",
    )
    recovery_window_days: Annotated[int, Within(limits.RECOVERY_WINDOW_DAYS, besides=(0,))] = (
        Field(
            default=30,
            description="days in which a deleted secret can be restored; 0: gone at once",
        )
    )
    resource_policy: ResourcePolicySettings = Field(
        default=ResourcePolicySettings(), description="the resource policy of every secret"
    )
    protection: Literal["relaxed", "standard", "strict"] = Field(
        default="relaxed", description="how much of a careless config is refused"
    )
    exemptions: dict[str, str] = Field(
        default={},
        description="rules of `protection` that are not kept, and deletions that are asked for, by"
        " name, each with its reason",
    )
    cost: CostSettings = Field(
        default=CostSettings(), description="what the estimate of cost assumes"
    )
    replica_regions: list[str] = Field(
        default=[], description="regions with a replica of every secret, each under its own key"
    )
    monitoring: MonitoringSettings = Field(
        default=MonitoringSettings(), description="the alarms, whom they tell, and the dashboard"
    )
    audit: AuditSettings = Field(
        default=AuditSettings(), description="the record of every call: CloudTrail"
    )
    tags: dict[str, str] = Field(default={}, description="tags of everything that takes tags")

    @property
    def own_secrets(self) -> dict[str, SecretSettings]:
        """The secrets that are made here, by logical name."""
        return {name: each for name, each in self.secrets.items() if each.existing is None}

    @property
    def existing_secrets(self) -> dict[str, SecretSettings]:
        """The secrets that exist already, by logical name."""
        return {name: each for name, each in self.secrets.items() if each.existing is not None}

    def existing_arns(self, region: str) -> list[str]:
        """ARNs of the secrets that exist already, of one region."""
        arns = [each.existing for each in self.existing_secrets.values() if each.existing]
        return [arn for arn in arns if Place.of(arn).region == region]

    @property
    def admin_secrets(self) -> set[str]:
        """Logical names of the secrets that rotation logs in with, and no function may read."""
        rotations = (each.rotation for each in self.secrets.values())
        return {each.admin_secret for each in rotations if each and each.admin_secret}

    @property
    def readable(self) -> list[str]:
        """Logical names of the secrets made here that a function may read."""
        return [name for name in self.own_secrets if name not in self.admin_secrets]
