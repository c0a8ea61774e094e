from tests.provider.specimen import Specimen, World
from tests.provider.specimens import kms


def key(world: World, name: str) -> str:
    made = world.make("aws:kms/key:Key", name, policy=kms.policy(world), deletionWindowInDays=7)
    return str(made["arn"])


SPECIMENS = [
    Specimen(
        "aws:ssm/parameter:Parameter",
        lambda world: {
            "name": "/specimen/parameter",
            "type": "SecureString",
            "value": "one",
            "description": "of the tests",
            "keyId": key(world, "a-key"),
            "tier": "Standard",
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "/specimen/another"},
            {"value": "another"},
            {"description": "another"},
            {"description": None},
            {"keyId": key(world, "another-key")},
            {"tier": "Advanced"},
            {"tier": "Intelligent-Tiering"},
            {"allowedPattern": "[a-z]+"},
            {"overwrite": True},
            {"type": "StringList", "keyId": None},
            {"type": "String", "keyId": None, "value": None, "insecureValue": "shown"},
            {"type": "String", "keyId": None, "dataType": "aws:ec2:image"},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        taken="ParameterAlreadyExists",
        # A value that is not recorded at all is read as `value`.
        not_read=frozenset({"overwrite", "insecureValue"}),
    ),
]
