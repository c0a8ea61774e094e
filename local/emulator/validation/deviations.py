"""Where a service departs from its model, or from the sentence of AWS's framework.

Each row names its source. `localstack` is a test whose answer was recorded from AWS, in the
`.snapshot.json` next to it in https://github.com/localstack/localstack/tree/main/tests/aws/services
"""

import re
from collections.abc import Collection
from typing import NamedTuple

from local.emulator.validation.constraints import Kind


class Deviation(NamedTuple):
    """A violation with an answer of its own."""

    operations: Collection[str]
    """Of the service; empty for all of them."""
    path: str
    kind: Kind
    code: str
    message: str
    """`{value}` and `{constraint}` are those of the violation."""
    source: str


class Limit(NamedTuple):
    """A limit that depends on what the text is."""

    operation: str
    parameter: str
    pattern: re.Pattern[str]
    """The limit is for text that matches as a whole."""
    characters: int
    code: str
    source: str


DEVIATIONS = {
    "lambda": [
        Deviation(
            ("CreateFunction", "UpdateFunctionConfiguration"),
            "runtime",
            "enum",
            "InvalidParameterValueException",
            "Value {value} at 'runtime' failed to satisfy constraint: {constraint} or be a valid "
            "ARN",
            "localstack lambda_/test_lambda_api.py::TestLambdaFunction::"
            "test_create_lambda_exceptions",
        ),
    ],
    "logs": [
        Deviation(
            (),
            name,
            "length",
            "InvalidParameterException",
            "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
            "localstack logs/test_logs_groups.py::TestLogsGroups::"
            "test_create_log_group_invalid_name_length",
        )
        for name in ("logGroupName", "logStreamName")
    ],
}
"""Service, named as in botocore -> its deviations."""

LIMITS = {
    "lambda": [
        Limit(
            "CreateFunction",
            "FunctionName",
            re.compile(r"[\w-]+", re.ASCII),  # a name, and not an ARN
            64,
            "InvalidParameterValueException",
            "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
        ),
    ],
}
"""Service, named as in botocore -> its limits that the model lacks."""
