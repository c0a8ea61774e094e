# ruff: noqa: PLR0913, PLR0917 (a test's arguments are fixtures)
"""`readers` in the embedded AWS: roles made elsewhere read their secrets, and nothing else.

Each grant is removed alone, and the read is denied. How long AWS takes until a changed policy is
in force is not proven.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from local import deployment
from local.account import AwsAccount
from local.aws import EmbeddedAws
from local.config import project
from local.deployment import Deployment
from tests.documented import documents
from tests.local.test_accounts import READ_BY_EXTENSION, outcome
from tests.local.test_monitoring import counted, wait_until, wait_until_counted
from tests.recording import PROJECT, ROOT

REGION, AWAY = "us-east-1", "us-west-2"
OTHER, THIRD = "210987654321", "333333333333"
HERE, THERE = "here", "there"
NOT_GRANTED = "AccessDeniedException: User: "
NO_IDENTITY_POLICY = "no identity-based policy allows the secretsmanager:GetSecretValue action"
NO_RESOURCE_POLICY = "no resource-based policy allows the secretsmanager:GetSecretValue action"
NO_KEY = "AccessDeniedException: Access to KMS is not allowed"
DENIED = "explicit deny in a resource-based policy"

Make = Callable[..., Any]
Document = dict[str, Any]


class Shared(NamedTuple):
    """A stack and the roles that read its secret `database`, by the names of its readers."""

    made: Deployment
    roles: Mapping[str, str]

    def arn(self, name: str = "database", region: str = REGION) -> str:
        """ARN of a secret, or of its replica."""
        arn: str = self.made.outputs["secret_arns"][name]
        return arn.replace(REGION, region)

    def key(self, region: str) -> str:
        """ARN of the key of a region."""
        keys = {REGION: self.made.outputs["key_arn"], **self.made.outputs["replica_key_arns"]}
        return str(keys[region])

    def name(self, reader: str) -> str:
        """Name of a reader's role."""
        return self.roles[reader].rpartition("/")[2]


def documented_policy(secrets: list[str], keys: list[str]) -> Document:
    """Fill in the policy that docs/operations.md gives to the other account."""
    (document,) = documents("Let a role of another account read")
    read, decrypt = document["Statement"]
    assert (read["Resource"], decrypt["Resource"]) == (["SECRET_ARN"], ["KEY_ARN"])
    read["Resource"], decrypt["Resource"] = secrets, keys
    through = decrypt["Condition"]["StringEquals"]
    service = through["kms:ViaService"]
    through["kms:ViaService"] = [service.replace("REGION", key.split(":")[3]) for key in keys]
    return document


def trusting(principal: Document) -> str:
    allow = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def new_role(account: AwsAccount) -> str:
    """Make a role that its account and Lambda may assume, on a path; return its ARN."""
    trust = {
        "AWS": f"arn:aws:iam::{account.account_id}:root",
        "Service": "lambda.amazonaws.com",
    }
    role = account.client("iam", REGION).create_role(
        RoleName=f"role-{uuid.uuid4().hex[:12]}",
        Path="/teams/",
        AssumeRolePolicyDocument=trusting(trust),
    )
    return str(role["Role"]["Arn"])


def stack(name: str, roles: Mapping[str, str], *, restricted: bool) -> project.Stack:
    """Write a stack whose `database` is shared, with replicas, watched by its own trail."""
    generated: Document = {"generate": {"password": {}}}
    login = {"fields": {"host": "db", "username": "app"}, **generated}
    sections = {
        "secrets": {"database": login, "session": generated},
        "function": {"secrets": ["database"], "telemetry": True},
        "readers": {
            reader: {"role": role, "secrets": ["database"]} for reader, role in roles.items()
        },
        "replicaRegions": [AWAY],
        "resourcePolicy": {"enabled": restricted},
        "audit": {"trail": "own"},
        "monitoring": {"enabled": True},
        "recoveryWindowDays": 0,
    }
    empty = project.Stack(ROOT, PROJECT, name, {"aws:region": REGION}, (), ())
    return empty.changed(**sections)


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    """Start an AWS of these stacks' own, with the layer of the extension."""
    planned = stack("open", {}, restricted=False)
    with EmbeddedAws(layers=deployment.layer_arns(deployment.preview(planned))) as embedded:
        yield embedded


