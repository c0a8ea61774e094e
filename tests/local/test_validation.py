"""Parameters that violate a service's model are refused as AWS refused them."""

from typing import Any

import pytest

from local.aws import EmbeddedAws
from tests.local.reference import Refusal, answer_to, assert_refused

KMS = "localstack kms/test_kms.py::TestKMS::"
EVENTS = "localstack events/test_events.py::"
FILTERS = "localstack logs/test_logs_metric_filters.py::TestMetricFiltersValidation::"
GROUPS = "localstack logs/test_logs_groups.py::TestLogsGroups::"
LAMBDA = "localstack lambda_/test_lambda_api.py::TestLambdaFunction::"
STS = "localstack sts/test_sts.py::TestSTSIntegrations::"
DOCS = "https://docs.aws.amazon.com"

FUNCTION = {
    "FunctionName": "function",
    "Role": "arn:aws:iam::123456789012:role/role",
    "Runtime": "python3.13",
    "Handler": "app.handler",
    "Code": {"ZipFile": b"zip"},
}
FILTER = {
    "logGroupName": "group",
    "filterName": "filter",
    "filterPattern": "pattern",
    "metricTransformations": [
        {"metricName": "metric1", "metricNamespace": "namespace1", "metricValue": "1"}
    ],
}
ALARM = {
    "AlarmName": "alarm",
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "MetricName": "metric",
    "Namespace": "namespace",
    "Period": 60,
    "Statistic": "Sum",
    "Threshold": 1,
}


def one(value: str, path: str, constraint: str) -> str:
    """Return AWS's text for one violation; `value` has its quotes."""
    at = f"Value {value} at" if value else "Value at"
    return (
        f"1 validation error detected: {at} '{path}' failed to satisfy constraint: "
        f"Member must {constraint}"
    )


def too_long(value: str, path: str, maximum: int) -> str:
    return one(f"'{value}'", path, f"have length less than or equal to {maximum}")


