import hashlib
import io
import json
import zipfile
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from local.provider import wire
from tests.provider.specimen import Specimen, World
from tests.provider.specimens.kms import key

ECHO = "def handler(event, context):\n    return event\n"


def archive(source: str) -> dict[str, Any]:
    """Write the code as the engine sends it."""
    return {
        wire.SIGNATURE: wire.ARCHIVE,
        "hash": hashlib.sha256(source.encode()).hexdigest(),
        "assets": {"index.py": {"text": source}},
    }


def role(world: World, name: str = "a-role") -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trust |= {"Action": "sts:AssumeRole"}
    # What Lambda asks of the role of a function in a VPC, or with a queue for dead letters.
    needed: dict[str, Any] = {"Effect": "Allow", "Resource": "*"}
    needed |= {"Action": ["ec2:CreateNetworkInterface", "sqs:SendMessage"]}
    iam = world.client("iam")
    with suppress(ClientError):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        iam.put_role_policy(
            RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": [needed]})
        )
    return f"arn:aws:iam::{world.account_id}:role/{name}"


def layers(world: World, *names: str) -> list[str]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("empty", "")
    functions, arns = world.client("lambda"), []
    for name in names:
        versions = functions.list_layer_versions(LayerName=name)["LayerVersions"]
        version = versions or [
            functions.publish_layer_version(
                LayerName=name, Content={"ZipFile": content.getvalue()}
            )
        ]
        arns.append(version[0]["LayerVersionArn"])
    return arns


def network(world: World, subnets: slice) -> dict[str, Any]:
    ec2 = world.client("ec2")
    found = ec2.describe_subnets()["Subnets"]
    (group,) = ec2.describe_security_groups(
        Filters=[
            {"Name": "group-name", "Values": ["default"]},
            {"Name": "vpc-id", "Values": [found[0]["VpcId"]]},
        ]
    )["SecurityGroups"]
    ids = sorted(each["SubnetId"] for each in found)
    return {"subnetIds": ids[subnets], "securityGroupIds": [group["GroupId"]]}


def function(world: World, name: str = "a-function") -> dict[str, Any]:
    """Make a function with two versions."""
    inputs: dict[str, Any] = {"name": name, "role": role(world), "runtime": "python3.12"}
    inputs |= {"handler": "index.handler", "code": archive(ECHO), "publish": True}
    made = world.make("aws:lambda/function:Function", name, **inputs)
    functions = world.client("lambda")
    if len(functions.list_versions_by_function(FunctionName=name)["Versions"]) == 2:
        functions.update_function_configuration(FunctionName=name, MemorySize=256)
        functions.get_waiter("function_updated_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.02}
        )
        functions.publish_version(FunctionName=name)
    return made


_SIGNING = "arn:aws:lambda:us-east-1:{}:code-signing-config:csc-{:017}"


def queue(world: World) -> str:
    queues = world.client("sqs")
    url = queues.create_queue(QueueName="dead-letters")["QueueUrl"]
    found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def _files(world: World) -> str:
    access_point = "access-point/fsap-0123456789abcdef0"
    return f"arn:aws:elasticfilesystem:us-east-1:{world.account_id}:{access_point}"


def _arn(world: World, what: str) -> str:
    return f"arn:aws:secretsmanager:us-east-1:{world.account_id}:secret:{what}"