@pytest.fixture(scope="module")
def other(aws: EmbeddedAws) -> AwsAccount:
    return aws.account(OTHER)


@pytest.fixture(scope="module")
def deployed() -> dict[str, Shared]:
    """Return the stacks that are deployed, by name."""
    return {}


@pytest.fixture(
    scope="module", params=[pytest.param("open", marks=pytest.mark.exhaustive), "restricted"]
)
def shared(
    request: pytest.FixtureRequest,
    aws: EmbeddedAws,
    other: AwsAccount,
    deployed: dict[str, Shared],
) -> Shared:
    """Deploy a stack without or with `resourcePolicy`; its reader of the other account is set up.

    That account has done what docs/operations.md says. A worker may come back to a stack.
    """
    if request.param in deployed:
        return deployed[request.param]
    roles = {HERE: new_role(aws), THERE: new_role(other)}
    made = deployment.deploy(
        stack(request.param, roles, restricted=request.param == "restricted"), aws
    )
    found = Shared(made, roles)
    arns = [found.arn(region=region) for region in (REGION, AWAY)]
    keys = [found.key(region) for region in (REGION, AWAY)]
    other.client("iam", REGION).put_role_policy(
        RoleName=found.name(THERE),
        PolicyName="read",
        PolicyDocument=json.dumps(documented_policy(arns, keys)),
    )
    deployed[request.param] = found
    return found


@pytest.fixture
def read(shared: Shared, client_of: Make) -> Make:
    """Return the function that reads by a reader's role; it returns the value or the refusal."""

    def call(reader: str, region: str = REGION, name: str = "database") -> str:
        client = client_of("secretsmanager", shared.roles[reader], region)
        return outcome(client, "GetSecretValue", shared.arn(name, region))

    return call


@pytest.mark.parametrize("region", [REGION, AWAY])
@pytest.mark.parametrize("reader", [HERE, THERE])
def test_a_reader_reads_its_secret_and_no_other(
    shared: Shared, read: Make, reader: str, region: str
) -> None:
    assert read(reader, region) == shared.made.secret_text(shared.arn())
    refused = read(reader, region, "session")
    assert refused.startswith(NOT_GRANTED)
    assert shared.arn("session", region) in refused


@pytest.mark.parametrize("reader", [HERE, THERE])
def test_a_reader_changes_nothing(shared: Shared, client_of: Make, reader: str) -> None:
    client = client_of("secretsmanager", shared.roles[reader])
    with pytest.raises(client.exceptions.ClientError, match="AccessDeniedException"):
        client.put_secret_value(SecretId=shared.arn(), SecretString="next")


def test_only_a_role_of_this_account_gets_a_policy_attached(
    aws: EmbeddedAws, shared: Shared
) -> None:
    attached = aws.client("iam", REGION).list_attached_role_policies(RoleName=shared.name(HERE))
    arns = [each["PolicyArn"] for each in attached["AttachedPolicies"]]
    outputs = shared.made.outputs["read_policy_arns"]
    assert outputs[HERE] == arns
    assert outputs.keys() == {HERE, "reader"}


def test_only_secrets_that_another_account_reads_have_a_policy_unless_all_have(
    shared: Shared,
) -> None:
    secrets = shared.made.client("secretsmanager")
    policies = {
        name: "ResourcePolicy" in secrets.get_resource_policy(SecretId=arn)
        for name, arn in shared.made.outputs["secret_arns"].items()
    }
    restricted = shared.made.stack.name == "restricted"
    assert policies == {"database": True, "session": restricted}


