"""What the embedded AWS does not offer is refused by its name, in each of AWS's protocols."""

import gzip
import http.client

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from local.emulator.offered import OFFERED

REGION = "eu-central-1"


@pytest.mark.parametrize(
    ("service", "operation", "name", "arguments"),
    [
        ("cloudwatch", "put_metric_stream", "PutMetricStream", {
            "Name": "n", "FirehoseArn": "a", "RoleArn": "r", "OutputFormat": "json"}),
        ("ec2", "create_fleet", "CreateFleet", {
            "TargetCapacitySpecification": {"TotalTargetCapacity": 1},
            "LaunchTemplateConfigs": []}),
        ("iam", "create_saml_provider", "CreateSAMLProvider", {
            "SAMLMetadataDocument": "x" * 1000, "Name": "n"}),
        ("kms", "create_custom_key_store", "CreateCustomKeyStore", {"CustomKeyStoreName": "n"}),
        ("lambda", "create_code_signing_config", "CreateCodeSigningConfig", {
            "AllowedPublishers": {"SigningProfileVersionArns": [
                "arn:aws:signer:eu-central-1:123456789012:/signing-profiles/p/v"]}}),
        ("s3", "put_bucket_website", "PutBucketWebsite", {
            "Bucket": "bucket", "WebsiteConfiguration": {}}),
        ("dynamodb", "list_tables", "ListTables", {}),
    ],
)  # fmt: skip
def test_an_operation_that_is_not_offered_is_refused_by_its_name(
    aws: EmbeddedAws, service: str, operation: str, name: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(ClientError, match=f"does not offer {name} of {service}: see") as refused:
        getattr(aws.client(service, REGION), operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize("service", sorted(OFFERED))
def test_what_is_offered_is_an_operation_of_the_service(aws: EmbeddedAws, service: str) -> None:
    known = aws.client(service, REGION).meta.service_model.operation_names
    assert OFFERED[service]
    assert OFFERED[service] - set(known) == set()


@pytest.mark.parametrize(
    ("operation", "status", "answer"),
    [
        ("CreateFleet", 501, b"does not offer CreateFleet of ec2"),
        # Offered: ministack reads the form, and refuses the signature.
        ("DescribeVpcs", 401, b"AuthFailure"),
    ],
)
def test_a_compressed_form_says_its_operation_too(
    aws: EmbeddedAws, operation: str, status: int, answer: bytes
) -> None:
    body = gzip.compress(f"Action={operation}&Version=2016-11-15".encode())
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Encoding": "gzip",
        "Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/eu-central-1/ec2/aws4_request",
    }
    connection = http.client.HTTPConnection("127.0.0.1", aws.port)
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    assert (response.status, answer in response.read()) == (status, True)
    connection.close()
