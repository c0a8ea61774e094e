"""What exactly monitoring and audit ask of AWS."""

import json
import re
from typing import Any

import pytest

from infra.alarms import filters, incidents
from infra.components.alarm_topic import AlarmTopic
from infra.components.audit import Audit
from infra.components.monitoring import Monitoring, MonitoringArgs, WatchedFunction
from infra.components.rotation_watch import RotationWatch
from infra.policies.monitoring import describe_secrets
from local.engines.built_in import Registration
from tests.recording import ACCOUNT, PROJECT, ROOT, by_type, made, only, planned, requested

ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader-role-0123456"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:p/s/session-AbCdEf"
WHERE: dict[str, Any] = {"partition": "aws", "region": "us-east-1", "account_id": ACCOUNT}
ALARM = "cloudwatch/metricAlarm:MetricAlarm"
FILTER = "cloudwatch/logMetricFilter:LogMetricFilter"


def watched(label: str) -> WatchedFunction:
    name = label or "reader"
    return {
        "label": label,
        "name": name,
        "log_group_name": f"/aws/lambda/p-s-{name}",
        "timeout_seconds": 30,
        "telemetry": True,
    }


def monitoring(**changes: Any) -> list[Registration]:
    args: MonitoringArgs = {
        "environment": "p-s",
        "region": "us-east-1",
        "secret_prefix": "p/s/",
        "key_alias": "alias/p/s",
        "topic_arn": TOPIC,
        "audit_log_group_name": "trail",
        "functions": [watched("")],
        "role_arns": [ROLE],
        "key_arns": [KEY],
        "rotation_watch_name": "watch",
        "replica_watch_name": "watch",
    }
    return made(lambda: Monitoring("monitoring", {**args, **changes}))  # type: ignore[typeddict-item]


def audit(**changes: Any) -> list[Registration]:
    names = {"trail_name": "p-s", "log_group_name": "trail", "alias": "p/s/audit"}
    return made(lambda: Audit("audit", {**names, **WHERE, **changes}))  # type: ignore[typeddict-item]


def topic(**changes: Any) -> list[Registration]:
    names = {"alarm_prefix": "p-s-", "alias": "p/s/alarms"}
    return made(lambda: AlarmTopic("alarms", {**names, **WHERE, **changes}))  # type: ignore[typeddict-item]


def alarms(**changes: Any) -> dict[str, dict[str, Any]]:
    found = by_type(monitoring(**changes), ALARM)
    return {each.name.removeprefix("monitoring-"): each.inputs for each in found}


def document(registration: Registration) -> dict[str, dict[str, Any]]:
    """Return the statements of a policy, by Sid."""
    statements = json.loads(registration.inputs["policy"])["Statement"]
    return {each["Sid"]: each for each in statements}


def test_there_is_an_alarm_for_everything_that_is_described() -> None:
    locations = incidents.LogLocations("", "", "", "")
    assert set(alarms()) == set(incidents.descriptions(locations))


def test_without_a_rotation_none_is_overdue_and_without_a_replica_none_is_broken() -> None:
    assert "rotation-overdue" not in alarms(rotation_watch_name=None)
    assert "replicas-broken" not in alarms(replica_watch_name=None)


def test_every_alarm_tells_the_topic_of_its_beginning_and_its_end() -> None:
    for incident, alarm in alarms().items():
        assert alarm["name"] == f"p-s-{incident}"
        assert alarm["alarmActions"] == alarm["okActions"] == [TOPIC]
        assert len(alarm["alarmDescription"]) > 80


def test_every_alarm_links_to_the_runbook_of_the_config() -> None:
    url = "https://git.example.com/docs/operations.md"
    made = monitoring(runbook_url=url)
    texts = {
        each.inputs["name"].removeprefix("p-s-"): each.inputs["alarmDescription"]
        for each in by_type(made, ALARM)
    }
    (composite,) = by_type(made, "CompositeAlarm")
    texts["alarms"] = composite.inputs["alarmDescription"]
    for heading, text in texts.items():
        assert text.endswith(f"\nRunbook: {url}#{heading}")