SPECIMENS = [
    Specimen(
        "aws:lambda/function:Function",
        lambda world: {
            "name": "specimen",
            "code": archive(ECHO),
            "handler": "index.handler",
            "runtime": "python3.12",
            "architectures": ["x86_64"],
            "layers": layers(world, "one", "two"),
            "role": role(world),
            "memorySize": 256,
            "timeout": 60,
            "reservedConcurrentExecutions": 5,
            "environment": {"variables": {"NAME": "value", "lower": "1"}},
            "vpcConfig": network(world, slice(2)),
            "loggingConfig": {"logFormat": "Text", "logGroup": "/of/the/tests"},
            "tracingConfig": {"mode": "Active"},
            "publish": True,
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "another"},
            {"code": archive("def handler(event, context): ...\n")},
            {"sourceCodeHash": "another"},
            {"handler": "index.another"},
            {"runtime": "python3.13"},
            {"architectures": ["arm64"]},
            {"layers": layers(world, "two", "one")},
            {"layers": None},
            {"role": role(world, "another-role")},
            {"memorySize": 512},
            {"memorySize": None, "timeout": None},
            {"reservedConcurrentExecutions": 0},
            {"reservedConcurrentExecutions": None},
            {"environment": {"variables": {"NAME": "another"}}},
            {"environment": None},
            {"vpcConfig": network(world, slice(1, 3))},
            {"vpcConfig": None},
            {"loggingConfig": {"logFormat": "JSON", "applicationLogLevel": "DEBUG"}},
            {"tracingConfig": {"mode": "PassThrough"}},
            {"snapStart": {"applyOn": "PublishedVersions"}},
            {"ephemeralStorage": {"size": 1024}},
            {"kmsKeyArn": f"arn:aws:kms:us-east-1:{world.account_id}:key/{key(world)}"},
            {"description": "of the tests"},
            {"deadLetterConfig": {"targetArn": queue(world)}},
            {"codeSigningConfigArn": _SIGNING.format(world.account_id, 1)},
            {"codeSigningConfigArn": _SIGNING.format(world.account_id, 2)},
            {"fileSystemConfig": {"arn": _files(world), "localMountPath": "/mnt/files"}},
            {"sourceKmsKeyArn": f"arn:aws:kms:us-east-1:{world.account_id}:key/{key(world)}"},
            {"tenancyConfig": {"tenantIsolationMode": "PER_TENANT"}},
            {"durableConfig": {"executionTimeout": 60, "retentionPeriod": 7}},
            {"publish": False},
            {
                "replaceSecurityGroupsOnDestroy": True,
                "replacementSecurityGroupIds": network(world, slice(1))["securityGroupIds"],
            },
            {"skipDestroy": True},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        not_changed={
            "codeSha256": "it follows from the code",
            "packageType": "the other one has an image",
        },
        taken="ResourceConflictException",
        not_read=frozenset(
            {
                "code",
                "publish",
                "replaceSecurityGroupsOnDestroy",
                "replacementSecurityGroupIds",
                "skipDestroy",
                "sourceCodeHash",
            }
        ),
        import_differs=frozenset({"code", "publish"}),
    ),
    Specimen(
        "aws:lambda/alias:Alias",
        lambda world: {
            "name": "live",
            "description": "of the tests",
            "functionName": function(world)["name"],
            "functionVersion": "1",
        },
        lambda world: [
            {"name": "another"},
            {"description": None},
            {"functionName": function(world, "another-function")["name"]},
            {"functionVersion": "2"},
            {"routingConfig": {"additionalVersionWeights": {"2": 0.25}}},
        ],
        taken="ResourceConflictException",
        import_id=lambda _, state: f"{state['functionName']}/{state['name']}",
    ),
    Specimen(
        "aws:lambda/permission:Permission",
        lambda world: {
            "action": "lambda:InvokeFunction",
            "function": function(world)["name"],
            "principal": "secretsmanager.amazonaws.com",
            "sourceAccount": world.account_id,
            "sourceArn": _arn(world, "one"),
        },
        lambda world: [
            {"action": "lambda:GetFunction"},
            {"function": function(world, "another-function")["name"]},
            {"principal": "events.amazonaws.com"},
            {"qualifier": "1"},
            {"sourceAccount": None},
            {"sourceArn": _arn(world, "another")},
            {"statementId": "another"},
        ],
        taken="ResourceConflictException",
        found_by=frozenset({"function", "qualifier"}),
        import_id=lambda id_, state: f"{state['function']}/{id_}",
    ),
    Specimen(
        "aws:lambda/invocation:Invocation",
        lambda world: {"functionName": function(world)["name"], "input": '{"a": 1}'},
        lambda world: [
            {"functionName": function(world, "another-function")["name"]},
            {"input": '{"a": 2}'},
            {"qualifier": "1"},
            {"lifecycleScope": "CRUD"},
            {"terraformKey": "another"},
            {"triggers": {"a": "b"}},
        ],
        not_changed={"tenantId": "the embedded AWS has no functions of tenants"},
        not_read=frozenset(
            {"functionName", "input", "qualifier", "lifecycleScope", "terraformKey", "triggers"}
        ),
        seen_gone=False,
        not_imported="AWS knows nothing of an invocation",
    ),
]
