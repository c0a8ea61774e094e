# ruff: noqa: E501 (a table reads by its rows)
"""Existing secrets and `readers` in stack config: every error at once, and no false one."""

import re
from typing import Any

import pytest

from infra.config.settings import SettingsError
from local.config import project
from local.engines.built_in import BuiltInEngine
from tests.recording import ACCOUNT, PROJECT, ROOT, Recording
from tests.unit.test_settings import ANOTHER, DATABASE, VALID, faults, read

OTHER = "210987654321"
ARN = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:billing/api-AbCdEf"
RDS = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:rds!db-0a1b2c3d-AbCdEf"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-0000-0000-0000-0123456789ab"
THEIR_KEY = KEY.replace(ACCOUNT, OTHER)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/reporting"
MUST = "must be the full ARN of a secret, with the six characters at its end, got a value that is not shown"
PARTITION = "must be in the partition 'aws' of aws:region 'us-east-1', got"


def away(arn: str, region: str = "us-west-2") -> str:
    return arn.replace("us-east-1", region)


def china(arn: str) -> str:
    return arn.replace("arn:aws:", "arn:aws-cn:")


def with_existing(**settings: Any) -> dict[str, Any]:
    return {"secrets": {"database": DATABASE, "x": {"existing": ARN, **settings}}}


def with_reader(**settings: Any) -> dict[str, Any]:
    reader = {"role": ROLE, "secrets": ["database"], **settings}
    return {**VALID, "readers": {"reporting": reader}}


def alternating(admin: dict[str, Any]) -> dict[str, Any]:
    rotation = {"strategy": "alternatingUsers", "adminSecret": "admin"}
    return {"database": {**DATABASE, "rotation": rotation}, "admin": admin}


def only(fault: str) -> list[str]:
    return [f"{PROJECT}:{fault}; fix it in Pulumi.test.yaml"]


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (with_existing(**{"from": "external"}), "secrets.x.from cannot be combined with `existing`; remove one of them"),
        (with_existing(**{"from": "config"}), "secrets.x.from cannot be combined with `existing`; remove one of them"),
        (with_existing(fields={"host": "h"}), "secrets.x.fields cannot be combined with `existing`; remove one of them"),
        (with_existing(generate={"password": {}}), "secrets.x.generate cannot be combined with `existing`; remove one of them"),
        (with_existing(rotation={"strategy": "singleUser"}), "secrets.x.rotation cannot be combined with `existing`; remove one of them"),
        (with_existing(recoveryWindowDays=7), "secrets.x.recoveryWindowDays cannot be combined with `existing`; remove one of them"),
        (with_existing(existing=ARN[:-7]), f"secrets.x.existing {MUST}"),
        (with_existing(existing="billing/api"), f"secrets.x.existing {MUST}"),
        (with_existing(existing=ARN.replace("secretsmanager", "ssm")), f"secrets.x.existing {MUST}"),
        (with_existing(existing=china(ARN)), f"secrets.x.existing {PARTITION} {china(ARN)!r}"),
        (with_existing(keyArn="alias/k"), "secrets.x.keyArn must be the ARN of a KMS key, got a value that is not shown"),
        (with_existing(keyArn=away(KEY)), f"secrets.x.keyArn must be a key in the secret's region 'us-east-1' (aws), got {away(KEY)!r}"),
        (with_existing(keyArn=china(KEY)), f"secrets.x.keyArn must be a key in the secret's region 'us-east-1' (aws), got {china(KEY)!r}"),
        ({"secrets": {"database": {**DATABASE, "keyArn": KEY}}}, "secrets.database.keyArn is only for `existing` secrets; others are encrypted with the stack's key; remove it"),
        ({"secrets": {"database": DATABASE, "x": {"existing": ARN}, "y": {"existing": ARN}}}, "secrets.y.existing is also the ARN of secrets.x; keep one"),
        ({**with_existing(), "secretValues": {"x": "v"}}, "secretValues.x is set, but the secret is `existing`; remove it"),
        ({"secrets": alternating({"existing": away(RDS)})}, "secrets.database.rotation.adminSecret must be in aws:region 'us-east-1', where rotation reads it, got 'admin', which is in us-west-2; choose another secret"),
        (with_reader(secrets=["none"]), "readers.reporting.secrets must be one of database, got 'none'"),
        (with_reader(secrets=[]), "readers.reporting.secrets lists no secret; add one, or remove the reader"),
        (with_reader(secrets=["database", "database"]), "readers.reporting.secrets lists 'database' more than once; keep one"),
        (with_reader(role="reporting"), "readers.reporting.role must be the ARN of a role, got 'reporting'"),
        (with_reader(role=ROLE.replace(":role/", ":user/")), f"readers.reporting.role must be the ARN of a role, got '{ROLE.replace(':role/', ':user/')}'"),
        (with_reader(role=china(ROLE)), f"readers.reporting.role {PARTITION} {china(ROLE)!r}"),
        ({"secrets": alternating(ANOTHER), "readers": {"r": {"role": ROLE, "secrets": ["admin"]}}}, "readers.r.secrets lists 'admin', an admin secret; remove it, or choose another"),
        ({**with_existing(), "readers": {"r": {"role": ROLE, "secrets": ["x"]}}}, "readers.r.secrets lists 'x', an existing secret; remove it, and let the secret's owner grant access"),
        ({**VALID, "readers": {name: {"role": ROLE, "secrets": ["database"]} for name in "ab"}}, f"readers lists the role {ROLE} more than once; combine its readers"),
        ({**VALID, "readers": {"reader": {"role": ROLE, "secrets": ["database"]}}}, "readers.reader is also the name of a function; choose another name"),
        ({**VALID, "readers": {"a b": {"role": ROLE, "secrets": ["database"]}}}, "readers.a b must have 1 to 40 letters, digits, - and _, and start with a letter or digit; choose another name"),
    ],
)  # fmt: skip
def test_a_fault_names_the_key_and_the_remedy(keys: dict[str, Any], fault: str) -> None:
    assert faults(keys) == only(fault)