def test_one_of_what_is_counted_is_one_too_many() -> None:
    denied = alarms()["denied-reads"]
    del denied["alarmDescription"]
    assert denied == {
        "name": "p-s-denied-reads",
        "namespace": "LambdaSecrets/p-s",
        "metricName": "DeniedReads",
        "statistic": "Sum",
        "threshold": 1,
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "evaluationPeriods": 1,
        "period": 300,
        "treatMissingData": "notBreaching",
        "alarmActions": [TOPIC],
        "okActions": [TOPIC],
    }


def test_alarms_on_the_function_are_on_that_function() -> None:
    found = alarms()
    metrics = {
        "function-errors": ("AWS/Lambda", "Errors"),
        "function-throttles": ("AWS/Lambda", "Throttles"),
        "function-slow": ("AWS/Lambda", "Duration"),
        "failed-retrievals": ("LambdaSecrets", "Errors"),
        "stale-values": ("LambdaSecrets", "Stale"),
        "failovers": ("LambdaSecrets", "Failovers"),
    }
    for incident, metric in metrics.items():
        alarm = found[incident]
        assert (alarm["namespace"], alarm["metricName"]) == metric
        assert alarm["dimensions"] == {"FunctionName": "reader"}
    assert found["function-slow"]["threshold"] == 24_000
    assert found["function-slow"]["statistic"] == "Maximum"


@pytest.mark.parametrize(
    ("incident", "metric"),
    [("rotation-overdue", "RotationOverdue"), ("replicas-broken", "ReplicasBroken")],
)
def test_a_watch_that_falls_silent_is_told_of(incident: str, metric: str) -> None:
    watched = alarms()[incident]
    assert (watched["namespace"], watched["metricName"]) == ("LambdaSecrets", metric)
    assert watched["treatMissingData"] == "missing"
    assert watched["insufficientDataActions"] == [TOPIC]
    assert watched["dimensions"] == {"FunctionName": "watch"}


def test_a_trail_that_writes_nothing_for_an_hour_is_told_of() -> None:
    silent = alarms()["audit-silent"]
    assert (silent["namespace"], silent["metricName"]) == ("AWS/Logs", "IncomingLogEvents")
    assert silent["dimensions"] == {"LogGroupName": "trail"}
    assert (silent["statistic"], silent["period"]) == ("Sum", 3600)
    assert (silent["comparisonOperator"], silent["threshold"]) == ("LessThanThreshold", 1)
    assert silent["treatMissingData"] == "breaching"


def test_whoever_changes_what_is_recorded_or_counted_is_counted() -> None:
    patterns = {
        each.name: each.inputs["pattern"]
        for each in by_type(monitoring(), FILTER)
        if each.inputs["metricTransformation"]["name"] == "ChangedAudit"
    }
    assert set(patterns) == {"monitoring-trails", "monitoring-logs"}
    for group in ("trail", "/aws/lambda/p-s-reader"):
        assert f'($.requestParameters.logGroupName = "{group}")' in patterns["monitoring-logs"]


@pytest.mark.parametrize("number", [1, 6, 7, 48, 49])
def test_the_filters_are_counted_before_they_are_made(number: int) -> None:
    existing = [
        f"arn:aws:secretsmanager:us-east-1:1:secret:{each:0100}-AbCdEf" for each in range(number)
    ]
    made = monitoring(
        functions=[watched(f"f{each}") for each in range(number)],
        role_arns=[f"arn:aws:iam::{ACCOUNT}:role/p-s-f{each}" for each in range(number)],
        role_prefix="p-s-",
        policy_arns=["arn:policy"] * number,
        key_arns=[KEY] * number,
        existing_secret_arns=existing[:6],
    )
    parts = filters.of_existing(existing[:6])
    counted = filters.count(parts, 1 + number, number, number, number)
    assert len(by_type(made, FILTER)) == counted


def test_new_versions_of_the_roles_managed_policies_are_counted() -> None:
    policies = [f"arn:aws:iam::{ACCOUNT}:policy/{number}" for number in range(7)]
    found = [
        each.inputs["pattern"]
        for each in by_type(monitoring(policy_arns=policies), FILTER)
        if each.name.startswith("monitoring-managed-policies-")
    ]
    assert len(found) == 2
    for policy in policies:
        assert f'($.requestParameters.policyArn = "{policy}")' in "".join(found)


