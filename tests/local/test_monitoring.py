"""Monitoring and audit in the embedded AWS: what is caused is told, and its end, too."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress

import pulumi
import pytest

from infra import own_files
from infra.aws.location import Location
from infra.components.alarm_topic import AlarmTopic
from infra.components.app_secret import AppSecret
from infra.components.audit import Audit
from infra.components.encryption_key import EncryptionKey
from infra.components.extension_function import ExtensionFunction
from infra.components.monitoring import Monitoring
from infra.components.reader_role import ReaderRole
from infra.components.rotation_watch import RotationWatch
from infra.components.secret_rotation import SecretRotation
from infra.components.secret_seeder import SecretSeeder
from infra.packaging import client
from local.aws import ACCOUNT_ID, EmbeddedAws
from local.deployment import ALARM_PERIOD_SECONDS, Deployment, record_of
from local.engines.built_in import BuiltInEngine
from local.proofs import incidents
from local.proofs.role_access import read_as, role_copy
from local.provider.provider import Provider
from tests.recording import PROJECT, ROOT, stack

REGION = "us-east-1"
REPLICA = "us-west-2"
PREFIX = f"{PROJECT}/dev/"
LOGS = f"/aws/lambda/{PROJECT}-dev-"
LAYER = "arn:aws:lambda:us-east-1:177933569100:layer:L:1"
HANDLER = ROOT / "handler"
WHERE = {"partition": "aws", "region": REGION, "account_id": ACCOUNT_ID}
AWAY = WHERE | {"region": REPLICA}


def program() -> None:
    """Make a secret that rotates and a function that reads it, watched as in production."""
    place = Location(**WHERE)
    key = EncryptionKey(
        "environment",
        {
            "description": "k",
            "alias": "a/b",
            "log_group_prefix": LOGS,
            "replication_regions": [REPLICA],
            **WHERE,  # type: ignore[typeddict-item]
        },
    )
    away = EncryptionKey(
        "away",
        {
            "description": "k",
            "alias": "a/b",
            "replication_regions": [REGION],
            **AWAY,  # type: ignore[typeddict-item]
        },
    )
    secret = AppSecret(
        "session",
        {"name": f"{PREFIX}session", "key_arn": key.arn, "replicas": {REPLICA: away.arn}},
    )
    seeder = SecretSeeder(
        "seeder",
        {
            "seeds": {
                "session": {
                    "name": f"{PREFIX}session",
                    "arn": secret.arn,
                    "fields": {"host": "h", "dbname": "d", "username": "u"},
                    "generate": {"password": {}},
                }
            },
            "key_arn": key.arn,
            "replica_key_arns": {REPLICA: away.arn},
            "log_group_name": f"{LOGS}seeder",
            "files": own_files.SEEDER,
            "handler": "seed.lambda_handler",
        },
    )
    files = ("rotation.py", "rotation_engine.py", "rotation_random.py", "secret_json.py")
    rotation = SecretRotation(
        "session-rotation",
        {
            "secret_arn": secret.arn,
            "key_arn": key.arn,
            "replica_key_arns": {REPLICA: away.arn},
            "account_id": ACCOUNT_ID,
            "log_group_name": f"{LOGS}session-rotation",
            "files": {file: HANDLER / file for file in files},
            "handler": "rotation.lambda_handler",
            "strategy": "random",
            "generate": {"password": {}},
        },
        pulumi.ResourceOptions(depends_on=[seeder]),
    )
    role = ReaderRole(
        "reader",
        {
            "secret_arns": {f"{PREFIX}session": secret.arn},
            "key_arn": key.arn,
            "replica_key_arns": {REPLICA: away.arn},
            "log_group_arn": place.log_group_arn(f"{LOGS}reader"),
        },
    )
    reader = ExtensionFunction(
        "reader",
        {
            "role_arn": role.arn,
            "layer_arn": LAYER,
            "key_arn": key.arn,
            "log_group_name": f"{LOGS}reader",
            "files": {"app.py": HANDLER / "app.py", **client.files(HANDLER)},
            "handler": "app.lambda_handler",
            "environment": {"SECRET_NAME": f"{PREFIX}session", "SECRETS_TELEMETRY": "true"},
        },
    )
    audit = Audit(
        "audit",
        {
            "trail_name": f"{PROJECT}-dev",
            "log_group_name": f"/aws/cloudtrail/{PROJECT}-dev",
            "alias": "a/b/audit",
            "tags": {"Environment": "dev"},
            **WHERE,  # type: ignore[typeddict-item]
        },
    )
    topic = AlarmTopic(
        "alarms",
        {
            "alarm_prefix": f"{PROJECT}-dev-",
            "alias": "a/b/alarms",
            "subscriptions": [{"protocol": "email", "endpoint": "ops@example.com"}],
            **WHERE,  # type: ignore[typeddict-item]
        },
    )
    watch = RotationWatch(
        "watch",
        {
            "secret_arns": {f"{PREFIX}session": secret.arn},
            "rotating": [f"{PREFIX}session"],
            "replica_regions": [REPLICA],
            "key_arn": key.arn,
            "account_id": ACCOUNT_ID,
            "log_group_name": f"{LOGS}rotation-watch",
            "file": HANDLER / "rotation_watch.py",
        },
    )
    monitoring = Monitoring(
        "monitoring",
        {
            "environment": f"{PROJECT}-dev",
            "region": REGION,
            "secret_prefix": PREFIX,
            "key_alias": "alias/a/b",
            "topic_arn": topic.arn,
            "audit_log_group_name": audit.log_group_name,
            "functions": [
                {
                    "label": "",
                    "name": reader.name,
                    "log_group_name": f"{LOGS}reader",
                    "timeout_seconds": 30,
                    "telemetry": True,
                }
            ],
            "role_arns": [role.arn, seeder.role_arn, rotation.role_arn],
            "key_arns": [key.arn, audit.key_arn, topic.key_arn],
            "rotating": [f"{PREFIX}session"],
            "rotation_watch_name": watch.function_name,
            "replica_watch_name": watch.function_name,
            "period_seconds": ALARM_PERIOD_SECONDS,
        },
    )
    for name, value in {
        "secret_arns": {"session": secret.arn},
        "role_arn": role.arn,
        "function_name": reader.name,
        "functions": {
            "reader": {"name": reader.name, "alias_arn": reader.alias_arn, "role_arn": role.arn}
        },
        "rotation_function_arns": {"session": rotation.function_arn},
        "key_arn": key.arn,
        "away_key_arn": away.arn,
        "alarm_topic_arn": topic.arn,
        "alarm_names": monitoring.alarm_names,
        "dashboard": monitoring.dashboard_name,
        "composite": monitoring.composite_alarm_arn,
        "watch": watch.function_name,
        "bucket": audit.bucket_name,
    }.items():
        pulumi.export(name, value)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployment]:
    with EmbeddedAws(layers=[LAYER]) as aws:
        planned = stack("dev")
        engine = BuiltInEngine(Provider(aws, REGION))
        engine.run(planned, program)
        yield Deployment(aws, planned, record_of(engine), (), None)


def test_each_incident_reaches_a_subscriber_and_is_over_again(deployed: Deployment) -> None:
    notifications = incidents.trigger(deployed)
    assert set(notifications) == {*incidents.TRIGGERS, "function-errors"}
    for each in notifications.values():
        # What is looked at once a minute takes longer than a busy machine.
        assert each.seconds < 30
        assert each.recovery_seconds < ALARM_PERIOD_SECONDS + 30
        assert "aws " in each.description


def counted(deployed: Deployment, metric: str) -> float:
    """Sum up what a metric filter has counted."""
    now = time.time()
    points = deployed.client("cloudwatch").get_metric_statistics(
        Namespace=f"LambdaSecrets/{deployed.stack.project}-{deployed.stack.name}",
        MetricName=metric,
        StartTime=now - 3600,
        EndTime=now + 60,
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def wait_until_counted(deployed: Deployment, metric: str, wanted: float) -> None:
    deadline = time.monotonic() + 60
    while counted(deployed, metric) < wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert counted(deployed, metric) == wanted


def wait_until(deployed: Deployment, incident: str, state: str) -> None:
    alarm, deadline = deployed.outputs["alarm_names"][incident], time.monotonic() + 60
    while time.monotonic() < deadline:
        found = deployed.client("cloudwatch").describe_alarms(AlarmNames=[alarm])
        if found["MetricAlarms"][0]["StateValue"] == state:
            return
        time.sleep(0.05)
    raise AssertionError(f"{alarm} is not {state}")


def rotate(deployed: Deployment) -> None:
    """Rotate the secret now, also one that no longer rotates, and wait until that is done."""
    secrets, arn = deployed.client("secretsmanager"), deployed.outputs["secret_arns"]["session"]
    given = {
        "SecretId": arn,
        "RotationLambdaARN": deployed.outputs["rotation_function_arns"]["session"],
        "RotationRules": {"AutomaticallyAfterDays": 30},
    }
    deadline, version = time.monotonic() + 60, ""
    while time.monotonic() < deadline:
        if not version:  # what has just been deployed is still being tried
            with suppress(secrets.exceptions.InvalidRequestException):
                version = secrets.rotate_secret(**given)["VersionId"]
        stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
        if "AWSCURRENT" in stages.get(version, ()):
            return
        time.sleep(0.05)
    raise AssertionError("not rotated")


def test_the_functions_read_without_an_alarm_and_anybody_else_does_not(
    deployed: Deployment,
) -> None:
    arn = deployed.outputs["secret_arns"]["session"]
    unknown, rotated = counted(deployed, "UnknownReaders"), counted(deployed, "RotationsSucceeded")
    reads = counted(deployed, "Reads")
    assert deployed.functions["reader"].invoke().status == 200
    rotate(deployed)
    wait_until_counted(deployed, "RotationsSucceeded", rotated + 1)
    assert counted(deployed, "Reads") > reads
    assert counted(deployed, "UnknownReaders") == unknown
    deployed.secret_text(arn)
    wait_until_counted(deployed, "UnknownReaders", unknown + 1)
    with role_copy(deployed.client, deployed.outputs["role_arn"], lambda _: True) as copy:
        assert read_as(deployed.client, copy, [arn]) == {arn: "read"}
    wait_until_counted(deployed, "UnknownReaders", unknown + 2)
    wait_until(deployed, "unknown-reader", "ALARM")


def test_an_alarm_about_the_environments_key_arrives_while_that_key_is_disabled(
    deployed: Deployment,
) -> None:
    kms, key = deployed.client("kms"), deployed.outputs["key_arn"]
    alarm = deployed.outputs["alarm_names"]["key-disabled"]
    wait_until(deployed, "key-disabled", "OK")
    with incidents.Subscriber(deployed) as subscriber:
        kms.disable_key(KeyId=key)
        try:
            (message, _) = subscriber.wait_for([alarm], "OK", "ALARM")[alarm]
        finally:
            kms.enable_key(KeyId=key)
    assert "cancel-key-deletion" in message["AlarmDescription"]


def test_every_way_to_change_who_may_have_a_secret_is_counted(deployed: Deployment) -> None:
    iam, kms = deployed.client("iam"), deployed.client("kms")
    secrets, arn = deployed.client("secretsmanager"), deployed.outputs["secret_arns"]["session"]
    role = deployed.outputs["role_arn"].rpartition("/")[2]
    key = deployed.outputs["key_arn"]
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": arn}
    grant = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    refuse = {**read, "Effect": "Deny", "Principal": "*", "Resource": "*"}
    refuse["Condition"] = {"Bool": {"aws:SecureTransport": "never"}}
    logs = json.dumps(
        {"Version": "2012-10-17", "Statement": [{**read, "Action": "logs:PutLogEvents"}]}
    ).replace(arn, "*")
    changes = counted(deployed, "ChangedPolicies")

    # Neither what is read nor what is about something else.
    iam.list_role_policies(RoleName=role)
    iam.get_role_policy(
        RoleName=role, PolicyName=iam.list_role_policies(RoleName=role)["PolicyNames"][0]
    )
    kms.get_key_policy(KeyId=key, PolicyName="default")
    iam.create_policy(PolicyName="about-logs", PolicyDocument=logs)

    policy = iam.create_policy(PolicyName="about-secrets", PolicyDocument=grant)["Policy"]["Arn"]
    wait_until_counted(deployed, "ChangedPolicies", changes + 1)
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=grant)
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=logs)
    iam.delete_role_policy(RoleName=role, PolicyName="more")
    wait_until_counted(deployed, "ChangedPolicies", changes + 6)
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    secrets.put_resource_policy(
        SecretId=arn,
        ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [refuse]}),
    )
    secrets.delete_resource_policy(SecretId=arn)
    document = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document)
    wait_until_counted(deployed, "ChangedPolicies", changes + 10)
    wait_until(deployed, "policy-changed", "ALARM")


@pytest.mark.exhaustive
def test_whoever_makes_the_trail_blind_is_told_of_and_so_is_its_silence(
    deployed: Deployment,
) -> None:
    cloudwatch, trails = deployed.client("cloudwatch"), deployed.client("cloudtrail")
    logs, group = deployed.client("logs"), f"/aws/cloudtrail/{PROJECT}-dev"
    changes = counted(deployed, "ChangedAudit")
    trails.update_trail(Name=f"{PROJECT}-dev")
    logs.put_metric_filter(
        logGroupName=group,
        filterName="of-nobody",
        filterPattern="nothing",
        metricTransformations=[
            {"metricName": "Nothing", "metricNamespace": "N", "metricValue": "1"}
        ],
    )
    logs.delete_metric_filter(logGroupName=group, filterName="of-nobody")
    wait_until_counted(deployed, "ChangedAudit", changes + 3)
    wait_until(deployed, "audit-changed", "ALARM")

    name = deployed.outputs["alarm_names"]["audit-silent"]
    wait_until(deployed, "audit-silent", "OK")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    given = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    kept = {key: value for key, value in alarm.items() if key in given}
    trails.stop_logging(Name=f"{PROJECT}-dev")
    try:  # an hour is too long to wait
        cloudwatch.put_metric_alarm(**{**kept, "Period": 10})
        wait_until(deployed, "audit-silent", "ALARM")
    finally:
        trails.start_logging(Name=f"{PROJECT}-dev")
        cloudwatch.put_metric_alarm(**kept)
    wait_until(deployed, "audit-silent", "OK")


def watched(deployed: Deployment) -> dict[str, list[str]]:
    """Call what its rule calls every 15 minutes."""
    answer = deployed.client("lambda").invoke(FunctionName=deployed.outputs["watch"])
    assert "FunctionError" not in answer
    found: dict[str, list[str]] = json.loads(answer["Payload"].read())
    return found


def test_a_replica_that_is_promoted_is_told_of_until_there_is_one_again(
    deployed: Deployment,
) -> None:
    secrets, arn = deployed.client("secretsmanager"), deployed.outputs["secret_arns"]["session"]
    away, name = deployed.aws.client("secretsmanager", REPLICA), f"{PREFIX}session"
    assert watched(deployed)["broken"] == []
    wait_until(deployed, "replicas-broken", "OK")
    ended = counted(deployed, "DeletedSecrets")
    away.stop_replication_to_replica(SecretId=name)
    try:
        wait_until_counted(deployed, "DeletedSecrets", ended + 1)
        assert watched(deployed)["broken"] == [f"{name} in {REPLICA}"]
        wait_until(deployed, "replicas-broken", "ALARM")
    finally:
        away.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        key = {"Region": REPLICA, "KmsKeyId": deployed.outputs["away_key_arn"]}
        secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=[key])
    assert watched(deployed)["broken"] == []


def test_a_secret_whose_rotation_was_turned_off_is_overdue(deployed: Deployment) -> None:
    def overdue() -> list[str]:
        return watched(deployed)["overdue"]

    secrets, arn = deployed.client("secretsmanager"), deployed.outputs["secret_arns"]["session"]
    rotate(deployed)
    assert overdue() == []
    wait_until(deployed, "rotation-overdue", "OK")
    secrets.cancel_rotate_secret(SecretId=arn)
    try:
        assert overdue() == [f"{PREFIX}session"]
        wait_until(deployed, "rotation-overdue", "ALARM")
    finally:
        rotate(deployed)


def test_the_watch_may_not_read_a_value(deployed: Deployment) -> None:
    function = deployed.client("lambda").get_function_configuration(
        FunctionName=deployed.outputs["watch"]
    )
    arn = deployed.outputs["secret_arns"]["session"]
    assert "AccessDenied" in read_as(deployed.client, function["Role"], [arn])[arn]


def test_a_secret_that_is_not_there_is_told_of_by_the_clients_telemetry(
    deployed: Deployment,
) -> None:
    functions, name = deployed.client("lambda"), deployed.outputs["function_name"]
    environment = deployed.functions["reader"].environment
    wait_until(deployed, "failed-retrievals", "OK")
    missing = {**environment, "SECRET_NAME": f"{PREFIX}missing"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": missing})
    try:
        functions.invoke(FunctionName=name, Payload=b"{}")
        wait_until(deployed, "failed-retrievals", "ALARM")
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": environment}
        )


def test_one_alarm_is_on_while_any_is(deployed: Deployment) -> None:
    cloudwatch = deployed.client("cloudwatch")
    found = cloudwatch.describe_alarms(
        AlarmNames=[f"{PROJECT}-dev-any"], AlarmTypes=["CompositeAlarm"]
    )["CompositeAlarms"][0]
    assert found["AlarmArn"] == deployed.outputs["composite"]
    for name in deployed.outputs["alarm_names"].values():
        assert f'ALARM("{name}")' in found["AlarmRule"]
    assert not found["AlarmActions"]


def test_the_topic_takes_no_alarm_of_anything_else(deployed: Deployment) -> None:
    cloudwatch = deployed.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="elsewhere",
        Namespace="Elsewhere",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[deployed.outputs["alarm_topic_arn"]],
    )
    cloudwatch.set_alarm_state(AlarmName="elsewhere", StateValue="ALARM", StateReason="a try")
    history = cloudwatch.describe_alarm_history(AlarmName="elsewhere", HistoryItemType="Action")[
        "AlarmHistoryItems"
    ]
    assert [each["HistorySummary"][:6] for each in history] == ["Failed"]


def test_the_dashboard_answers_questions(deployed: Deployment) -> None:
    body = deployed.client("cloudwatch").get_dashboard(
        DashboardName=deployed.outputs["dashboard"]
    )["DashboardBody"]
    titles = [widget["properties"]["title"] for widget in json.loads(body)["widgets"]]
    assert {"Is it healthy?", "Is it rotating?", "Who reads?"} <= set(titles)
    assert all(title.endswith("?") for title in titles)


def test_the_trail_and_its_bucket_are_closed_and_complete(deployed: Deployment) -> None:
    cloudtrail, s3 = deployed.client("cloudtrail"), deployed.client("s3")
    bucket = deployed.outputs["bucket"]
    (trail,) = cloudtrail.describe_trails()["trailList"]
    assert trail["LogFileValidationEnabled"]
    assert trail["IsMultiRegionTrail"]
    assert trail["IncludeGlobalServiceEvents"]
    assert trail["KmsKeyId"] != deployed.outputs["key_arn"]
    assert cloudtrail.get_trail_status(Name=trail["Name"])["IsLogging"]
    (selector,) = cloudtrail.get_event_selectors(TrailName=trail["Name"])["EventSelectors"]
    assert (selector["ReadWriteType"], selector["IncludeManagementEvents"]) == ("All", True)

    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    ownership = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    default = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": trail["KmsKeyId"]}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Expiration"]["Days"] == 365
    assert rule["Transitions"] == [{"Days": 90, "StorageClass": "GLACIER_IR"}]
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert {each["Sid"] for each in statements} == {
        "CheckByTrail",
        "RefuseWithoutTls",
        "WriteByTrail",
    }


def test_an_alarm_that_does_not_come_is_named(
    deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "_SECONDS", 0.2)
    with (
        incidents.Subscriber(deployed) as subscriber,
        pytest.raises(
            TimeoutError, match=r"no notification of OK to ALARM within 0\.2 s from none"
        ),
    ):
        subscriber.wait_for(["none"], "OK", "ALARM")