def test_a_reader_with_the_name_of_a_function_of_the_config_is_refused() -> None:
    function = {"code": "handler/app.py", "handler": "app.lambda_handler"}
    readers = {"orders": {"role": ROLE, "secrets": ["database"]}}
    keys = {**VALID, "functions": {"orders": function}, "readers": readers}
    assert faults(keys) == only(
        "readers.orders is also the name of a function; choose another name"
    )
    # The function `reader` is there without `functions` only.
    readers["reader"] = readers.pop("orders")
    read({**VALID, "functions": {"orders": function}, "readers": readers})


def test_every_fault_is_reported_at_once() -> None:
    keys = {
        "secrets": {
            "database": {**DATABASE, "keyArn": KEY},
            "x": {"existing": ARN, "keyArn": away(KEY), "from": "config"},
            "y": {"existing": ARN},
        },
        "readers": {"reader": {"role": china(ROLE), "secrets": ["x", "none"]}},
    }
    paths = [fault.removeprefix(f"{PROJECT}:").split(" ", 1)[0] for fault in faults(keys)]
    assert sorted(paths) == [
        "readers.reader",
        "readers.reader.role",
        "readers.reader.secrets",
        "readers.reader.secrets",
        "secrets.database.keyArn",
        "secrets.x.from",
        "secrets.x.keyArn",
        "secrets.y.existing",
    ]


@pytest.mark.parametrize(
    "keys",
    [
        with_existing(),
        with_existing(description="the partner's"),
        with_existing(keyArn=KEY),
        with_existing(keyArn=THEIR_KEY),
        with_existing(existing=RDS),
        with_existing(existing=away(ARN), keyArn=away(KEY)),
        with_existing(existing=ARN.replace(ACCOUNT, OTHER), keyArn=THEIR_KEY),
        {"secrets": {"x": {"existing": ARN}}, "function": {"secret": "x"}},
        {"secrets": alternating({"existing": RDS, "keyArn": KEY})},
        with_reader(),
        with_reader(role=ROLE.replace(ACCOUNT, OTHER)),
        {**VALID, "readers": {"seeder": {"role": ROLE, "secrets": ["database"]}}},
    ],
)
def test_what_works_is_accepted(keys: dict[str, Any]) -> None:
    read(keys)


