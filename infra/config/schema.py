"""The keys of stack config, their types, ranges and defaults. Pure: no Pulumi, no boto3.

Rules that concern more than one key are in `rules`.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..aws import limits
from ..aws.location import Location
from .function_settings import (
    ExtensionSettings,
    FunctionSettings,
    InternalFunctionSettings,
    RolesSettings,
    SingleFunctionSettings,
)
from .model import Model, Within


class GeneratedField(Model):
    """How Secrets Manager generates a value."""

    length: Annotated[int, Within(limits.PASSWORD_LENGTH)] = Field(
        default=32, description="number of characters"
    )
    # The characters that RDS rejects in a password, the backslash, and the space.
    exclude_characters: str = Field(
        default="/@\"'\\ ",
        max_length=limits.EXCLUDED_CHARACTERS,
        description="characters that are never used",
    )
    exclude_lowercase: bool = Field(
        default=False, description="whether to exclude lower-case letters"
    )
    exclude_uppercase: bool = Field(
        default=False, description="whether to exclude upper-case letters"
    )
    exclude_numbers: bool = Field(default=False, description="whether to exclude digits")
    exclude_punctuation: bool = Field(default=False, description="whether to exclude punctuation")
    require_each_included_type: bool = Field(
        default=True,
        description="whether to use at least one character of each type that is not excluded",
    )

    def rules(self) -> dict[str, object]:
        """Return all keys as a stack file spells them, `length` first.

        With GetRandomPassword's name for `length`, or with text right after a field named
        `password`, secret scanners take the rules for a password.
        """
        return self.model_dump(by_alias=True)


class RotationSettings(Model):
    """How one secret is rotated."""

    strategy: limits.RotationStrategy = Field(
        description="what to rotate: `singleUser`, the password of a PostgreSQL user;"
        " `alternatingUsers`, those of two PostgreSQL users in turn; `random`, generated text"
        " that no server stores, such as a signing key"
    )
    every_days: Annotated[int, Within(limits.ROTATION_DAYS)] | None = Field(
        default=None, description="days between rotations; none, and no `schedule`: 30"
    )
    schedule: str | None = Field(
        default=None, description="`rate(...)` or `cron(...)` in UTC, instead of `everyDays`"
    )
    window_hours: Annotated[int, Within(limits.ROTATION_WINDOW_HOURS)] | None = Field(
        default=None,
        description="length of the rotation window, in hours; none: until the end of the day",
    )
    rotate_immediately: bool = Field(
        default=False,
        description="whether to rotate also when rotation is set up or its schedule changes; if"
        " false, with `everyDays` or `rate(...)`, a rotation that is already scheduled may still"
        " happen after a change",
    )
    admin_secret: str | None = Field(
        default=None,
        description="logical name of the secret with which rotation logs in; for"
        " `alternatingUsers`",
    )
    host: str | None = Field(
        default=None,
        min_length=1,
        description="the database's own endpoint, if the secret's `host` is RDS Proxy or a"
        " connection pooler; none: the secret's `host` and `port`",
    )
    port: Annotated[int, Within(limits.PORT)] | None = Field(
        default=None, description="port of `host`; none: 5432"
    )
    overlap_hours: Annotated[int, Within(limits.OVERLAP_HOURS)] = Field(
        default=0,
        description="hours that the previous value stays in the secret, or up to one hour longer;"
        " for `random`",
    )
    group: Annotated[str, Within(limits.ROTATION_GROUP)] | None = Field(
        default=None,
        description="name of a group whose secrets share one rotation function, which may read"
        " and write all of them; none: a function of its own",
    )


class SecretSettings(Model):
    """One secret: its structure, never its value."""

    description: str = Field(
        default="",
        max_length=limits.SECRET_DESCRIPTION_LENGTH,
        description="what the secret is for",
    )
    source: Literal["generate", "config", "external"] = Field(
        default="generate", alias="from", description="where the value comes from"
    )
    existing: Annotated[str, Within(limits.SECRET_ARN)] | None = Field(
        default=None,
        description="ARN of an existing secret, in this or another account and region: functions"
        " can read it; this program does not create, change or rotate it",
    )
    key_arn: Annotated[str, Within(limits.KEY_ARN)] | None = Field(
        default=None,
        description="ARN of the KMS key of an `existing` secret; none: the AWS managed key",
    )
    fields: dict[str, str | int | float | bool] = Field(
        default={}, description="plain-text fields of the value, with `from: generate`"
    )
    generate: dict[str, GeneratedField] = Field(
        default={}, description="fields that are generated inside AWS, with `from: generate`"
    )
    recovery_window_days: Annotated[int, Within(limits.RECOVERY_WINDOW_DAYS, also=(0,))] | None = (
        Field(
            default=None,
            description="this secret's recovery window, instead of `recoveryWindowDays`",
        )
    )
    rotation: RotationSettings | None = Field(
        default=None, description="how the secret is rotated; none: never"
    )

    def generated_fields(self) -> dict[str, dict[str, object]]:
        """Return the rules of each field of `generate`."""
        return {field: generated.rules() for field, generated in self.generate.items()}

    def rotated_fields(self) -> dict[str, dict[str, object]]:
        """Return the rules of each field that rotation generates: a database's is `password`."""
        return self.generated_fields() or {"password": GeneratedField().rules()}