REFUSALS = {
    "kms": [
        Refusal(
            "GenerateRandom",
            {"NumberOfBytes": 0},
            "ValidationException",
            one("'0'", "numberOfBytes", "have value greater than or equal to 1"),
            f"{KMS}test_generate_random_invalid_number_of_bytes[0]",
        ),
        Refusal(
            "GenerateRandom",
            {"NumberOfBytes": 1025},
            "ValidationException",
            one("'1025'", "numberOfBytes", "have value less than or equal to 1024"),
            f"{KMS}test_generate_random_invalid_number_of_bytes[1025]",
        ),
        Refusal(
            "Encrypt",
            {"KeyId": "key", "Plaintext": b"p" * 4097},
            "ValidationException",
            one("", "plaintext", "have length less than or equal to 4096"),
            f"{KMS}test_plaintext_size_for_encrypt",
        ),
        Refusal(
            "CreateKey",
            {"Tags": [{"TagKey": "k" * 129, "TagValue": "value"}]},
            "ValidationException",
            too_long("k" * 129, "tags.1.member.tagKey", 128),
            f"{KMS}test_create_key_with_invalid_tag_key[too_long_key]",
        ),
        Refusal(
            "CreateKey",
            {"Tags": [{"TagKey": "key", "TagValue": "v" * 257}]},
            "ValidationException",
            too_long("v" * 257, "tags.1.member.tagValue", 256),
            f"{KMS}test_key_with_long_tag_value_raises_error",
        ),
    ],
    "sts": [
        Refusal(
            "AssumeRole",
            {"RoleArn": FUNCTION["Role"], "RoleSessionName": "Session1:2"},
            "ValidationError",
            one(
                "'Session1:2'",
                "roleSessionName",
                r"satisfy regular expression pattern: [\w+=,.@-]*",
            ),
            f"{STS}test_sts_invalid_parameters",
        ),
        Refusal(
            "AssumeRole",
            {"RoleArn": FUNCTION["Role"], "RoleSessionName": "s" * 65},
            "ValidationError",
            too_long("s" * 65, "roleSessionName", 64),
            f"{STS}test_assume_role_session_name_too_long",
        ),
    ],
    "logs": [
        Refusal(
            "PutMetricFilter",
            FILTER | {"filterName": "X" * 513},
            "InvalidParameterException",
            too_long("X" * 513, "filterName", 512),
            f"{FILTERS}test_put_metric_filter_invalid_filter_name",
        ),
        Refusal(
            "PutMetricFilter",
            FILTER | {"filterPattern": "X" * 1025},
            "InvalidParameterException",
            too_long("X" * 1025, "filterPattern", 1024),
            f"{FILTERS}test_put_metric_filter_invalid_filter_pattern",
        ),
        Refusal(
            "PutMetricFilter",
            FILTER
            | {
                "metricTransformations": [
                    {
                        "metricName": f"metric{n}",
                        "metricNamespace": f"namespace{n}",
                        "metricValue": "1",
                    }
                    for n in (1, 2)
                ]
            },
            "InvalidParameterException",
            "1 validation error detected: Value '[MetricTransformation(metricName=metric1, "
            "metricNamespace=namespace1, metricValue=1, defaultValue=null, …",
            f"{FILTERS}test_put_metric_filter_too_many_transformations",
        ),
        Refusal(
            "DeleteMetricFilter",
            {"logGroupName": "group", "filterName": "X" * 513},
            "InvalidParameterException",
            too_long("X" * 513, "filterName", 512),
            f"{FILTERS}test_delete_metric_filter_invalid_filter_name",
        ),
        Refusal(
            "DescribeMetricFilters",
            {"filterNamePrefix": "X" * 513},
            "InvalidParameterException",
            too_long("X" * 513, "filterNamePrefix", 512),
            f"{FILTERS}test_describe_metric_filters_invalid_parameters",
        ),
        Refusal(
            "DescribeMetricFilters",
            {"metricName": "X" * 256, "metricNamespace": "namespace"},
            "InvalidParameterException",
            too_long("X" * 256, "metricName", 255),
            f"{FILTERS}test_describe_metric_filters_invalid_parameters",
        ),
        *(
            Refusal(
                operation,
                parameters | {"logGroupName": "X" * 513},
                "InvalidParameterException",
                "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
                source,
            )
            for operation, parameters, source in (
                (
                    "CreateLogGroup",
                    {},
                    f"{GROUPS}test_create_log_group_invalid_name_length",
                ),
                (
                    "DeleteMetricFilter",
                    {"filterName": "filter"},
                    f"{FILTERS}test_delete_metric_filter_invalid_log_group_name",
                ),
            )
        ),
    ],
    "events": [
        Refusal(
            "PutEvents",
            {
                "Entries": [
                    {"Source": "source", "DetailType": "type", "Detail": '{"command": "x"}'}
                ]
                * 11
            },
            "ValidationException",
            "1 validation error detected: Value '[PutEventsRequestEntry(time=null, source=source, "
            'resources=null, detailType=type, detail={"command": "x"}, eventBusName=null, …',
            f"{EVENTS}TestEvents::test_put_events_exceed_limit_ten_entries[default]",
        ),
        *(
            Refusal(
                "PutTargets",
                {"Rule": "rule", "Targets": [{"Id": value, "Arn": "arn:aws:sqs:::queue"}]},
                "ValidationException",
                message,
                f"{EVENTS}TestEventTarget::test_put_target_id_validation",
            )
            for value, message in (
                ("i" * 65, too_long("i" * 65, "targets.1.member.id", 64)),
                (
                    "!@#$@!#$",
                    one(
                        "'!@#$@!#$'",
                        "targets.1.member.id",
                        r"satisfy regular expression pattern: [\.\-_A-Za-z0-9]+",
                    ),
                ),
            )
        ),
        Refusal(
            "CreateConnection",
            {
                "Name": "This should fail with two errors 123467890123412341234123412341234",
                "AuthorizationType": "INVALID",
                "AuthParameters": {
                    "BasicAuthParameters": {"Username": "user", "Password": "password"}
                },
            },
            "ValidationException",
            "3 validation errors detected: Value 'This should fail with two errors "
            "123467890123412341234123412341234' at 'name' failed to satisfy constraint: Member "
            "must have length less than or equal to 64; Value 'This should fail with two errors "
            "123467890123412341234123412341234' at 'name' failed to satisfy constraint: Member "
            r"must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+; Value 'INVALID' at "
            "'authorizationType' failed to satisfy constraint: Member must satisfy enum value "
            "set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]",
            f"{EVENTS}TestEvents::test_create_connection_validations",
        ),
    ],
    "lambda": [
        Refusal(
            "CreateFunction",
            FUNCTION | {"FunctionName": "f" * 65},
            "InvalidParameterValueException",
            too_long("f" * 65, "functionName", 64),
            f"{LAMBDA}test_function_name_and_qualifier_validation",
        ),
        Refusal(
            "CreateFunction",
            FUNCTION | {"FunctionName": "my-function!"},
            "ValidationException",
            one("'my-function!'", "functionName", "satisfy regular expression pattern: …"),
            f"{LAMBDA}test_function_name_and_qualifier_validation",
        ),
        Refusal(
            "GetFunction",
            {"FunctionName": "my-function!"},
            "ValidationException",
            one("'my-function!'", "functionName", "satisfy regular expression pattern: …"),
            f"{LAMBDA}test_function_name_and_qualifier_validation",
        ),
        *(
            Refusal(
                "CreateFunction",
                FUNCTION | {"Runtime": runtime},
                "InvalidParameterValueException",
                f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy "
                "enum value set: …",
                f"{LAMBDA}test_create_lambda_exceptions",
            )
            for runtime in ("non-existent-runtime", "PYTHON3.9")
        ),
        Refusal(
            "CreateFunction",
            FUNCTION | {"Role": "r1"},
            "ValidationException",
            one(
                "'r1'",
                "role",
                r"satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?"
                r"[a-zA-Z_0-9+=,.@\-_/]+",
            ),
            f"{LAMBDA}test_create_lambda_exceptions",
        ),
        Refusal(
            "CreateFunction",
            FUNCTION | {"Architectures": ["x86_64", "arm64"]},
            "ValidationException",
            too_long("[x86_64, arm64]", "architectures", 1),
            f"{LAMBDA}test_create_lambda_exceptions",
        ),
        Refusal(
            "CreateFunction",
            FUNCTION | {"Architectures": ["X86_64"]},
            "ValidationException",
            one(
                "'[X86_64]'",
                "architectures",
                "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
                "Member must not be null]",
            ),
            f"{LAMBDA}test_create_lambda_exceptions",
        ),
        Refusal(
            "CreateAlias",
            {
                "FunctionName": "function",
                "Name": "alias",
                "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": {"2": 2.0}},
            },
            "ValidationException",
            "1 validation error detected: Value '{2=2.0}' at "
            "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value "
            "must satisfy constraint: [Member must have value less than or equal to 1.0, Member "
            "must have value greater than or equal to 0.0, Member must not be null]",
            "localstack lambda_/test_lambda_api.py::TestLambdaAlias::"
            "test_notfound_and_invalid_routingconfigs",
        ),
    ],
    "cloudwatch": [
        Refusal(
            "SetAlarmState",
            {"AlarmName": "alarm", "StateValue": "INVALID", "StateReason": "reason"},
            "ValidationError",
            one(
                "'INVALID'",
                "stateValue",
                "satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
            ),
            "localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::"
            "test_set_alarm_invalid_input",
        ),
        *(
            Refusal(
                "PutMetricAlarm",
                ALARM | change,
                "ValidationError",
                None,
                f"{DOCS}/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
            )
            for change in (
                {"AlarmName": "a" * 256},
                {"AlarmDescription": "d" * 1025},
                {"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:topic"] * 6},
                {"EvaluationPeriods": 0},
                {"Statistic": "Foo"},
                {"Unit": "Foo"},
                {"Namespace": ":x"},
            )
        ),
        Refusal(
            "PutMetricAlarm",
            {key: value for key, value in ALARM.items() if key != "AlarmName"},
            "MissingParameter",
            None,
            f"{DOCS}/AmazonCloudWatch/latest/APIReference/CommonErrors.html",
        ),
    ],
    "iam": [
        *(
            Refusal(
                "CreateRole",
                {"RoleName": "role", "AssumeRolePolicyDocument": "{}"} | change,
                "ValidationError",
                None,
                f"{DOCS}/IAM/latest/APIReference/API_CreateRole.html",
            )
            for change in (
                {"RoleName": "r" * 65},
                {"RoleName": "a/b c"},
                {"MaxSessionDuration": 100},
                {"Tags": [{"Key": "k", "Value": "v"}] * 51},
                {"Description": "d" * 1001},
            )
        ),
        Refusal(
            "GetPolicy",
            {"PolicyArn": "nope"},
            "ValidationError",
            None,
            f"{DOCS}/IAM/latest/APIReference/API_GetPolicy.html",
        ),
    ],
    "secretsmanager": [
        *(
            Refusal(
                operation,
                parameters,
                "ValidationException",
                None,
                f"{DOCS}/secretsmanager/latest/apireference/API_{operation}.html",
            )
            for operation, parameters in (
                ("CreateSecret", {"Name": "name", "Description": "d" * 2049}),
                ("CreateSecret", {"Name": "name", "SecretString": ""}),
                ("PutSecretValue", {"SecretId": "id", "VersionStages": ["stage"] * 21}),
                ("RotateSecret", {"SecretId": "id", "RotationRules": {"Duration": "soon"}}),
                (
                    "RotateSecret",
                    {"SecretId": "id", "RotationRules": {"AutomaticallyAfterDays": 1001}},
                ),
                (
                    "ReplicateSecretToRegions",
                    {"SecretId": "id", "AddReplicaRegions": [{"Region": "Ireland"}]},
                ),
            )
        )
    ],
    "ssm": [
        *(
            Refusal(
                operation,
                parameters,
                "ValidationException",
                None,
                f"{DOCS}/systems-manager/latest/APIReference/API_{operation}.html",
            )
            for operation, parameters in (
                ("PutParameter", {"Name": "name", "Value": "v", "Type": "bad"}),
                ("GetParameters", {"Names": ["name"] * 11}),
                ("GetParametersByPath", {"Path": "/", "MaxResults": 11}),
            )
        )
    ],
    "ec2": [
        Refusal(
            "CreateVpcEndpoint",
            {"VpcId": "vpc-1", "ServiceName": "service", "VpcEndpointType": "Foo"},
            "InvalidParameterValue",
            None,
            f"{DOCS}/AWSEC2/latest/APIReference/errors-overview.html",
        ),
        Refusal(
            "DeleteVpc",
            {},
            "MissingParameter",
            None,
            f"{DOCS}/AWSEC2/latest/APIReference/errors-overview.html",
        ),
    ],
}
ROWS = [
    pytest.param(service, row, id=f"{service}-{row.operation}-{number}")
    for service, rows in REFUSALS.items()
    for number, row in enumerate(rows)
]


