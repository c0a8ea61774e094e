"""Limits of AWS, each with its documentation, and limits of this project, marked as ours.

Pure: no Pulumi, no boto3.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args


class Range(NamedTuple):
    """Whole numbers from `least` to `most`, both allowed."""

    least: int
    most: int
    without: tuple[int, ...] = ()

    def __str__(self) -> str:
        without = f", but not {' or '.join(map(str, self.without))}" if self.without else ""
        return f"{self.least} to {self.most}{without}"

    def __contains__(self, value: object) -> bool:
        is_within = isinstance(value, int) and self.least <= value <= self.most
        return is_within and value not in self.without


class Pattern(NamedTuple):
    """Text that matches as a whole."""

    pattern: str
    what: str
    """Description of such text, for example `an ARN`."""

    def __str__(self) -> str:
        return self.what

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None


Allowed = Range | Pattern | tuple[object, ...]
Check = tuple[str, object, Allowed]
"""Argument, value, and what is allowed."""

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
TTL_SECONDS = Range(0, 300)
# Ours: the extension caches a value for at most 300 seconds; the client may cache it longer.
MAX_STALENESS_SECONDS = Range(0, 3600)
CACHE_SIZE = Range(0, 1000)
# The extension's user cannot listen on a lower port, and Lambda's runtime API has 9001.
EXTENSION_PORT = Range(1024, 65_535, (9001,))
PORT = Range(1, 65_535)
# AWS documents only the minimum; an execution environment has no more file descriptors than this. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_CONNECTIONS = Range(1, 1024)
# No invocation is longer than the longest timeout of a function.
TIMEOUT_MILLIS = Range(0, 900_000)
LOG_LEVELS = ("debug", "info", "warn", "error", "none")

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MEMORY_MB = Range(128, 10_240)
# All variables of a function, as compact JSON.
ENVIRONMENT_BYTES = 4096
TIMEOUT_SECONDS = Range(1, 900)
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
FUNCTION_NAME = Pattern(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, - and _")
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
RESERVED_CONCURRENCY = Range(0, 100_000)
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
# The day on which Lambda deprecates a runtime: no more security updates, and two months later no
# more changes of a function. From the same page, as of November 2026; AWS moves these days.
RUNTIME_DEPRECATIONS = {
    "python3.8": "2024-10-14",
    "python3.9": "2025-12-15",
    "python3.10": "2026-10-31",
    "python3.11": "2027-06-30",
    "python3.12": "2028-10-31",
    "python3.13": "2029-06-30",
    "python3.14": "2029-06-30",
    "nodejs16.x": "2024-06-12",
    "nodejs18.x": "2025-09-01",
    "nodejs20.x": "2026-04-30",
    "nodejs22.x": "2027-04-30",
    "nodejs24.x": "2028-04-30",
}
# Any language; the provider and Lambda check the version.
ANY_RUNTIME = Pattern(
    r"(python\d\.\d+|nodejs\d+\.x|java\d+(\.al\d+)?|dotnet\d+|ruby\d\.\d+|provided\.al\d+)",
    "a Lambda runtime such as python3.13 or nodejs22.x",
)
Architecture = Literal["arm64", "x86_64"]
ARCHITECTURES: tuple[str, ...] = get_args(Architecture)

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
LOG_GROUP_NAME_LENGTH = 512

# Ours: the defaults of every function.
DEFAULT_RUNTIME = "python3.13"
DEFAULT_ARCHITECTURE: Architecture = "arm64"
DEFAULT_LOG_RETENTION_DAYS = 30

# https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
KEY_ROTATION_PERIOD_DAYS = Range(90, 2560)
# https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
KEY_DELETION_WINDOW_DAYS = Range(7, 30)

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
SECRET_VALUE_BYTES = 65_536
SECRET_NAME_LENGTH = 512
SECRET_DESCRIPTION_LENGTH = 2048
EXCLUDED_CHARACTERS = 4096
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
SECRET_NAME_PATTERN = r"[A-Za-z0-9/_+=.@-]+"  # noqa: S105 (a pattern of names)
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
_SECRET = r"[A-Za-z0-9/_+=.@!-]+-[A-Za-z0-9]{6}"  # noqa: S105 (a pattern of names)
SECRET_ARN = Pattern(
    rf"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{{12}}:secret:{_SECRET}",
    "the full ARN of a secret, with the six characters at its end",
)
# The default quota of an account, which AWS raises on request.
# https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
KEY_POLICY_BYTES = 32_768
KEY_ARN = Pattern(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", "the ARN of a KMS key"
)
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
RESOURCE_POLICY_CHARACTERS = 20_480
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
RECOVERY_WINDOW_DAYS = Range(7, 30)
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
# AWS also allows 1; less than 8 is not a secret.
PASSWORD_LENGTH = Range(8, 4096)
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
ROTATION_DAYS = Range(1, 1000)
ROTATION_WINDOW_HOURS = Range(1, 24)
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
ROTATION_RATE_HOURS = Range(4, 999)
ROTATION_RATE_DAYS = Range(1, 999)
# Ours: what handler/rotation.py implements.
RotationStrategy = Literal["singleUser", "alternatingUsers", "random"]
ROTATION_STRATEGIES: tuple[str, ...] = get_args(RotationStrategy)
# Ours: a part of resource names.
ROTATION_GROUP = Pattern(
    r"(?!.*-rotation-group)[A-Za-z0-9][A-Za-z0-9_-]{0,39}",
    "1 to 40 letters, digits, - and _ that start with a letter or digit, without -rotation-group",
)
# A function's resource-based policy has room for 20 KB, and the permission of a secret takes
# about 600 bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
SECRETS_PER_ROTATION_GROUP = 30
# Ours: as long as the longest schedule.
OVERLAP_HOURS = Range(0, 24_000)

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
ParameterType = Literal["String", "StringList", "SecureString"]
PARAMETER_TYPES: tuple[str, ...] = get_args(ParameterType)
# AWS counts the whole ARN, of 1011 characters at most; this leaves room for the longest region.
PARAMETER_NAME_LENGTH = 1011 - len("arn:aws-iso-f:ssm:us-isof-south-1:123456789012:parameter")
PARAMETER_NAME_LEVELS = 15
PARAMETER_DESCRIPTION_LENGTH = 1024
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
PARAMETER_VALUE_BYTES = {"Standard": 4096, "Advanced": 8192}
ParameterTier = Literal["Standard", "Advanced"]
PARAMETER_TIERS: tuple[str, ...] = get_args(ParameterTier)

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
# AWS also allows any multiple of 60; these are the periods that a dashboard shows.
ALARM_PERIOD_SECONDS = (10, 30, 60, 300, 900, 3600)
ALARM_NAME_LENGTH = 255
ALARM_DESCRIPTION_LENGTH = 1024
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
ALARMS_IN_COMPOSITE = 100
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
ALARMS_IN_WIDGET = 100
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
METRICS_IN_WIDGET = 500
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
FILTER_PATTERN_LENGTH = 1024
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
METRIC_FILTERS = 100
# Ours: each has seven of these filters.
EXISTING_SECRET_PARTS = 10
# S3 has no maximum; ten years is also the longest retention of a log group.
AUDIT_RETENTION_DAYS = Range(90, 3653)

# AWS's advice for high availability:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
LEAST_SUBNETS = 2
# Other services that a handler may call through an endpoint, by the endpoints' names:
# https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
EndpointService = Literal["logs", "monitoring", "xray"]
ENDPOINT_SERVICES: tuple[str, ...] = get_args(EndpointService)

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
ARN = Pattern(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:\S+", "an ARN")
ROLE_ARN = Pattern(
    r"arn:aws[a-z-]*:iam::\d{12}:role/([\w+=,.@/-]*/)?[\w+=,.@-]+", "the ARN of a role"
)
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
IAM_PATH = Pattern(r"/|/[!-~]{1,510}/", "a path such as /apps/")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MANAGED_POLICY_CHARACTERS = 6_144
# All inline policies of a role together.
INLINE_POLICY_CHARACTERS = 10_240
MANAGED_POLICIES_PER_ROLE = 10
# The default quota of an account, which AWS raises to 5,000 on request.
ROLES_PER_ACCOUNT = 1_000
# https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html
TAG_KEY_LENGTH = 128
TAG_VALUE_LENGTH = 256
TAGS = 50
# The narrowest pattern is IAM's: letters, digits and spaces of Unicode, and these.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
TAG_SYMBOLS = "_.:/=+-@"

# Ours: ISO 8601, so that dates are in order as text.
DATE = Pattern(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "a date such as 2027-01-31, in quotes"
)
ACCOUNT_ID = Pattern(r"\d{12}", "the 12 digits of an account, in quotes")
# Ours: assumptions of the cost estimate; a larger number is a mistake.
ASSUMED = Range(0, 1_000_000_000_000)


def check(owner: str, values: Iterable[Check]) -> None:
    """Reject plain values that AWS would reject, all at once.

    `None` and Pulumi outputs pass: `None` means AWS's default, and outputs are not known yet.

    Raises:
        ValueError: names the owner and, for each error, the argument, the value and what is
            allowed.

    """
    errors = [
        f"{argument} must be {shown(allowed)}, got {value!r}"
        for argument, value, allowed in values
        if isinstance(value, int | str) and value not in allowed
    ]
    if errors:
        raise ValueError(f"{owner}: {'; '.join(errors)}")


def secret_name_errors(name: str) -> list[str]:
    """Return why Secrets Manager would reject a name, or confuse it with an ARN."""
    errors = []
    if not re.fullmatch(SECRET_NAME_PATTERN, name):
        errors.append("contains characters other than letters, digits and /_+=.@-")
    if len(name) > SECRET_NAME_LENGTH:
        errors.append(f"is longer than {SECRET_NAME_LENGTH} characters")
    # Secrets Manager completes a partial ARN: https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html
    if re.search(r"-[A-Za-z0-9]{6}$", name):
        errors.append("ends with a hyphen and six characters, like the random suffix of an ARN")
    return errors


def parameter_name_errors(name: str) -> list[str]:
    """Return why Parameter Store would reject a full name, which starts with `/`.

    Whether its first level is reserved is left to `is_reserved_parameter`.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
    """
    errors = []
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", name):
        errors.append(
            "may contain only letters, digits, _, . and -, in levels separated by single slashes"
        )
    if name.count("/") > PARAMETER_NAME_LEVELS:
        errors.append(f"has more than {PARAMETER_NAME_LEVELS} levels")
    if len(name) > PARAMETER_NAME_LENGTH:
        errors.append(f"is longer than {PARAMETER_NAME_LENGTH} characters")
    return errors


def is_reserved_parameter(name: str) -> bool:
    """Whether AWS reserves a full name, because it starts with `aws` or `ssm`."""
    return re.match(r"/(aws|ssm)", name, re.IGNORECASE) is not None


def shown(allowed: Allowed) -> str:
    """Return what is allowed, to be read after "must be"."""
    if isinstance(allowed, Range | Pattern):
        return str(allowed)
    return f"one of {', '.join(map(str, allowed))}"