class ParameterSettings(Model):
    """One parameter of Parameter Store; a SecureString's value is in `secretValues`, if at all."""

    type: limits.ParameterType = Field(
        default="String",
        description="the parameter's type; commas separate the items of a StringList",
    )
    value: str | None = Field(
        default=None, description="plain-text value of a String or StringList"
    )
    source: Literal["generate", "config", "external"] = Field(
        default="generate", alias="from", description="where a SecureString's value comes from"
    )
    generate: GeneratedField | None = Field(
        default=None, description="how the value is generated, with `from: generate`"
    )
    description: str = Field(
        default="",
        max_length=limits.PARAMETER_DESCRIPTION_LENGTH,
        description="what the parameter is for",
    )
    tier: limits.ParameterTier = Field(
        default="Standard",
        description="`Standard`: up to 4 KB, free of charge; `Advanced`: up to 8 KB",
    )

    @property
    def secure(self) -> bool:
        """Whether the value is encrypted."""
        return self.type == "SecureString"

    def generated(self) -> dict[str, object]:
        """Return the rules by which a SecureString's value is generated."""
        return (self.generate or GeneratedField()).rules()


class ReaderSettings(Model):
    """A role that this program does not create."""

    role: Annotated[str, Within(limits.ROLE_ARN)] = Field(
        description="ARN of the role, in this or another account"
    )
    secrets: list[str] = Field(description="logical names of the secrets that the role may read")


class NetworkSettings(Model):
    """The VPC of the functions that read and rotate secrets."""

    subnet_ids: list[str] = Field(
        default=[], description="subnets of the functions; none: outside any VPC"
    )
    security_group_ids: list[str] = Field(
        default=[],
        description="security groups of the functions in these subnets; with `egress:"
        " endpoints`, in addition to the one that this program creates",
    )
    egress: Literal["endpoints", "nat"] | None = Field(
        default=None,
        description="how functions reach AWS; `endpoints`: through VPC endpoints that this"
        " program creates; `nat`: through an existing NAT gateway or existing endpoints",
    )
    vpc_id: str | None = Field(
        default=None, description="VPC of the subnets; for `egress: endpoints`"
    )
    services: list[limits.EndpointService] = Field(
        default=[],
        description="more endpoints that your code needs, in addition to those for Secrets"
        " Manager and Parameter Store: `logs`, `monitoring`, `xray`; for `egress: endpoints`",
    )
    s3_route_table_ids: list[str] = Field(
        default=[],
        description="route tables of the subnets, for an S3 gateway endpoint if your code needs"
        " one; for `egress: endpoints`",
    )
    database_security_group_id: str | None = Field(
        default=None,
        description="security group of the database, or `ACCOUNT/GROUP` if it is in another"
        " account; with `egress: endpoints`, functions reach only this and the endpoints",
    )
    database_port: Annotated[int, Within(limits.PORT)] = Field(
        default=5432, description="port of the database"
    )


class DatabaseSettings(Model):
    """The databases that secrets log in to."""

    ca_bundle: str | None = Field(
        default=None,
        description="CA bundle (PEM file) for TLS to the databases, relative to the project"
        " folder; none: that of RDS",
    )


