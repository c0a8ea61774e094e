"""Lambda refuses what AWS refuses, in AWS's words."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws import EmbeddedAws
from tests.local.function_support import OWN_RUNTIME, REGION, Functions, zipped
from tests.local.reference import Refusal, assert_refused

ECHO = "def handler(event, context):\n    return event\n"
API = "localstack lambda_/test_lambda_api.py::"
RUN = "localstack lambda_/test_lambda.py::"
GUIDE = "https://docs.aws.amazon.com/lambda/latest/dg/"

INVALID = "InvalidParameterValueException"
NOT_FOUND = "ResourceNotFoundException"
CONFLICT = "ResourceConflictException"

Input = dict[str, Any]
CREATE: Input = {
    "FunctionName": "<new>",
    "Role": "<role>",
    "Runtime": OWN_RUNTIME,
    "Handler": "app.handler",
    "Code": {"ZipFile": zipped({"app.py": ECHO})},
}
POWERLESS: Input = CREATE | {"Role": "<powerless>"}
FUNCTION: Input = {"FunctionName": "<function>"}
ALIASES = f"{API}TestLambdaAlias::test_notfound_and_invalid_routingconfigs"
PERMISSIONS = f"{API}TestLambdaPermissions::test_permission_exceptions"
STATEMENT = FUNCTION | {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
TAGS = f"{API}TestLambdaTags::test_tag"
NO_PERMISSION = "The provided execution role does not have permissions to call"
LAYERS = f"{API}TestLambdaLayer::test_layer_function"
RESERVED = f"{API}TestLambdaReservedConcurrency::test_function_concurrency_exceptions"


def weighted(version: str, weights: dict[str, float]) -> Input:
    routing = {"AdditionalVersionWeights": weights}
    return FUNCTION | {"Name": "new", "FunctionVersion": version, "RoutingConfig": routing}


REFUSALS = [
    Refusal(
        "DeleteFunction",
        FUNCTION | {"Qualifier": "$LATEST"},
        INVALID,
        "$LATEST version cannot be deleted without deleting the function.",
        "https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html",
    ),
    Refusal(
        "DeleteFunction",
        {"FunctionName": "missing", "Qualifier": "1"},
        NOT_FOUND,
        "Function not found: <arn-of-missing>",
        f"{API}TestLambdaFunction::test_delete_on_nonexisting_version",
        404,
    ),
    *(
        Refusal(
            operation,
            FUNCTION | {"Qualifier": "1221"},
            NOT_FOUND,
            "Function not found: <arn>:1221",
            f"{API}TestLambdaFunction::test_ops_on_nonexisting_version",
            404,
        )
        for operation in ("GetFunction", "GetFunctionConfiguration")
    ),
    *(
        Refusal(
            operation,
            {"FunctionName": "arn:aws:lambda:us-west-2:<owner>:function:<function>"},
            NOT_FOUND,
            f"Functions from 'us-west-2' are not reachable in this region ('{REGION}')",
            f"{API}TestLambdaFunction::test_get_function_wrong_region",
            404,
        )
        for operation in (
            *("GetFunction", "GetFunctionConfiguration", "GetFunctionConcurrency"),
            *("DeleteFunction", "Invoke"),
        )
    ),
    Refusal(
        "Invoke",
        {"FunctionName": "doesnotexist"},
        NOT_FOUND,
        "Function not found: <arn-of-doesnotexist>:$LATEST",
        f"{RUN}TestLambdaFeatures::test_invoke_exceptions",
        404,
    ),
    Refusal(
        "Invoke",
        FUNCTION | {"Qualifier": "non-existent-alias"},
        NOT_FOUND,
        "Function not found: <arn>:non-existent-alias",
        f"{RUN}TestLambdaAliases::test_lambda_alias_moving",
        404,
    ),
    Refusal(
        "Invoke",
        FUNCTION | {"Payload": b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt"},
        "InvalidRequestContentException",
        "Could not parse request body into json: Could not parse payload into json: Invalid UTF-8 "
        "start byte 0x87\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
        "disabled); line: 1, column: 3]",
        f"{RUN}TestLambdaErrors::test_lambda_invoke_payload_encoding_error",
    ),
    Refusal(
        "Invoke",
        FUNCTION | {"Payload": b"not json"},
        "InvalidRequestContentException",
        None,
        "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html",
    ),
    Refusal(
        "Invoke",
        FUNCTION | {"Payload": b'"' + b"x" * 6_291_456 + b'"'},
        "RequestTooLargeException",
        None,
        f"{GUIDE}gettingstarted-limits.html",
        413,
    ),
    Refusal(
        "Invoke",
        FUNCTION | {"Payload": b'"' + b"x" * 1_048_576 + b'"', "InvocationType": "Event"},
        "RequestTooLargeException",
        None,
        f"{GUIDE}gettingstarted-limits.html",
        413,
    ),
    # --- aliases
    Refusal(
        "CreateAlias",
        weighted("1", {"1": 0.5, "2": 0.5}),
        INVALID,
        "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ALIASES,
    ),
    Refusal(
        "CreateAlias",
        weighted("1", {"1": 0.5}),
        INVALID,
        "Invalid function version 1. Function version 1 is already included in routing "
        "configuration.",
        ALIASES,
    ),
    Refusal(
        "CreateAlias",
        weighted("10", {"2": 0.5}),
        NOT_FOUND,
        "Function not found: <arn>:10",
        ALIASES,
        404,
    ),
    Refusal(
        "CreateAlias",
        weighted("1", {"10": 0.5}),
        NOT_FOUND,
        "Function not found: <arn>:10",
        ALIASES,
        404,
    ),
    Refusal(
        "UpdateAlias",
        weighted("99", {}) | {"Name": "live"},
        NOT_FOUND,
        None,
        "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html",
        404,
    ),
    Refusal(
        "CreateAlias",
        weighted("$LATEST", {"1": 0.5}),
        INVALID,
        "$LATEST is not supported for an alias pointing to more than 1 version",
        ALIASES,
    ),
    Refusal(
        "CreateAlias",
        {"FunctionName": "missing", "Name": "new", "FunctionVersion": "1"},
        NOT_FOUND,
        "Function not found: <arn-of-missing>:1",
        ALIASES,
        404,
    ),
    Refusal(
        "CreateAlias",
        FUNCTION | {"Name": "live", "FunctionVersion": "1"},
        CONFLICT,
        "Alias already exists: <arn>:live",
        ALIASES,
        409,
    ),
    Refusal(
        "GetAlias",
        FUNCTION | {"Name": "non-existent"},
        NOT_FOUND,
        "Cannot find alias arn: <arn>:non-existent",
        ALIASES,
        404,
    ),
    # --- permissions
    Refusal(
        "AddPermission",
        STATEMENT | {"FunctionName": "<function>:1", "Qualifier": "2", "StatementId": "s"},
        INVALID,
        "The derived qualifier from the function name does not match the specified qualifier.",
        PERMISSIONS,
    ),
    Refusal(
        "AddPermission",
        STATEMENT | {"Qualifier": "$LATEST", "StatementId": "s"},
        INVALID,
        "We currently do not support adding policies for $LATEST.",
        PERMISSIONS,
    ),
    Refusal(
        "AddPermission",
        STATEMENT | {"Principal": "invalid.nonaws.com", "StatementId": "s"},
        INVALID,
        "The provided principal was invalid. Please check the principal and try again.",
        PERMISSIONS,
    ),
    Refusal(
        "AddPermission",
        STATEMENT | {"Principal": "arn:aws:iam::<owner>:role/missing", "StatementId": "s"},
        INVALID,
        "The provided principal was invalid. Please check the principal and try again.",
        f"{GUIDE}access-control-resource-based.html",
    ),
    Refusal(
        "AddPermission",
        STATEMENT | {"FunctionName": "missing", "StatementId": "s"},
        NOT_FOUND,
        "Function not found: <arn-of-missing>",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "AddPermission",
        STATEMENT | {"Qualifier": "alias-doesnotexist", "StatementId": "s"},
        NOT_FOUND,
        "Cannot find alias arn: <arn>:alias-doesnotexist",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "AddPermission",
        STATEMENT | {"Qualifier": "42", "StatementId": "s"},
        NOT_FOUND,
        "Function not found: <arn>:42",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "AddPermission",
        STATEMENT | {"StatementId": "there"},
        CONFLICT,
        "The statement id (there) provided already exists. Please provide a new statement id, or "
        "remove the existing statement.",
        PERMISSIONS,
        409,
    ),
    Refusal(
        "GetPolicy",
        FUNCTION | {"Qualifier": "42"},
        NOT_FOUND,
        "The resource you requested does not exist.",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "GetPolicy",
        {"FunctionName": "missing"},
        NOT_FOUND,
        "Function not found: <arn-of-missing>",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "RemovePermission",
        FUNCTION | {"Qualifier": "1", "StatementId": "s"},
        NOT_FOUND,
        "No policy is associated with the given resource.",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "RemovePermission",
        {"FunctionName": "missing", "StatementId": "s"},
        NOT_FOUND,
        "No policy found for: <arn-of-missing>",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "RemovePermission",
        FUNCTION | {"Qualifier": "alias-doesnotexist", "StatementId": "s"},
        NOT_FOUND,
        "Cannot find alias arn: <arn>:alias-doesnotexist",
        PERMISSIONS,
        404,
    ),
    Refusal(
        "RemovePermission",
        FUNCTION | {"StatementId": "non-existent"},
        NOT_FOUND,
        "Statement non-existent is not found in resource policy.",
        f"{API}TestLambdaPermissions::test_remove_multi_permissions",
        404,
    ),
    # --- reserved concurrency
    Refusal(
        "PutFunctionConcurrency",
        {"FunctionName": "doesnotexist", "ReservedConcurrentExecutions": 1},
        NOT_FOUND,
        "Function not found: <arn-of-doesnotexist>:$LATEST",
        RESERVED,
        404,
    ),
    Refusal(
        "PutFunctionConcurrency",
        {"FunctionName": "<arn>:1", "ReservedConcurrentExecutions": 1},
        INVALID,
        "This operation is permitted on Lambda functions only. Aliases and versions do not "
        "support this operation. Please specify either a function name or an unqualified function "
        "ARN.",
        RESERVED,
    ),
    Refusal(
        "PutFunctionConcurrency",
        FUNCTION | {"ReservedConcurrentExecutions": 901},
        INVALID,
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].",
        f"{GUIDE}configuration-concurrency.html",
    ),
    # --- tags
    Refusal(
        "TagResource",
        {"Resource": "<arn>", "Tags": {}},
        INVALID,
        "An error occurred and the request cannot be processed.",
        f"{TAGS}_exceptions",
    ),
    Refusal(
        "TagResource",
        {"Resource": "<arn>:1", "Tags": {"a": "b"}},
        INVALID,
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        f"{TAGS}_exceptions",
    ),
    Refusal(
        "TagResource",
        {"Resource": "<arn-of-missing>", "Tags": {"a": "b"}},
        NOT_FOUND,
        "Function not found: <arn-of-missing>",
        f"{TAGS}_exceptions",
        404,
    ),
    Refusal(
        "TagResource",
        {"Resource": "<arn>", "Tags": {f"{n}_key": f"{n}_value" for n in range(51)}},
        INVALID,
        "Number of tags exceeds resource tag limit.",
        f"{TAGS}_limits",
    ),
    # --- layers
    Refusal(
        "CreateFunction",
        CREATE | {"Layers": ["<layer>:1", "<layer>:2"]},
        INVALID,
        "Two different versions of the same layer are not allowed to be referenced in the same "
        "function. <layer>:1 and <layer>:2 are versions of the same layer.",
        f"{LAYERS}_exceptions",
    ),
    Refusal(
        "UpdateFunctionConfiguration",
        FUNCTION | {"Layers": ["<layer>:1", "<layer>:1"]},
        INVALID,
        "Two different versions of the same layer are not allowed to be referenced in the same "
        "function. <layer>:1 and <layer>:1 are versions of the same layer.",
        f"{LAYERS}_exceptions",
    ),
    Refusal(
        "CreateFunction",
        CREATE | {"Layers": ["<layer>:9"]},
        INVALID,
        "Layer version <layer>:9 does not exist.",
        f"{LAYERS}_exceptions",
    ),
    Refusal(
        "CreateFunction",
        CREATE | {"Layers": [f"<layer>{n}:1" for n in range(6)]},
        INVALID,
        "Cannot reference more than 5 layers.",
        f"{LAYERS}_quota_exception",
    ),
    # --- configuration and code
    Refusal(
        "CreateFunction",
        CREATE | {"Runtime": "python3.7"},
        INVALID,
        "The runtime parameter of python3.7 is no longer supported for creating or updating AWS "
        "Lambda functions. We recommend you use a supported runtime while creating or updating "
        "functions.",
        f"{GUIDE}lambda-runtimes.html#runtimes-deprecated",
    ),
    Refusal(
        "UpdateFunctionConfiguration",
        FUNCTION | {"Runtime": "nodejs14.x"},
        INVALID,
        None,
        f"{GUIDE}lambda-runtimes.html#runtimes-deprecated",
    ),
    Refusal(
        "CreateFunction",
        {key: value for key, value in CREATE.items() if key != "Handler"},
        INVALID,
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages.",
        "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
    ),
    Refusal(
        "UpdateFunctionConfiguration",
        FUNCTION | {"Environment": {"Variables": {"AWS_REGION": "x", "AWS_EXECUTION_ENV": "y"}}},
        INVALID,
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided contains reserved keys that are currently not supported for "
        "modification. Reserved keys used in this request: AWS_EXECUTION_ENV, AWS_REGION",
        f"{GUIDE}configuration-envvars.html",
    ),
    Refusal(
        "CreateFunction",
        CREATE | {"Environment": {"Variables": {"LARGE_VAR": "x" * 4096}}},
        INVALID,
        None,  # AWS quotes the variables, and the emulator no value
        f"{API}TestLambdaSizeLimits::test_large_environment_variables_fails",
    ),
    Refusal(
        "CreateFunction",
        CREATE | {"VpcConfig": {"SubnetIds": ["subnet-0a0a0a0a"], "SecurityGroupIds": ["sg-0a"]}},
        INVALID,
        "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 "
        "Error Message: The subnet ID 'subnet-0a0a0a0a' does not exist",
        f"{API}TestLambdaFunction::test_invalid_vpc_config_subnet",
    ),
    Refusal(
        "CreateFunction",
        POWERLESS | {"VpcConfig": {"SubnetIds": ["<subnet>"], "SecurityGroupIds": ["<group>"]}},
        INVALID,
        f"{NO_PERMISSION} CreateNetworkInterface on EC2",
        "https://github.com/hashicorp/terraform-provider-aws/issues/1749",
    ),
    Refusal(
        "UpdateFunctionConfiguration",
        FUNCTION | {"Role": "<powerless>", "DeadLetterConfig": {"TargetArn": "<queue>"}},
        INVALID,
        f"{NO_PERMISSION} SendMessage on SQS",
        "https://nasa.github.io/cumulus/docs/troubleshooting/troubleshooting-deployment",
    ),
    Refusal(
        "CreateFunction",
        POWERLESS | {"DeadLetterConfig": {"TargetArn": "<topic>"}},
        INVALID,
        f"{NO_PERMISSION} Publish on SNS",
        f"{GUIDE}invocation-async-retain-records.html",
    ),
    *(
        Refusal(
            "CreateFunction",
            CREATE
            | {"DeadLetterConfig": {"TargetArn": f"arn:aws:{service}:{REGION}:<owner>:missing"}},
            INVALID,
            None,
            f"{GUIDE}invocation-async-retain-records.html",
        )
        for service in ("sns", "sqs")
    ),
    Refusal(
        "CreateFunction",
        CREATE | {"KMSKeyArn": f"arn:aws:kms:{REGION}:<owner>:key/missing"},
        INVALID,
        None,
        f"{GUIDE}configuration-envvars-encryption.html",
    ),
    Refusal(
        "CreateFunction",
        CREATE | {"Code": {"S3Bucket": "missing-bucket", "S3Key": "code.zip"}},
        INVALID,
        "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The "
        "specified bucket does not exist",
        f"{API}TestLambdaFunction::test_create_lambda_exceptions",
    ),
    Refusal(
        "UpdateFunctionCode",
        FUNCTION | {"S3Bucket": "<bucket>", "S3Key": "missing.zip"},
        INVALID,
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The "
        "specified key does not exist.",
        f"{API}TestLambdaFunction::test_create_lambda_exceptions",
    ),
    Refusal(
        "PublishVersion",
        FUNCTION | {"CodeSha256": "somenonexistentsha256"},
        INVALID,
        "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST "
        "(<sha256>). Please try again with the CodeSHA256 in $LATEST.",
        f"{API}TestLambdaVersions::test_publish_with_wrong_sha256",
    ),
    Refusal(
        "PublishVersion",
        FUNCTION | {"RevisionId": "wrong"},
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetFunction/GetAlias API to retrieve the latest Revision Id",
        f"{API}TestLambdaRevisions::test_function_revisions_version_and_alias",
        412,
    ),
]


@pytest.fixture(scope="module")
def functions(aws: EmbeddedAws) -> Functions:
    return Functions(aws)


@pytest.fixture(scope="module")
def names(aws: EmbeddedAws, functions: Functions) -> Iterator[dict[str, str]]:
    """Make what the table names: a function with two versions, an alias, a policy and a layer."""
    function = functions.make(ECHO)
    config, client = functions.config(function), functions.client
    client.publish_version(FunctionName=function)
    client.update_function_configuration(FunctionName=function, Description="second")
    client.get_waiter("function_updated_v2").wait(
        FunctionName=function, WaiterConfig={"Delay": 0.02}
    )
    client.publish_version(FunctionName=function)
    client.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    client.add_permission(**_filled(STATEMENT | {"StatementId": "there"}, function))
    layer = client.publish_layer_version(
        LayerName=function, Content={"ZipFile": zipped({"python/m.py": ""})}
    )
    client.publish_layer_version(
        LayerName=function, Content={"ZipFile": zipped({"python/m.py": ""})}
    )
    s3 = aws.client("s3", REGION)
    s3.create_bucket(Bucket=function)
    prefix = config["FunctionArn"].removesuffix(function)
    queue = aws.client("sqs", REGION).create_queue(QueueName=function)["QueueUrl"]
    attributes = aws.client("sqs", REGION).get_queue_attributes(
        QueueUrl=queue, AttributeNames=["QueueArn"]
    )["Attributes"]
    subnet = aws.client("ec2", REGION).describe_subnets()["Subnets"][0]
    groups = aws.client("ec2", REGION).describe_security_groups()["SecurityGroups"]
    yield {
        "owner": aws.account_id,
        "arn-of-doesnotexist": f"{prefix}doesnotexist",
        "arn-of-missing": f"{prefix}missing",
        "arn": config["FunctionArn"],
        "bucket": function,
        "function": function,
        "group": next(g["GroupId"] for g in groups if g["VpcId"] == subnet["VpcId"]),
        "subnet": subnet["SubnetId"],
        "queue": attributes["QueueArn"],
        "topic": aws.client("sns", REGION).create_topic(Name=function)["TopicArn"],
        "layer": layer["LayerArn"],
        "new": f"{function}-new",
        "powerless": functions.make_role(),
        "role": config["Role"],
        "sha256": base64.b64encode(hashlib.sha256(zipped({"app.py": ECHO})).digest()).decode(),
    }
    assert functions.invoke(function, "still here").payload == "still here"


def _filled(request: Input, function: str) -> Input:
    return {key: value.replace("<function>", function) for key, value in request.items()}


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=[f"{n}-{each.operation}" for n, each in enumerate(REFUSALS)]
)
def test_lambda_refuses_as_recorded(
    aws: EmbeddedAws, names: dict[str, str], refusal: Refusal
) -> None:
    assert_refused(aws, "lambda", refusal, **names)
