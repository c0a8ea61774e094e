from typing import Any

from tests.provider.specimen import Specimen, World
from tests.provider.specimens.kms import key


def key_arn(world: World, name: str = "a-key") -> str:
    return f"arn:aws:kms:us-east-1:{world.account_id}:key/{key(world, name)}"


def group(world: World, name: str = "/a/group") -> str:
    return str(world.make("aws:cloudwatch/logGroup:LogGroup", name, name=name)["id"])


METRIC: dict[str, Any] = {"namespace": "Tests", "name": "Reads", "value": "1", "unit": "Count"}

SPECIMENS = [
    Specimen(
        "aws:cloudwatch/logGroup:LogGroup",
        lambda world: {
            "name": "/of/the/tests",
            "retentionInDays": 30,
            "kmsKeyId": key_arn(world),
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "/of/the/tests/another"},
            {"retentionInDays": 60},
            {"retentionInDays": None},
            {"kmsKeyId": key_arn(world, "another-key")},
            {"kmsKeyId": None},
            {"logGroupClass": "INFREQUENT_ACCESS"},
            {"skipDestroy": True},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        not_changed={"deletionProtectionEnabled": "the embedded AWS protects no group"},
        taken="ResourceAlreadyExistsException",
        not_read=frozenset({"skipDestroy"}),
    ),
    Specimen(
        "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        lambda world: {
            "name": "specimen",
            "logGroupName": group(world),
            "pattern": '{ $.a = "b" }',
            "metricTransformation": {**METRIC, "defaultValue": "0"},
        },
        lambda world: [
            {"name": "another"},
            {"logGroupName": group(world, "/another/group")},
            {"pattern": '{ $.a = "c" }'},
            {"metricTransformation": {**METRIC, "value": "$.c"}},
            {"metricTransformation": {**METRIC, "defaultValue": "0.5"}},
            {"metricTransformation": {**METRIC, "dimensions": {"A": "$.a"}}},
            {"metricTransformation": {**METRIC, "unit": None}},
            {"applyOnTransformedLogs": True},
        ],
        found_by=frozenset({"logGroupName"}),
        import_id=lambda id_, state: f"{state['logGroupName']}:{id_}",
    ),
]