@contextmanager
def without(document: Document, put: Callable[[str], object], sid: str) -> Iterator[None]:
    """Put a policy without one of its statements, for a `with`."""
    statements = [each for each in document["Statement"] if each["Sid"] != sid]
    assert len(statements) == len(document["Statement"]) - 1
    put(json.dumps({**document, "Statement": statements}))
    try:
        yield
    finally:
        put(json.dumps(document))


def test_without_the_attached_policy_a_role_of_this_account_is_refused(
    aws: EmbeddedAws, shared: Shared, read: Make
) -> None:
    iam, (policy,) = aws.client("iam", REGION), shared.made.outputs["read_policy_arns"][HERE]
    grant = {"RoleName": shared.name(HERE), "PolicyArn": policy}
    iam.detach_role_policy(**grant)
    try:
        assert NO_IDENTITY_POLICY in read(HERE)
        assert NO_IDENTITY_POLICY in read(HERE, AWAY)
    finally:
        iam.attach_role_policy(**grant)
    assert read(HERE) == read(THERE)


@pytest.mark.parametrize(
    ("sid", "refusal"), [("ReadSecrets", NO_IDENTITY_POLICY), ("DecryptSecrets", NO_KEY)]
)
@pytest.mark.parametrize("reader", [HERE, THERE])
def test_each_statement_of_the_roles_own_policy_is_needed(
    aws: EmbeddedAws,
    other: AwsAccount,
    shared: Shared,
    read: Make,
    reader: str,
    sid: str,
    refusal: str,
) -> None:
    if reader == THERE:
        iam = other.client("iam", REGION)
        policy = {"RoleName": shared.name(THERE), "PolicyName": "read"}
        document = iam.get_role_policy(**policy)["PolicyDocument"]
        with without(
            document, lambda text: iam.put_role_policy(**policy, PolicyDocument=text), sid
        ):
            assert refusal in read(THERE)
        return
    iam, (arn,) = aws.client("iam", REGION), shared.made.outputs["read_policy_arns"][HERE]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    latest = [version]

    def put(text: str) -> None:
        made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
        iam.delete_policy_version(PolicyArn=arn, VersionId=latest.pop())
        latest.append(made["PolicyVersion"]["VersionId"])

    with without(found["Document"], put, sid):
        assert refusal in read(HERE)


@pytest.mark.parametrize("region", [REGION, AWAY])
def test_without_the_grant_in_the_resource_policy_only_the_other_account_is_refused(
    shared: Shared, read: Make, region: str
) -> None:
    secrets, arn = shared.made.client("secretsmanager"), shared.arn()
    document = json.loads(secrets.get_resource_policy(SecretId=arn)["ResourcePolicy"])

    def put(text: str) -> None:
        if json.loads(text)["Statement"]:
            secrets.put_resource_policy(SecretId=arn, ResourcePolicy=text)
        else:
            secrets.delete_resource_policy(SecretId=arn)

    with without(document, put, "GrantReadingToOtherAccounts"):
        assert NO_RESOURCE_POLICY in read(THERE, region)
        assert read(HERE, region) == shared.made.secret_text(arn)
    assert read(THERE, region) == read(HERE, region)


@pytest.mark.parametrize("region", [REGION, AWAY])
def test_without_the_statement_of_the_regions_key_the_other_account_is_refused_there(
    aws: EmbeddedAws, shared: Shared, read: Make, region: str
) -> None:
    kms, key = aws.client("kms", region), shared.key(region)
    document = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    elsewhere = AWAY if region == REGION else REGION
    with without(
        document, lambda text: kms.put_key_policy(KeyId=key, Policy=text), "DecryptForReader1"
    ):
        assert read(THERE, region) == NO_KEY
        assert read(THERE, elsewhere) == read(HERE, region)
    assert read(THERE, region) == read(HERE, region)


