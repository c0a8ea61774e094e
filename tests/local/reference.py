"""Answers that were recorded from AWS, as rows of a table, and the check that the emulator agrees.

A test module holds one table per service and one parametrized test:

    REFUSALS = [
        Refusal(
            "GenerateRandom",
            {"NumberOfBytes": 1025},
            "ValidationException",
            "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy "
            "constraint: Member must have value less than or equal to 1024",
            "localstack kms/test_kms.py::TestKMS::test_generate_random_invalid_number_of_bytes",
        ),
    ]

    @pytest.mark.parametrize("refusal", REFUSALS, ids=str)
    def test_kms_answers_as_recorded(aws: EmbeddedAws, refusal: Refusal) -> None:
        assert_refused(aws, "kms", refusal)

A row comes only from a recorded fact, never from the emulator. Its source is one of

- `localstack <path>::<test>`: the answer is in the `.snapshot.json` next to that test in
  https://github.com/localstack/localstack/tree/main/tests/aws/services
- `moto <path>::<test>`: a test marked `aws_verified` in
  https://github.com/getmoto/moto/tree/master/tests
- the URL of the AWS documentation that has the text, or the code if the row has no text

A message that ends in `…` is the beginning of AWS's; the members of an enum are compared without
their order, which AWS does not keep either.

Names of resources that a test creates are written as `<name>` in the input and the message; the
test passes their values: `assert_refused(aws, "lambda", refusal, function=name)`.

`send` sends one HTTP request that no SDK has prepared, for what an SDK cannot leave out.
"""

import functools
import http.client
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.account import AwsAccount

REGION = "us-east-1"

_UNCHECKED = Config(
    parameter_validation=False,  # the emulator is to refuse, not the SDK
    inject_host_prefix=False,
    proxies={},
    retries={"total_max_attempts": 1},
)


class Refusal(NamedTuple):
    """A request that AWS refused, and its answer."""

    operation: str
    """As in the service model: `CreateFunction`."""
    input: Mapping[str, Any]
    """The parameters, as boto3 takes them."""
    code: str
    """As boto3 shows it: `ValidationException`."""
    message: str | None
    """The text, or its beginning and `…`; None if only the code is documented."""
    source: str
    status: int = 400

    def __str__(self) -> str:
        """Return an id for the row: its operation and what it sends, shortened."""
        sent = ", ".join(f"{name}={value!s:.20}" for name, value in self.input.items())
        return f"{self.operation}({sent:.60})".replace("::", ":")


class Answer(NamedTuple):
    """A response to a request of `send`."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


def assert_refused(
    account: AwsAccount, service: str, refusal: Refusal, *, region: str = REGION, **values: str
) -> None:
    """Send the request without the SDK's checks, and compare status, code and text.

    `values` replace `<name>` in the row's input and message.
    """
    request = _filled(dict(refusal.input), values)
    answer = answer_to(account, service, refusal.operation, request, region=region)
    status, error = answer["ResponseMetadata"]["HTTPStatusCode"], answer.get("Error", {})
    answered = status, error.get("Code")
    assert answered == (refusal.status, refusal.code), (answered, error, refusal.source)
    if refusal.message is not None:
        expected = _comparable(_filled(refusal.message, values))
        text = _comparable(error["Message"])
        if expected.endswith("…"):
            expected, text = expected[:-1], text[: len(expected) - 1]
        assert text == expected, refusal.source


def answer_to(
    account: AwsAccount,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    region: str = REGION,
) -> dict[str, Any]:
    """Return what boto3 makes of the response to a request without the SDK's checks."""
    client = _unchecked_client(
        service, region, account.endpoint_url, *account.credentials.values()
    )
    try:
        response: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
    except ClientError as error:
        return dict(error.response)
    return response


def send(  # noqa: PLR0913 (the parts of an HTTP request)
    account: AwsAccount,
    service: str,
    body: bytes | str,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    path: str = "/",
    region: str = REGION,
) -> Answer:
    """Sign a request as written, send it and return the response.

    `service` is the name in a signature: `kms`, `monitoring`. `path` may have a query string.
    """
    request = AWSRequest(method, account.endpoint_url + path, dict(headers), body)
    credentials = Credentials(account.access_key_id, account.secret_access_key)
    SigV4Auth(credentials, service, region).add_auth(request)
    address = urlsplit(account.endpoint_url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    try:
        connection.request(method, path, body, dict(request.headers.items()))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())
    finally:
        connection.close()


@functools.cache
def _unchecked_client(
    service: str, region: str, endpoint_url: str, access_key_id: str, secret_access_key: str
) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region,
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=_UNCHECKED,
    )


def _comparable(message: str) -> str:
    """Sort the members of an enum."""
    return re.sub(
        r"(?<=enum value set: \[)[^]]*",
        lambda found: ", ".join(sorted(found[0].split(", "))),
        message,
    )


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Replace `<name>` at any depth."""
    if isinstance(value, dict):
        return {_filled(key, values): _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(f"<{name}>", text)
    return value