def test_as_many_existing_secrets_are_accepted_as_the_roles_policies_take() -> None:
    def listed(count: int) -> dict[str, Any]:
        arns = {f"x{n}": {"existing": ARN.replace("api", f"api{n}")} for n in range(count)}
        return {
            "secrets": {"database": DATABASE, **arns},
            "function": {"secrets": ["database", *arns]},
        }

    read(listed(50))
    (fault,) = faults(listed(120))
    assert "function.secrets lists 120 existing secrets, which need a policy of" in fault
    assert "list fewer secrets, or split the function" in fault


def test_the_partition_is_that_of_the_stacks_region() -> None:
    read(with_existing(existing=china(away(ARN, "cn-north-1"))), region="cn-north-1")
    read(with_reader(role=china(ROLE)), region="cn-north-1")
    assert len(faults({**with_existing(), **with_reader()}, region="cn-north-1")) == 1


ENDPOINTS = {"subnetIds": ["subnet-1", "subnet-2"], "vpcId": "vpc-1", "egress": "endpoints"}
REFUSED = (
    "lists 'x', which is in us-west-2, but `egress: endpoints` reaches only us-east-1; use `nat`,"
    " or add a security group of your own to `securityGroupIds` that allows it"
)


def test_a_secret_of_another_region_is_not_reached_by_endpoints() -> None:
    keys = {**with_existing(existing=away(ARN)), "function": {"secrets": ["database", "x"]}}
    assert faults({**keys, "network": ENDPOINTS}) == only(f"function.secrets {REFUSED}")
    read({**keys, "network": {**ENDPOINTS, "securityGroupIds": ["sg-1"]}})
    read({**keys, "function": {"secrets": ["database"]}, "network": ENDPOINTS})
    read({**with_existing(), "function": {"secrets": ["database", "x"]}, "network": ENDPOINTS})

    function = {"code": "handler/app.py", "handler": "app.lambda_handler", "secrets": ["x"]}
    keys = {**with_existing(existing=away(ARN)), "network": ENDPOINTS}
    fault = only(f"functions.f.secrets {REFUSED}")
    assert faults({**keys, "functions": {"f": function}}) == fault
    # One with a network of its own is not behind these endpoints.
    read({**keys, "functions": {"f": {**function, "network": {}}}})