def test_reads_of_unusual_frequency_are_those_above_the_band() -> None:
    unusual = alarms()["unusual-reads"]
    assert unusual["comparisonOperator"] == "GreaterThanUpperThreshold"
    assert unusual["thresholdMetricId"] == "usual"
    reads, usual = unusual["metricQueries"]
    assert reads["metric"]["metricName"] == "Reads"
    assert usual["expression"] == "ANOMALY_DETECTION_BAND(reads, 3)"
    assert "period" not in unusual


def test_the_alarm_over_all_is_on_while_any_is_and_tells_nobody() -> None:
    registered = monitoring()
    composite = only(registered, "CompositeAlarm").inputs
    names = [each.inputs["name"] for each in by_type(registered, ALARM)]
    assert composite["alarmRule"] == " OR ".join(f'ALARM("{name}")' for name in sorted(names))
    assert "alarmActions" not in composite


def test_many_roles_and_keys_are_spread_over_filters_of_one_metric() -> None:
    roles = [f"{ROLE}{number}" for number in range(7)]
    one, several = monitoring(), monitoring(role_arns=roles, key_arns=[KEY] * 7)
    assert len(by_type(several, FILTER)) == len(by_type(one, FILTER)) + 3
    counted = [each.inputs["metricTransformation"]["name"] for each in by_type(several, FILTER)]
    assert counted.count("ChangedPolicies") == 6
    assert counted.count("DisabledKeys") == 2


def test_a_known_reader_is_no_stranger() -> None:
    known = [f"arn:aws:iam::{ACCOUNT}:user/ci"]
    (found,) = [
        each.inputs["pattern"]
        for each in by_type(monitoring(known_reader_arns=known), FILTER)
        if each.name == "monitoring-unknown-readers"
    ]
    assert f'($.userIdentity.arn != "{known[0]}")' in found
    assert '($.userIdentity.arn != "*:assumed-role/reader-role-0123456/*")' in found