class KeySettings(Model):
    """The environment's KMS key."""

    rotation_period_days: Annotated[int, Within(limits.KEY_ROTATION_PERIOD_DAYS)] = Field(
        default=365, description="days between rotations of the key material"
    )
    deletion_window_days: Annotated[int, Within(limits.KEY_DELETION_WINDOW_DAYS)] = Field(
        default=30, description="days in which the key's deletion can be cancelled"
    )


class ResourcePolicySettings(Model):
    """The resource policy of every secret."""

    enabled: bool = Field(
        default=False,
        description="whether only the functions and `administrators` may use the secrets",
    )
    administrators: list[str] = Field(
        default=[],
        description="ARNs of the roles and users that may use and change the secrets, with `*`"
        " and `?` as wildcards; the deployer must be among them",
    )
    organization_id: str | None = Field(
        default=None,
        description="ID of an organization, outside of which no one may use the secrets; none:"
        " no such limit",
    )


class SubscriptionSettings(Model):
    """One subscriber to the alarms."""

    protocol: Literal["email", "sms", "https", "sqs", "lambda"] = Field(
        description="notification protocol"
    )
    endpoint: str = Field(
        description="email address, phone number such as +491701234567, URL without credentials,"
        " or ARN of a queue or function"
    )


class MonitoringSettings(Model):
    """The alarms, their subscribers, and the dashboard."""

    enabled: bool = Field(
        default=False,
        description="whether to create the alarms and the dashboard; needs `audit.trail`",
    )
    subscriptions: list[SubscriptionSettings] = Field(
        default=[], description="who is notified when an alarm begins and when it ends"
    )
    known_readers: list[str] = Field(
        default=[],
        description="ARNs of roles and users that may read secrets without an alarm, in addition"
        " to the functions",
    )
    period_seconds: Annotated[int, Within(limits.ALARM_PERIOD_SECONDS)] = Field(
        default=300,
        description="evaluation period of the alarms, in seconds; below 300, an alarm may miss"
        " events that CloudTrail delivers late; 10 and 30 are only for the local run",
    )
    runbook_url: str | None = Field(
        default=None,
        description="https URL at which the people on call can open docs/operations.md, such as"
        " its page in your Git host; each alarm links to its section there; none: the alarms"
        " name the file",
    )


class AuditSettings(Model):
    """The audit trail: CloudTrail."""

    trail: Literal["none", "own", "existing"] = Field(
        default="none",
        description="`own`: create a trail; `existing`: use one that exists; `none`: no trail",
    )
    log_group_name: str | None = Field(
        default=None, description="log group of the `existing` trail, in this account and region"
    )
    retention_days: Annotated[int, Within(limits.AUDIT_RETENTION_DAYS)] = Field(
        default=365, description="days that the log files of an `own` trail are kept"
    )
    log_retention_days: Annotated[int, Within(limits.LOG_RETENTION_DAYS)] = Field(
        default=90,
        description="days that the log group of an `own` trail is kept, for searches and alarms",
    )


class CostSettings(Model):
    """What the cost estimate assumes."""

    requests_per_month: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=100_000, description="invocations of each function per month"
    )
    average_milliseconds: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=50, description="duration of an invocation, in milliseconds"
    )
    cold_starts_per_month: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=1000, description="execution environments that start per month"
    )
    cold_start_milliseconds: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=500, description="duration of such a start, in milliseconds"
    )
    environments: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=1, description="execution environments that run at a time"
    )
    management_events_per_month: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=1_000_000,
        description="management events (API calls) of the whole account per month, in all"
        " regions; an `own` trail records them",
    )
    first_trail: bool = Field(
        default=False,
        description="whether the `own` trail is the account's first, whose events are free of"
        " charge; most accounts have one already",
    )
    log_bytes_per_request: Annotated[int, Within(limits.ASSUMED)] = Field(
        default=500, description="bytes that an invocation logs, including Lambda's own lines"
    )


class ExemptionSettings(Model):
    """Why a rule of `protection` is waived, or a deletion allowed; text is the reason alone."""

    reason: str = Field(description="why, in at least ten characters")
    owner: str | None = Field(
        default=None,
        description="who answers for it, such as a team; required with `protection: strict`",
    )
    expires: Annotated[str, Within(limits.DATE)] | None = Field(
        default=None,
        description="last day on which it holds (UTC), in quotes; after it, a preview fails;"
        " required with `protection: strict`",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: object) -> object:
        return {"reason": value} if isinstance(value, str) else value