def test_the_key_decrypts_no_other_secret_for_the_other_account(
    other: AwsAccount, shared: Shared, read: Make, policy: Make
) -> None:
    """Also where both accounts grant the other secret, by mistake."""
    secrets, arn = shared.made.client("secretsmanager"), shared.arn("session")
    before = secrets.get_resource_policy(SecretId=arn).get("ResourcePolicy")
    grant = {"Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    secrets.put_resource_policy(
        SecretId=arn, ResourcePolicy=policy(grant | {"Principal": {"AWS": shared.roles[THERE]}})
    )
    identity = {"RoleName": shared.name(THERE), "PolicyName": "more"}
    iam = other.client("iam", REGION)
    iam.put_role_policy(**identity, PolicyDocument=policy(grant))
    try:
        assert read(THERE, REGION, "session") == NO_KEY
    finally:
        iam.delete_role_policy(**identity)
        if before:
            secrets.put_resource_policy(SecretId=arn, ResourcePolicy=before)
        else:
            secrets.delete_resource_policy(SecretId=arn)


def test_another_role_with_every_grant_of_its_own_account_is_refused(
    shared: Shared, make_role: Make, client_of: Make, other: AwsAccount
) -> None:
    everything = {"Action": ["secretsmanager:*", "kms:*"]}
    refused = make_role(everything, account=other)
    told = outcome(client_of("secretsmanager", refused), "GetSecretValue", shared.arn())
    restricted = shared.made.stack.name == "restricted"
    assert (DENIED if restricted else NO_RESOURCE_POLICY) in told
    here = client_of("secretsmanager", make_role(everything))
    told = outcome(here, "GetSecretValue", shared.arn())
    # Without a resource policy, IAM alone decides in the secret's own account.
    assert DENIED in told if restricted else told == shared.made.secret_text(shared.arn())


def test_a_function_of_the_other_account_reads_by_the_extension_and_the_full_arn(
    other: AwsAccount, shared: Shared, make_function: Make, invoke: Make
) -> None:
    function = make_function(
        READ_BY_EXTENSION,
        account=other,
        Role=shared.roles[THERE],
        Layers=[shared.made.outputs["layer_arn"]],
        Architectures=["arm64"],
    )
    assert invoke(function, shared.arn(), other) == shared.made.secret_text(shared.arn())
    assert "errorMessage" in invoke(function, shared.arn("session"), other)


@pytest.mark.exhaustive
def test_a_known_reader_of_another_account_raises_no_alarm_and_an_unknown_one_does(
    aws: EmbeddedAws, shared: Shared, read: Make, make_role: Make, client_of: Make, policy: Make
) -> None:
    made, arn = shared.made, shared.arn()
    reads, unknown = counted(made, "Reads"), counted(made, "UnknownReaders")
    wait_until(made, "unknown-reader", "OK")
    assert read(THERE) == read(HERE)
    wait_until_counted(made, "Reads", reads + 2)
    assert counted(made, "UnknownReaders") == unknown

    role = make_role({"Action": ["secretsmanager:*", "kms:*"]}, account=aws.account(THIRD))
    principal = {"Principal": {"AWS": role}}
    secrets, kms, key = made.client("secretsmanager"), made.client("kms"), shared.key(REGION)
    resource_policy = secrets.get_resource_policy(SecretId=arn)["ResourcePolicy"]
    key_policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    secrets.put_resource_policy(
        SecretId=arn, ResourcePolicy=policy(principal | {"Action": "secretsmanager:*"})
    )
    document = json.loads(key_policy)
    (more,) = json.loads(policy(principal | {"Action": "kms:Decrypt"}))["Statement"]
    document["Statement"].append(more)
    kms.put_key_policy(KeyId=key, Policy=json.dumps(document))
    try:
        told = outcome(client_of("secretsmanager", role), "GetSecretValue", arn)
    finally:
        secrets.put_resource_policy(SecretId=arn, ResourcePolicy=resource_policy)
        kms.put_key_policy(KeyId=key, Policy=key_policy)
    assert told == read(HERE)
    wait_until_counted(made, "UnknownReaders", unknown + 1)
    wait_until(made, "unknown-reader", "ALARM")