@pytest.mark.parametrize(("service", "refusal"), ROWS)
def test_what_aws_refused_is_refused(aws: EmbeddedAws, service: str, refusal: Refusal) -> None:
    assert_refused(aws, service, refusal)


SECRET = "a-value-that-no-message-may-have"
SENSITIVE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("secretsmanager", "CreateSecret", "secretString", {"SecretString": SECRET * 3000}),
    ("secretsmanager", "CreateSecret", "secretBinary", {"SecretBinary": SECRET.encode() * 3000}),
    ("kms", "Encrypt", "plaintext", {"KeyId": "key", "Plaintext": SECRET.encode() * 300}),
    ("kms", "Decrypt", "ciphertextBlob", {"CiphertextBlob": SECRET.encode() * 300}),
    (
        "lambda",
        "CreateFunction",
        "environment.variables",
        FUNCTION | {"Environment": {"Variables": {"1": SECRET}}},
    ),
    (
        "iam",
        "CreateLoginProfile",
        "password",
        {"UserName": "user", "Password": f"{SECRET}\N{EM DASH}"},
    ),
]


@pytest.mark.parametrize(("service", "operation", "member", "parameters"), SENSITIVE)
def test_a_sensitive_value_is_not_quoted(
    aws: EmbeddedAws, service: str, operation: str, member: str, parameters: dict[str, Any]
) -> None:
    error = answer_to(aws, service, operation, parameters)["Error"]
    assert f"Value at '{member}' failed to satisfy constraint" in error["Message"]
    assert SECRET not in error["Message"]