class Settings(Model):
    """Every key of stack config except `secretValues`."""

    secrets: dict[str, SecretSettings] = Field(
        default={}, description="the secrets, by logical name"
    )
    parameters: dict[str, ParameterSettings] = Field(
        default={}, description="the parameters of Parameter Store, by logical name"
    )
    functions: dict[str, FunctionSettings] = Field(
        default={}, description="the functions that read secrets, by logical name"
    )
    function: SingleFunctionSettings = Field(
        default=SingleFunctionSettings(),
        description="the function `reader`, with the code of an example; cannot be combined with"
        " `functions`",
    )
    internal_functions: InternalFunctionSettings = Field(
        default=InternalFunctionSettings(),
        description="the functions that generate initial values, rotate secrets and watch"
        " rotation",
    )
    roles: RolesSettings = Field(
        default=RolesSettings(),
        description="what all roles that this program creates have in common",
    )
    readers: dict[str, ReaderSettings] = Field(
        default={},
        description="existing roles that may read secrets, for example of another stack, SAM,"
        " CDK or ECS, in this or another account; by a name that no function has",
    )
    extension: ExtensionSettings = Field(
        default=ExtensionSettings(), description="the AWS Parameters and Secrets Lambda Extension"
    )
    key: KeySettings = Field(default=KeySettings(), description="the environment's KMS key")
    network: NetworkSettings = Field(
        default=NetworkSettings(),
        description="the VPC of the functions that read and rotate secrets",
    )
    database: DatabaseSettings = Field(
        default=DatabaseSettings(), description="the databases that secrets log in to"
    )
    max_staleness_seconds: Annotated[int, Within(limits.MAX_STALENESS_SECONDS)] = Field(
        default=300,
        description="maximum age in seconds of a value that a function uses, in the caches of"
        " the extension and the client together",
    )
    recovery_window_days: Annotated[int, Within(limits.RECOVERY_WINDOW_DAYS, also=(0,))] = Field(
        default=30,
        description="days in which a deleted secret can be restored; 0: deleted immediately",
    )
    resource_policy: ResourcePolicySettings = Field(
        default=ResourcePolicySettings(), description="the resource policy of every secret"
    )
    protection: Literal["relaxed", "standard", "strict"] = Field(
        default="relaxed", description="how strictly the config is checked"
    )
    exemptions: dict[str, ExemptionSettings] = Field(
        default={},
        description="rules of `protection` to waive, and deletions to allow, by name, each with"
        " reason, owner and date of expiry, or a text that is the reason alone",
    )
    cost: CostSettings = Field(
        default=CostSettings(), description="what the cost estimate assumes"
    )
    replica_regions: list[str] = Field(
        default=[],
        description="regions with a replica of every secret, each encrypted with its own key",
    )
    monitoring: MonitoringSettings = Field(
        default=MonitoringSettings(),
        description="the alarms, their subscribers, and the dashboard",
    )
    audit: AuditSettings = Field(
        default=AuditSettings(), description="the audit trail (CloudTrail)"
    )
    tags: dict[str, str] = Field(default={}, description="tags of all resources that support tags")

    @property
    def own_secrets(self) -> dict[str, SecretSettings]:
        """The secrets that this program creates, by logical name."""
        return {name: each for name, each in self.secrets.items() if each.existing is None}

    @property
    def existing_secrets(self) -> dict[str, SecretSettings]:
        """The existing secrets, by logical name."""
        return {name: each for name, each in self.secrets.items() if each.existing is not None}

    def existing_arns(self, region: str) -> list[str]:
        """ARNs of the existing secrets in one region."""
        arns = [each.existing for each in self.existing_secrets.values() if each.existing]
        return [arn for arn in arns if Location.of(arn).region == region]

    @property
    def admin_secrets(self) -> set[str]:
        """Logical names of the secrets with which rotation logs in; no function may read them."""
        rotations = (each.rotation for each in self.secrets.values())
        return {each.admin_secret for each in rotations if each and each.admin_secret}

    @property
    def readable(self) -> list[str]:
        """Logical names of the secrets that this program creates and a function may read."""
        return [name for name in self.own_secrets if name not in self.admin_secrets]
