"""What the provider reads of a bucket, as S3 documents it."""

from typing import Any

import pytest

from local.aws import EmbeddedAws

REGION = "us-east-1"
RULE = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}


@pytest.fixture
def bucket(aws: EmbeddedAws, unique: str) -> tuple[Any, str]:
    s3 = aws.client("s3", REGION)
    s3.create_bucket(Bucket=unique)
    return s3, unique


@pytest.mark.parametrize("size", ["all_storage_classes_128K", "varies_by_storage_class"])
def test_a_lifecycle_keeps_its_least_size_of_transitions(
    bucket: tuple[Any, str], size: str
) -> None:
    s3, name = bucket
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={"Rules": [RULE]},
        TransitionDefaultMinimumObjectSize=size,
    )
    told = s3.get_bucket_lifecycle_configuration(Bucket=name)
    assert told["TransitionDefaultMinimumObjectSize"] == size
    assert told["Rules"] == [RULE]


def test_it_is_told_who_pays_for_requests(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    assert s3.get_bucket_request_payment(Bucket=name)["Payer"] == "BucketOwner"