@pytest.mark.parametrize(
    ("functions", "rotating", "alarms", "ages"), [(1, 1, [17], [1]), (16, 501, [100, 7], [500, 1])]
)
def test_every_widget_of_the_dashboard_asks_a_question_and_none_overlaps(
    functions: int, rotating: int, alarms: list[int], ages: list[int]
) -> None:
    made = monitoring(
        functions=[watched(f"f{number}") for number in range(functions)],
        rotating=[f"p/s/{number}" for number in range(rotating)],
    )
    dashboard = only(made, "Dashboard").inputs
    widgets = json.loads(dashboard["dashboardBody"])["widgets"]
    assert all(widget["properties"]["title"].endswith("?") for widget in widgets)
    cells = [
        (widget["x"] + column, widget["y"] + row)
        for widget in widgets
        for column in range(widget["width"])
        for row in range(widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23

    def sizes(kind: str, title: str) -> list[int]:
        shown = [each["properties"] for each in widgets if each["properties"]["title"] == title]
        return [len(each[kind]) for each in shown]

    assert sizes("alarms", "Is anything wrong?") == alarms
    assert sizes("metrics", "How many days old is each value?") == ages


def test_existing_secrets_have_filters_of_the_same_metrics_and_are_among_who_reads() -> None:
    arns = [f"arn:aws:secretsmanager:us-east-1:1:secret:{name}-AbCdEf" for name in ("a.b/c", "d")]
    made = monitoring(existing_secret_arns=arns)

    def filters(registered: list[Registration]) -> dict[str, dict[str, Any]]:
        return {each.name: each.inputs for each in by_type(registered, "LogMetricFilter")}

    without, found = filters(monitoring()), filters(made)
    assert {name: found[name] for name in without} == without
    added = {name: found[name]["metricTransformation"]["name"] for name in found - without.keys()}
    of_ids = ("reads", "unknown-readers", "deleted-secrets", "secret-policies")
    of_arns = ("failed-rotations", "rotations", "grants")
    assert {name.partition("-existing-")[2] for name in added} == {
        f"{what}-1" for what in (*of_ids, *of_arns)
    }
    of_metrics = {each["metricTransformation"]["name"] for each in without.values()}
    assert {*added.values()} <= of_metrics

    body = json.loads(only(made, "Dashboard").inputs["dashboardBody"])
    (query,) = (
        each["properties"]["query"]
        for each in body["widgets"]
        if each["properties"]["title"] == "Who reads?"
    )
    _, _, expression = query.partition("or requestParameters.secretId like /")
    pattern = re.compile(expression.split("/)", 1)[0].replace(r"\/", "/"))
    for name in (*arns, arns[0][:-7], "a.b/c", "d"):
        assert pattern.search(name)
    for name in ("axb/c", "a.b/c/d", "xd", "d-e"):
        assert not pattern.search(name)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"period_seconds": 45}, "period_seconds must be one of 10, 30, 60, 300, 900, 3600"),
        ({"role_arns": []}, "role_arns and key_arns must each list at least one"),
        ({"key_arns": []}, "role_arns and key_arns must each list at least one"),
        (
            {"existing_secret_arns": [f"{SECRET}{number:06}" for number in range(40)]},
            r"existing_secret_arns need \d+ filters of each kind, but a log group has room for 10",
        ),
    ],
)
def test_monitoring_refuses_what_aws_would(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        monitoring(**changes)


def test_only_alarms_of_the_environment_may_publish_and_only_with_tls() -> None:
    statements = document(only(topic(), "TopicPolicy"))
    assert set(statements) == {"PublishAlarms", "RefuseWithoutTls"}
    allowed = statements["PublishAlarms"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    (pattern,) = allowed["Condition"]["ArnLike"].values()
    assert pattern.endswith(f":{ACCOUNT}:alarm:p-s-*")
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_the_topics_key_is_for_alarms_of_the_account() -> None:
    registered = topic()
    key = only(registered, "kms/key:Key")
    statement = document(key)["EncryptAlarms"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert only(registered, "sns/topic:Topic").inputs["kmsMasterKeyId"].startswith("arn:aws:kms:")


def test_a_subscriber_keeps_its_name_when_another_leaves() -> None:
    both = [
        {"protocol": "email", "endpoint": "a@example.com"},
        {"protocol": "sqs", "endpoint": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"},
    ]
    names = {each.name for each in by_type(topic(subscriptions=both), "TopicSubscription")}
    (name,) = {each.name for each in by_type(topic(subscriptions=both[1:]), "TopicSubscription")}
    assert len(names) == 2
    assert name in names


def test_the_trail_records_every_call_and_proves_its_files() -> None:
    registered = audit()
    trail = only(registered, "cloudtrail/trail:Trail")
    inputs = trail.inputs
    assert "eventSelectors" not in inputs  # the default: every management event
    assert inputs["enableLogFileValidation"]
    assert inputs["isMultiRegionTrail"]
    assert inputs["includeGlobalServiceEvents"]
    assert inputs["cloudWatchLogsGroupArn"].endswith(":*")
    policies = {each.urn for each in registered if each.name == "audit-bucket-policy"}
    assert policies <= trail.dependencies


def test_the_bucket_and_the_key_are_for_this_trail_only() -> None:
    registered = audit()
    trail = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/p-s"
    bucket = document(only(registered, "BucketPolicy"))
    key = document(only(registered, "kms/key:Key"))
    for statement in (
        bucket["CheckByTrail"],
        bucket["WriteByTrail"],
        key["EncryptTrail"],
        key["DescribeToTrail"],
    ):
        assert statement["Condition"]["StringEquals"]["aws:SourceArn"] == trail
    assert bucket["WriteByTrail"]["Resource"].endswith(f"/AWSLogs/{ACCOUNT}/*")
    assert bucket["RefuseWithoutTls"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert bucket["RefuseWithoutTls"]["Principal"] == "*"


def test_the_bucket_is_emptied_by_time_only() -> None:
    registered = audit(retention_days=365)
    assert not only(registered, "s3/bucket:Bucket").inputs.get("forceDestroy")
    (rule,) = only(registered, "LifecycleConfiguration").inputs["rules"]
    assert rule["expiration"] == {"days": 365}
    assert rule["transitions"] == [{"days": 90, "storageClass": "GLACIER_IR"}]


def test_the_record_and_its_key_outlive_the_stack_and_leave_the_alias_to_the_next() -> None:
    names = {"trail_name": "p-s", "log_group_name": "trail", "alias": "p/s/audit"}
    engine = requested(lambda: Audit("audit", {**names, **WHERE}))  # type: ignore[typeddict-item]
    retained = {type_ for type_, _ in engine.with_option("retain")}
    made_ = {each.type for each in engine.registrations if each.custom}
    assert retained == {each for each in made_ if each.startswith(("aws:kms/key", "aws:s3/"))}
    assert len(retained) == 8


def test_files_that_go_soon_are_not_moved_before() -> None:
    (rule,) = only(audit(retention_days=179), "LifecycleConfiguration").inputs["rules"]
    assert "transitions" not in rule


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"retention_days": 30}, "retention_days must be 90 to 3653, got 30"),
        ({"log_retention_days": 31}, "log_retention_days must be one of"),
        ({"deletion_window_in_days": 6}, "deletion_window_in_days must be 7 to 30, got 6"),
    ],
)
def test_audit_refuses_what_aws_would(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        audit(**changes)


def test_the_watch_describes_these_secrets_and_is_called_by_its_rule() -> None:
    registered = made(
        lambda: RotationWatch(
            "watch",
            {
                "secret_arns": {"p/s/session": SECRET},
                "rotating": [],
                "replica_regions": ["us-west-2", "eu-west-1"],
                "key_arn": KEY,
                "account_id": ACCOUNT,
                "log_group_name": "/aws/lambda/p-s-rotation-watch",
                "file": ROOT / "handler" / "rotation_watch.py",
            },
        )
    )
    (granted,) = [each for each in registered if each.name == "watch-describe"]
    assert document(granted) == {
        "DescribeSecrets": {
            "Sid": "DescribeSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:DescribeSecret",
            "Resource": [SECRET],
        }
    }
    function = only(registered, "lambda/function:Function").inputs
    assert "rotation_watch.py" in function["code"].assets
    assert watched_by(function) == {
        "secrets": ["p/s/session"],
        "rotating": [],
        "replicaRegions": ["us-west-2", "eu-west-1"],
    }
    permission = only(registered, "Permission").inputs
    assert permission["principal"] == "events.amazonaws.com"
    assert permission["sourceArn"] == only(registered, "EventRule").outputs["arn"]


@pytest.mark.parametrize("regions", [["us-west-2"], []])
def test_replicas_of_secrets_that_do_not_rotate_are_watched_and_without_any_nothing_is(
    regions: list[str],
) -> None:
    registered = planned(
        "dev",
        replicaRegions=regions,
        monitoring={"enabled": True},
        audit={"trail": "own"},
        function={"telemetry": True},
    ).registrations
    made_alarms = {
        each.inputs["name"].partition("-dev-")[2] for each in by_type(registered, ALARM)
    }
    assert "rotation-overdue" not in made_alarms
    assert ("replicas-broken" in made_alarms) == bool(regions)
    found = [
        watched_by(each.inputs)
        for each in by_type(registered, "lambda/function:Function")
        if each.name.startswith("rotation-watch")
    ]
    assert [each["replicaRegions"] for each in found] == [regions] * len(regions)
    for each in found:
        assert all(name.startswith(f"{PROJECT}/dev/") for name in each["secrets"])
        assert each["secrets"]
        assert not each["rotating"]


def watched_by(function: dict[str, Any]) -> Any:
    return json.loads(function["code"].assets["watched.json"].text)


def test_more_secrets_than_a_policy_can_list_are_described_by_their_prefix() -> None:
    few, many = ([f"{SECRET}{number:03}" for number in range(count)] for count in (10, 200))
    assert resources(describe_secrets(few, "p/s/")) == few
    arn = SECRET.rpartition(":secret:")[0]
    assert resources(describe_secrets(many, "p/s/")) == [f"{arn}:secret:p/s/*"]
    assert resources(describe_secrets(many)) == many


def resources(policy: dict[str, Any]) -> Any:
    return policy["Statement"][0]["Resource"]
