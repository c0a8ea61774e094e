import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION = "us-east-1"


@pytest.mark.parametrize("document", ["no JSON", "[]", '{"Version": "2012-10-17"}'])
def test_a_key_policy_that_is_no_policy_is_refused(aws: EmbeddedAws, document: str) -> None:
    kms = aws.client("kms", REGION)
    key_id = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    before = kms.get_key_policy(KeyId=key_id)["Policy"]

    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        kms.create_key(Policy=document)
    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=document)
    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        kms.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1", Policy=document)
    assert kms.get_key_policy(KeyId=key_id)["Policy"] == before


@pytest.mark.parametrize(
    ("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
)
def test_only_a_symmetric_key_rotates(aws: EmbeddedAws, spec: str, usage: str) -> None:
    kms = aws.client("kms", REGION)
    key_id = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
    for call in (kms.enable_key_rotation, kms.disable_key_rotation):
        with pytest.raises(ClientError, match="UnsupportedOperationException"):
            call(KeyId=key_id)

    symmetric = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=symmetric)
    assert kms.get_key_rotation_status(KeyId=symmetric)["KeyRotationEnabled"]
    kms.disable_key_rotation(KeyId=symmetric)
    assert not kms.get_key_rotation_status(KeyId=symmetric)["KeyRotationEnabled"]