def preview(keys: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Run the program in an account; return errors and messages."""
    config = {"aws:region": "us-east-1"}
    stack = project.Stack(ROOT, PROJECT, "test", config, (), ())
    engine, errors = BuiltInEngine(Recording()), []
    try:
        example = {} if "functions" in keys else {"function": {"secrets": ["database"]}}
        engine.run(stack.changed(**{**example, **keys}))
    except SettingsError as error:
        errors = error.errors
    return errors, engine.messages


def test_a_secret_of_another_account_needs_its_key() -> None:
    theirs = ARN.replace(ACCOUNT, OTHER)
    also = theirs.replace("api", "also")
    secrets = {"database": DATABASE, "x": {"existing": theirs}, "y": {"existing": also}}
    errors, _ = preview({"secrets": secrets})
    assert len(errors) == 2
    for error, name in zip(errors, "xy", strict=True):
        rule = f"secrets.{name}.keyArn is not set, and the secret belongs to account {OTHER}"
        assert error.startswith(f"{PROJECT}:{rule}")
        assert error.endswith("; fix it in Pulumi.test.yaml")
    assert preview(with_existing(existing=theirs, keyArn=THEIR_KEY))[0] == []


def test_more_existing_secrets_than_alarms_can_watch_are_refused() -> None:
    watched = {"monitoring": {"enabled": True}, "audit": {"trail": "own"}}
    function = {"secrets": ["database"], "telemetry": True}

    def listed(count: int, account: str = ACCOUNT) -> dict[str, Any]:
        arn = ARN.replace(ACCOUNT, account)
        secrets = {f"x{n}": {"existing": arn.replace("api", f"{n:0100}")} for n in range(count)}
        if account == OTHER:
            secrets = {name: {**each, "keyArn": THEIR_KEY} for name, each in secrets.items()}
        return {"secrets": {"database": DATABASE, **secrets}, "function": function}

    assert preview(listed(6) | watched)[0] == []
    (error,) = preview(listed(40) | watched)[0]
    assert f"{PROJECT}:secrets has 40 existing secrets of this account" in error
    assert "move some to another stack, or set monitoring.enabled to false" in error
    assert preview(listed(40))[0] == []
    assert preview(listed(40, OTHER) | watched)[0] == []


def test_more_metric_filters_than_a_log_group_has_are_refused() -> None:
    secrets = {f"x{n}": {"existing": ARN.replace("api", f"{n:052}")} for n in range(10)}
    function = {"code": "handler/app.py", "handler": "app.lambda_handler", "telemetry": True}
    keys = {"monitoring": {"enabled": True}, "audit": {"trail": "own"}}

    def of(functions: int) -> list[str]:
        named = {f"f{n}": {**function, "secrets": ["database"]} for n in range(functions)}
        return preview(
            {
                "secrets": {"database": DATABASE, **secrets},
                "functions": named,
                **keys,
            }
        )[0]

    assert of(1) == []
    (error,) = of(54)
    assert re.search(
        r"monitoring.enabled cannot be true with .*: alarms need 1\d\d metric filters, and a log"
        " group has 100; move some functions or existing secrets to another stack",
        error,
    )


@pytest.mark.parametrize(
    ("count", "regions", "account", "needed"),
    [
        (200, [], ACCOUNT, None),
        (300, [], ACCOUNT, 12),
        (280, ["us-west-2"], ACCOUNT, 11),
        (300, [], OTHER, None),
    ],
)
def test_a_reader_of_more_secrets_than_its_policies_grant_is_refused(
    count: int, regions: list[str], account: str, needed: int | None
) -> None:
    names = [f"service-{number:04}-api-credentials-v1" for number in range(count)]
    errors, _ = preview(
        {
            "secrets": {name: {"generate": {"key": {}}} for name in names},
            "function": {"secret": names[0], "secrets": names[:1]},
            "readers": {"ci": {"role": ROLE.replace(ACCOUNT, account), "secrets": names}},
            "replicaRegions": regions,
        }
    )
    rule = f"readers.ci.secrets needs {needed} policies to read all of them, but IAM allows 10 per role"
    assert errors == (
        only(f"{rule}; list fewer secrets, or give them shorter names") if needed else []
    )


@pytest.mark.parametrize(
    ("existing", "where"),
    [
        ({"existing": away(ARN)}, f"us-west-2 of account {ACCOUNT}"),
        ({"existing": ARN.replace(ACCOUNT, OTHER), "keyArn": THEIR_KEY}, f"us-east-1 of account {OTHER}"),
        ({"existing": ARN}, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("trail", ["none", "own"])
def test_what_the_trail_does_not_see_is_named_where_there_is_a_trail(
    existing: dict[str, str], where: str | None, trail: str
) -> None:
    errors, messages = preview({**with_existing(**existing), "audit": {"trail": trail}})
    assert errors == []
    named = [each for each in messages if "do not see who reads or changes it" in each]
    if where is None or trail == "none":
        assert named == []
    else:
        (message,) = named
        assert f"secrets.x is in region {where}, so " in message


def test_a_reader_may_be_named_as_an_internal_function() -> None:
    """Its policies are of another component, so that no resource is named twice."""
    readers = {
        name: {"role": f"{ROLE}-{name}", "secrets": ["database"]}
        for name in ("seeder", "environment", "database")
    }
    config = {"aws:region": "us-east-1"}
    stack = project.Stack(ROOT, PROJECT, "test", config, (), ()).changed(**VALID, readers=readers)
    engine = BuiltInEngine(Recording())
    engine.run(stack)
    urns = [each.urn for each in engine.registrations]
    assert len(urns) == len({*urns})
    assert {*readers, "reader"} == engine.outputs["read_policy_arns"].keys()
