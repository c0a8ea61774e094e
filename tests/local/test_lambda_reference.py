"""Lambda refuses what AWS refuses, in AWS's words."""

import pytest

from local.aws import EmbeddedAws
from tests.local.function_support import Functions
from tests.local.reference import Refusal, assert_refused

ECHO = "def handler(event, context):\n    return event\n"
API = "localstack lambda_/test_lambda_api.py::"


@pytest.fixture(scope="module")
def functions(aws: EmbeddedAws) -> Functions:
    return Functions(aws)


def test_to_delete_latest_is_refused_and_the_function_stays(
    aws: EmbeddedAws, functions: Functions
) -> None:
    name = functions.make(ECHO)

    assert_refused(
        aws,
        "lambda",
        Refusal(
            "DeleteFunction",
            {"FunctionName": name, "Qualifier": "$LATEST"},
            "InvalidParameterValueException",
            "$LATEST version cannot be deleted without deleting the function.",
            f"{API}TestLambdaFunction::test_delete_function_by_qualifier",
        ),
    )

    assert functions.invoke(name, "still here").payload == "still here"
