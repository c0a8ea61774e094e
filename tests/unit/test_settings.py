# ruff: noqa: E501 (a table reads by its rows)
"""Stack config: what is wrong in it is said at once, in full, and without a secret value."""

import json
from typing import Any

import pulumi
import pytest

from infra.config import secret_values
from infra.config.environment import Environment
from infra.config.settings import SettingsError, load
from local.config import project
from local.engines.built_in import BuiltInEngine
from tests.recording import PROJECT, ROOT, Recording

DATABASE: dict[str, Any] = {
    "fields": {"host": "h", "username": "u"},
    "generate": {"password": {}},
}
VALID = {"secrets": {"database": DATABASE}}
ANOTHER = {**DATABASE, "fields": {"host": "h", "username": "another"}}
APP = {"code": "handler/app.py", "handler": "app.lambda_handler", "secrets": ["database"]}
CANARY = "s3cr3t-canary"


def rotated(**rotation: Any) -> dict[str, Any]:
    return {**DATABASE, "rotation": rotation}


def read(
    keys: dict[str, Any],
    *,
    region: str = "us-east-1",
    secret_keys: tuple[str, ...] = (f"{PROJECT}:secretValues",),
    stack_name: str = "test",
) -> Environment:
    """Load settings as a program would, from top-level keys."""
    config = {
        key if key.startswith("aws:") else f"{PROJECT}:{key}": json.dumps(value)
        for key, value in keys.items()
    }
    if region:
        config["aws:region"] = region
    stack = project.Stack(ROOT, PROJECT, stack_name, config, secret_keys, ())
    found: list[Environment] = []
    BuiltInEngine(Recording()).run(stack, lambda: found.append(load()))
    return found[0]


def faults(keys: dict[str, Any], **options: Any) -> list[str]:
    with pytest.raises(SettingsError) as error:
        read(keys, **options)
    return error.value.errors


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"extension": {"secretsTtlSeconds": 301}}, "extension.secretsTtlSeconds must be 0 to 300, got 301"),
        ({"extension": {"cacheSize": -1}}, "extension.cacheSize must be 0 to 1000, got -1"),
        ({"extension": {"httpPort": 1023}}, "extension.httpPort must be 1024 to 65535, but not 9001, got 1023"),
        ({"extension": {"httpPort": 9001}}, "extension.httpPort must be 1024 to 65535, but not 9001, got 9001"),
        ({"tags": {"Owner": "team\n"}}, "tags.Owner may contain only letters, digits, spaces and +-=.:/@_ (no tabs or line breaks)"),
        ({"tags": {"Owner": "a\tb"}}, "tags.Owner may contain only letters"),
        ({"tags": {"Owner": "a", "owner": "b"}}, "tags.owner differs from 'Owner' only by case, which IAM ignores; keep one"),
        ({"extension": {"logLevel": "trace"}}, "extension.logLevel must be one of debug, info, warn, error, none, got 'trace'"),
        ({"extension": {"cacheEnabled": "yes"}}, "extension.cacheEnabled must be true or false, got 'yes'"),
        ({"extension": {"ttl": 1}}, "extension.ttl is an unknown key; allowed keys: cacheEnabled, cacheSize"),
        ({"extension": {"secretsTimeoutMillis": 30_000}}, "extension.secretsTimeoutMillis must be less than function.timeoutSeconds (30 s), got 30000"),
        ({"maxStalenessSeconds": 3601}, "maxStalenessSeconds must be 0 to 3600, got 3601"),
        ({"maxStalenessSeconds": 60, "extension": {"secretsTtlSeconds": 61}}, "extension.secretsTtlSeconds must be at most maxStalenessSeconds (60), got 61"),
        ({"function": {"memoryMb": 64}}, "function.memoryMb must be 128 to 10240, got 64"),
        ({"function": {"memoryMb": "256"}}, "function.memoryMb must be a whole number, got '256'"),
        ({"function": {"runtime": "nodejs22.x"}}, "function.runtime must be one of python3.11, python3.12"),
        ({"function": {"architecture": "arm"}}, "function.architecture must be 'arm64' or 'x86_64', got 'arm'"),
        ({"function": {"logRetentionDays": 8}}, "function.logRetentionDays must be one of 1, 3, 5, 7"),
        ({"function": {"secret": "none"}}, "function.secret must be one of database, got 'none'"),
        ({"function": 7}, "function must be a map, got 7"),
        ({"key": {"rotationPeriodDays": 89}}, "key.rotationPeriodDays must be 90 to 2560, got 89"),
        ({"recoveryWindowDays": 6}, "recoveryWindowDays must be 0 or 7 to 30, got 6"),
        ({"aws:defaultTags": {"tags": {"owner": "a"}}, "tags": {"Owner": "b"}}, "aws:defaultTags.tags.owner differs from the tag 'Owner' only by case, which IAM ignores; write 'Owner', or remove it"),
        ({"aws:defaultTags": {"tags": {"Owner": "a", "owner": "b"}}}, "aws:defaultTags.tags.owner differs from the tag 'Owner' only by case"),
        ({"aws:defaultTags": {"tags": {"project": "a"}}}, "aws:defaultTags.tags.project differs from the tag 'Project' only by case, which IAM ignores; write 'Project', or remove it"),
        ({"tags": {"aws:x": "y"}}, "tags.aws:x must have 1 to 128 characters and not start with aws:"),
        ({"tags": {"project": "y"}}, "tags.project is set by this program to the name of the project or stack; remove it"),
        ({"tags": {"a<b": "y"}}, "tags.a<b may contain only letters, digits, spaces and +-=.:/@_"),
        ({"tags": {str(n): "y" for n in range(49)}}, "tags must have at most 48 entries, got 49"),
        ({"secrets": {"": DATABASE, "database": DATABASE}}, "secrets has a secret with an empty name"),
        ({"secrets": {"database": {**DATABASE, "description": "x" * 2049}}}, "secrets.database.description must have at most 2048 characters"),
        ({"secrets": {"database": {"generate": {"p": {"excludeLowercase": True, "excludeUppercase": True, "excludeNumbers": True, "excludePunctuation": True}}}}}, "secrets.database.generate.p excludes every character; allow at least one kind"),
        ({"secrets": {"database": {"fields": {"a": float("nan")}}}}, "secrets.database.fields.a must be"),
        ({"function": {"runtime": 3.12}}, "function.runtime must be one of python3.11, python3.12, python3.13, python3.14, got 3.12"),
        ({"functions": {"runtime": {"runtime": 3.12}}}, "functions.runtime.runtime must be a Lambda runtime such as python3.13 or nodejs22.x, got 3.12"),
        ({"secrets": {"rotation": {**DATABASE, "form": 1}, "database": DATABASE}}, "secrets.rotation.form is an unknown key; allowed keys: description, from, existing"),
        ({"tags": {"recoveryWindowDays": 7}}, "tags.recoveryWindowDays must be text, got 7; put it in quotes"),
        ({"function": {"secret": None}}, "function.secret must be text, got null"),
        ({"tags": {"Num": 42}}, "tags.Num must be text, got 42; put it in quotes, or run `pulumi config set --path --type string tags.Num 42`"),
        ({"tags": {"Bool": True}}, "tags.Bool must be text, got true; put it in quotes, or run `pulumi config set --path --type string tags.Bool true`"),
        ({"tags": {"a-b": -1.5}}, """tags.a-b must be text, got -1.5; put it in quotes, or run `pulumi config set --path --type string 'tags["a-b"]' -- -1.5`"""),
        ({"tags": {"a": {"b": {"c": "x"}}}}, """tags.a must be text, got a map; to set a name that contains dots, run `pulumi config set --path 'tags["a.b.c"]'`; to remove the map, run `pulumi config rm --path tags.a`"""),
        ({"exemptions": {"rotation": {"partner": "why"}}}, """exemptions.rotation.partner is an unknown key; allowed keys: reason, owner, expires; to set a name that contains dots, run `pulumi config set --path 'exemptions["rotation.partner"].reason'`; to remove the map, run `pulumi config rm --path exemptions.rotation`"""),
        ({"secrets": {"database": {"fields": {"a": {"b": 1}}}}}, """secrets.database.fields.a must be text, a number, or true or false, got a map; to set a name that contains dots, run `pulumi config set --path 'secrets.database.fields["a.b"]'`; to remove the map, run `pulumi config rm --path secrets.database.fields.a`"""),
        ({"replicaRegions": ["us-west-2", 7]}, "replicaRegions.1 must be text, got 7; put it in quotes, or run `pulumi config set --path --type string 'replicaRegions[1]' 7`"),
        ({"secrest": {}}, "secrest is an unknown key; allowed keys: secrets, parameters, functions, function, internalFunctions, roles, readers, extension, key, network, database, maxStalenessSeconds, recoveryWindowDays, resourcePolicy, protection, exemptions, cost, replicaRegions, monitoring, audit, tags, secretValues"),
        ({"secrets": {}}, "secrets is empty; add at least one secret"),
        ({"secrets": {"database": {"form": "config"}}}, "secrets.database.form is an unknown key; allowed keys: description, from, existing, keyArn, fields"),
        ({"secrets": {"database": {"from": "vault"}}}, "secrets.database.from must be 'generate', 'config' or 'external', got 'vault'"),
        ({"secrets": {"database": {}}}, "secrets.database has neither `fields` nor `generate`"),
        ({"secrets": {"database": DATABASE, "a b": DATABASE}}, "secrets.a b becomes a name that contains characters other than letters, digits and /_+=.@-; rename it"),
        ({"secrets": {"database": DATABASE, "key-AbCdEf": DATABASE}}, "secrets.key-AbCdEf becomes a name that ends with a hyphen and six characters"),
        ({"secrets": {"database": DATABASE, "x" * 500: DATABASE}}, "becomes a name that is longer than 512 characters"),
        ({"secrets": {"database": {"fields": {"a": "x" * 65_536}}}}, "secrets.database must have at most 65536 bytes, but could have up to 65545"),
        ({"secrets": {"database": {**DATABASE, "from": "external"}}}, "secrets.database.fields is only for `from: generate`, not 'external'; remove it"),
        ({"secrets": {"database": {"fields": {"a": 1}, "generate": {"a": {}}}}}, "secrets.database.fields.a is also in `generate`; keep one"),
        ({"secrets": {"database": {"generate": {"password": {"length": 7}}}}}, "secrets.database.generate.password.length must be 8 to 4096"),
        ({"secrets": {"database": {"fields": {"a": [1]}}}}, "secrets.database.fields.a must be text, a number, or true or false, got a list"),
        ({"secrets": {"database": {"from": "config"}}}, "secretValues.database is not set; set the value with `pulumi config set --secret --path 'secretValues[\"database\"]'`"),
        ({**VALID, "secretValues": {"stripe": CANARY}}, "secretValues.stripe is for an unknown secret"),
        ({**VALID, "secretValues": {"database": CANARY}}, "secretValues.database is set, but the secret has `from: generate`; remove it, or use `from: config`"),
        ({"secrets": {"database": {"from": "config"}}, "secretValues": {"database": "é" * 32_769}}, "secretValues.database must have at most 65536 bytes, got 65538"),
        ({"secrets": {"database": {"from": "config"}}, "secretValues": {"database": ""}}, "secretValues.database must be text or a map, and not empty"),
        ({**VALID, "secretValues": CANARY}, "secretValues must be a map of secret names to values"),
        ({"extension": {"layerArn": "latest"}}, "extension.layerArn is not the ARN of a layer version"),
        ({"extension": {"layerArn": "arn:aws:lambda:eu-west-1:015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:1"}}, "extension.layerArn is in eu-west-1, but the function is in us-east-1"),
        ({"extension": {"layerArn": "arn:aws:lambda:us-east-1:015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:1"}}, "names account 015030872274, which owns the layer in eu-west-1; in us-east-1 the owner is 177933569100"),
        ({"extension": {"layerArn": "arn:aws:lambda:us-east-1:177933569100:layer:AWS-Parameters-and-Secrets-Lambda-Extension:1"}}, "is the layer for x86_64, but the function runs on arm64"),
        ({"secrets": {"a": rotated(strategy="alternatingUsers", adminSecret="database"), "database": ANOTHER}}, "function.secret names 'database', an admin secret, which functions may not read; remove it, or choose another"),
        ({"network": {"subnetIds": ["subnet-1"]}}, "network.securityGroupIds is empty, but `subnetIds` is set; add one"),
        ({"network": {"securityGroupIds": ["sg-1"]}}, "network.subnetIds is empty, but `securityGroupIds` is set; add subnets"),
        ({"network": {"subnetIds": [1]}}, "network.subnetIds.0 must be text, got 1"),
        ({"database": {"caBundle": "none.pem"}}, "database.caBundle must be an existing file, got 'none.pem'"),
        ({"function": {"handler": "other"}}, "function.handler must be 'app' or 'query', got 'other'"),
    ],
)  # fmt: skip
def test_one_fault_is_one_line_that_names_key_value_and_remedy(
    keys: dict[str, Any], fault: str
) -> None:
    found = [each for each in faults({**VALID, **keys}) if fault in each]
    assert len(found) == 1
    assert found[0].startswith((f"{PROJECT}:", "aws:"))
    assert found[0].endswith("; fix it in Pulumi.test.yaml")


@pytest.mark.parametrize(
    "default", [{"tags": {"Owner": "a", "Project": "p"}}, {"tags": None}, "x"]
)
def test_default_tags_may_be_those_of_the_config(default: object) -> None:
    assert read({**VALID, "aws:defaultTags": default, "tags": {"Owner": "b"}})


def test_a_region_without_a_layer_says_how_to_find_one() -> None:
    (fault,) = faults(VALID, region="mars-north-1")
    assert fault.startswith(
        "aws:region must be a known region, got 'mars-north-1'; if it is a new"
    )
    assert "aws ssm get-parameter" in fault
    assert "then set extension.layerArn to it; fix it in" in fault
    layer = "arn:aws:lambda:mars-north-1:123456789012:layer:own:1"
    assert read({**VALID, "extension": {"layerArn": layer}}, region="mars-north-1")


@pytest.mark.parametrize(
    ("region", "error"),
    [
        ("us-east-9", "must be a known region, got 'us-east-9' (did you mean 'us-east-"),
        ("us-east-1a", "must be the name of a region such as us-east-1, got 'us-east-1a' (did you mean 'us-east-1'?); fix"),
        ("US-EAST-1", "must be the name of a region such as us-east-1, got 'US-EAST-1' (did you mean 'us-east-1'?); fix"),
        ("Frankfurt", "must be the name of a region such as us-east-1, got 'Frankfurt'; fix"),
    ],
)  # fmt: skip
def test_a_region_that_does_not_exist_is_one_error_and_no_consequence(
    region: str, error: str
) -> None:
    functions = {
        name: {"code": "handler/app.py", "handler": "app.lambda_handler"} for name in ("a", "b")
    }
    replicas = {"replicaRegions": ["us-west-2"], "functions": functions}
    (fault,) = faults({**VALID, **replicas}, region=region)
    assert fault.startswith(f"aws:region {error}")


def test_a_region_is_not_judged_by_a_function_that_is_wrong_itself() -> None:
    layer = "arn:aws:lambda:mars-north-1:123456789012:layer:own:1"
    function = {"code": "handler/app.py", "extension": {"layerArn": layer}}
    (fault,) = faults({**VALID, "functions": {"a": function}}, region="mars-north-1")
    assert "functions.a.handler is missing" in fault


def test_a_region_with_a_layer_for_the_other_architecture_says_so() -> None:
    (fault,) = faults(VALID, region="eusc-de-east-1")
    assert "eusc-de-east-1 has one only for x86_64" in fault


def test_a_missing_region_is_a_fault() -> None:
    (fault,) = faults(VALID, region="")
    assert fault == (
        "aws:region is not set; set it to the region to deploy to, such as us-east-1; fix it in Pulumi.test.yaml"
    )


def test_all_faults_are_reported_at_once() -> None:
    found = faults(
        {
            "secrets": {"database": DATABASE, "b c": {"from": "vault"}, "d": {"from": "config"}},
            "function": {"memoryMb": 1, "secret": "none"},
            "extension": {"secretsTtlSeconds": 301},
            "tags": {"aws:x": "y"},
            "typo": 1,
        },
        region="",
    )
    for part in (
        "secrets.b c.from",
        "function.memoryMb",
        "extension.secretsTtlSeconds",
        "typo is an unknown key",
        "secretValues.d is not set",
        "tags.aws:x",
        "aws:region",
    ):
        assert sum(part in each for each in found) == 1, part


@pytest.mark.parametrize(
    "field",
    [
        *("password", "dbPassword", "passwords", "passwd", "pwd", "passwordHash", "passphrase"),
        *("apiKey", "api_key", "accessKey", "secret_access_key", "signingKey", "private_key"),
        *("authToken", "clientSecret", "credentials", "dsn", "connectionString"),
    ],
)
def test_sensitive_text_in_plain_fields_is_refused_and_not_shown(field: str) -> None:
    (fault,) = faults({"secrets": {"database": {"fields": {field: CANARY}}}})
    assert f"secrets.database.fields.{field} appears to contain a secret in plain text" in fault
    assert CANARY not in fault


def test_a_password_of_digits_is_one_all_the_same() -> None:
    (fault,) = faults({"secrets": {"database": {"fields": {"password": 12345678}}}})
    assert "appears to contain a secret in plain text" in fault
    assert "12345678" not in fault


def test_credentials_in_a_url_are_refused_whatever_the_field() -> None:
    fields = {"endpoint": f"postgres://user:{CANARY}@host/db"}
    (fault,) = faults({"secrets": {"database": {"fields": fields}}})
    assert "fields.endpoint appears to contain a secret in plain text" in fault
    assert CANARY not in fault


@pytest.mark.parametrize("key", ["secrets", "function", "tags"])
def test_nothing_but_secret_values_may_be_encrypted(key: str) -> None:
    """Decrypted for the program, it would stand in the state in plain."""
    keys = {**VALID, key: {"database": {"from": CANARY}}}
    found = faults(keys, secret_keys=(f"{PROJECT}:{key}",))
    assert (
        sum(
            "is encrypted, at least in part; only secretValues may be encrypted" in f
            for f in found
        )
        == 1
    )
    assert CANARY not in "".join(found)


def test_a_key_is_not_deleted_before_the_secrets_it_restores() -> None:
    keys = {**VALID, "recoveryWindowDays": 7, "key": {"deletionWindowDays": 7}}
    assert read(keys)
    keys["secrets"] = {"database": {**DATABASE, "recoveryWindowDays": 8}}
    (fault,) = faults(keys)
    told = (
        "must be at least 8, the value of secrets.database.recoveryWindowDays, so that a restored"
    )
    assert f"key.deletionWindowDays {told}" in fault


def test_a_window_that_is_wrong_by_itself_is_no_default_that_the_key_is_too_short_for() -> None:
    keys = {**VALID, "recoveryWindowDays": "", "key": {"deletionWindowDays": 7}}
    (fault,) = faults(keys)
    assert "recoveryWindowDays must be a whole number" in fault


def test_a_stack_name_that_the_keys_alias_cannot_hold_is_refused() -> None:
    (fault,) = faults(VALID, stack_name="pr.12")
    assert "stack 'pr.12' may contain only letters, digits, - and _" in fault


FORMS = {
    "an access key": "AKIAIOSFODNN7EXAMPLE",
    "temporary credentials": "id ASIAIOSFODNN7EXAMPLE",
    "a secret access key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl",
    "a PEM": "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
    "a JDBC URL": "jdbc:postgresql://h/db?user=a&password=hunter",
    "a connection string": "Server=h;User Id=u;Password=hunter;",
    "a DSN": "host=h user=u password=hunter",
    "Azure": "Endpoint=sb://x/;SharedAccessKey=abc",
    "a Slack webhook": "https://hooks.slack.com/services/T0/B0/abc",
    "a Slack token": "xoxb-123456789012-abcdef",
    "Stripe": "sk_live_abcdefgh12345678",
    "GitHub": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "Google": "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "a sentence": "The password is hunter22, do not tell",
    "a sentence on a token": "Token: Tr0ub4dor-3x",
    "a secret access key by its name": "use aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY here",
    "a client secret": "client_secret=a1b2c3d4e5f6&scope=all",
    "an API key": "X-Api-Key=0123456789abcdef",
    "an API key in words": "API key = 0123456789abcdef",
    "a token in a URL": "https://example.com/hooks?token=abc123def456",
    "a variable": "DB_PASSWORD=hunter2",
    "a value in quotes": 'dbPassword="hunter"',
    "a URL": "postgres://app:hunter@db",
}
HARMLESS = (
    *("arn:aws:iam::123456789012:role/key", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "x" * 40),
    *("The password is generated", "Password: rotated weekly", "jdbc:postgresql://h/db?user=a"),
    *("host=h password=${PASSWORD}", "https://example.com/hooks", "passwords=0 of 3", "API key 3"),
    *("Signing key: ed25519", "The key is sha256-hashed", "Partition key: order_id2"),
    *("The password is sha256-hashed", "Password: SCRAM-SHA-256", "The token is base64 encoded"),
    *("postgres://app:${PASSWORD}@db", "postgres://app:<password>@db", "postgres://%s:%s@db"),
    *("password='${PASSWORD}'", "?reset_password=true&a=b", "OLDPWD=/var/task", "token=required"),
    *("client_secret=app/client-2026", f"password: {'_' * 99}!"),
    *("api_key=/app/prod/key1", "token=arn:aws:secretsmanager:us-east-1:123456789012:secret:a"),
)


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_secret_is_known_by_its_form_wherever_it_stands(text: str) -> None:
    secret = {**DATABASE, "fields": {**DATABASE["fields"], "note": text}, "description": text}
    plain = {"value": text, "description": text}
    found = faults(
        {
            "secrets": {"database": secret},
            "parameters": {"note": plain},
            "functions": {
                "reader": {
                    **APP,
                    "environment": {"NOTE": text},
                    "options": {"description": text},
                }
            },
            "tags": {"Note": text},
        }
    )
    told = [each for each in found if "appears to contain a secret in plain text" in each]
    assert sorted(each.split()[0].partition(":")[2] for each in told) == [
        "functions.reader.environment.NOTE",
        "functions.reader.options.description",
        "parameters.note.description",
        "parameters.note.value",
        "secrets.database.description",
        "secrets.database.fields.note",
        "tags.Note",
    ]
    assert text not in "".join(found)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_without_such_a_form_is_taken(text: str) -> None:
    secret = {**DATABASE, "fields": {**DATABASE["fields"], "note": text}, "description": text}
    assert read({"secrets": {"database": secret}, "parameters": {"note": {"value": text}}})


@pytest.mark.parametrize(("key", "value"), [("Password", "hunter"), ("api-key", "a1b2c3d4")])
def test_the_key_of_a_tag_says_what_its_value_is(key: str, value: str) -> None:
    (fault,) = faults({**VALID, "tags": {key: value}})
    assert f"tags.{key} appears to contain a secret in plain text (not shown); remove it" in fault
    assert value not in fault


@pytest.mark.parametrize(
    "key", ["Team", "SecretOwner", "PasswordPolicy", "Secret", "Token", "PasswordLess"]
)
def test_the_key_of_a_tag_may_sound_sensitive(key: str) -> None:
    assert read({**VALID, "tags": {key: "orders"}})


@pytest.mark.parametrize(
    "field",
    [
        *("pass", "dbPass", "DB_PASS", "user_pass", "accessKeyId"),
        *("api-key", "private-key", "connection-string"),
    ],
)
def test_more_names_of_secrets_are_refused(field: str) -> None:
    (fault,) = faults({"secrets": {"database": {"fields": {field: CANARY}}}})
    assert f"fields.{field} appears to contain a secret in plain text" in fault


@pytest.mark.parametrize(
    "field",
    ["passwordLength", "secretArn", "tokenUrl", "keyspace", "bypass", "compass", "passport"],
)
def test_fields_that_only_sound_sensitive_are_taken(field: str) -> None:
    assert read({"secrets": {"database": {"fields": {field: "x"}}}})


def test_values_that_are_not_encrypted_are_refused_and_not_shown() -> None:
    keys = {"secrets": {"database": {"from": "config"}}, "secretValues": {"database": CANARY}}
    (fault,) = faults(keys, secret_keys=())
    assert "secretValues is not encrypted; set each value again with" in fault
    assert CANARY not in fault


@pytest.mark.parametrize(
    "keys",
    [
        {**VALID, "secretValues": {"database": CANARY}},
        {**VALID, "secretValues": {CANARY + "-name": {"password": CANARY}}},
        {"secrets": {"database": {"from": "config"}}, "secretValues": {"database": [CANARY]}},
        {"secrets": {"database": {"fields": {"password": [CANARY]}}}},
        {"secrets": {"database": {"fields": {"password": CANARY}, "from": "x"}}},
        {"secrets": {"database": CANARY}},
        {"secrets": CANARY},
        {"secrets": {"database": {"generate": {"key": CANARY}}}},
        {"secrets": {"database": {"generate": {"key": {"length": CANARY}}}}},
        {"secrets": {"database": {"description": [CANARY]}}},
        {"secrets": {"database": {"fields": CANARY}}},
    ],
)
def test_no_fault_shows_a_value_that_may_be_secret(keys: dict[str, Any]) -> None:
    shown = "\n".join(faults(keys)).replace(CANARY + "-name", "")
    assert CANARY not in shown


def test_a_long_value_is_shown_in_part() -> None:
    (fault,) = faults({**VALID, "function": {"runtime": "x" * 500}})
    assert len(fault) < 250


def test_a_value_from_config_is_a_secret_output() -> None:
    keys: dict[str, dict[str, Any]] = {
        "secrets": {"database": {"from": "config"}, "text": {"from": "config"}},
        "secretValues": {"database": {"host": "h"}, "text": "t"},
    }
    config = {f"{PROJECT}:{key}": json.dumps(value) for key, value in keys.items()}
    stack = project.Stack(
        ROOT,
        PROJECT,
        "test",
        {**config, "aws:region": "us-east-1"},
        (f"{PROJECT}:secretValues",),
        (),
    )

    def export() -> None:
        environment = load()
        for name in keys["secrets"]:
            pulumi.export(name, secret_values.of_secret(name, environment.settings.secrets[name]))

    engine = BuiltInEngine(Recording())
    engine.run(stack, export)
    assert engine.outputs == {"database": '{"host": "h"}', "text": "t"}
    assert engine.secret_outputs == {"database", "text"}


def test_defaults_are_those_of_a_careful_environment() -> None:
    environment = read(VALID)
    settings = environment.settings
    assert settings.recovery_window_days == 30
    assert settings.extension.secrets_timeout_millis == 2000
    assert settings.function.tracing
    assert environment.name == f"{PROJECT}-test"
    assert environment.secret_prefix == f"{PROJECT}/test/"
    assert environment.log_group_prefix == f"/aws/lambda/{PROJECT}-test-"
    assert environment.partition == "aws"
    assert environment.layer_arn.startswith("arn:aws:lambda:us-east-1:177933569100:layer:")


def test_zero_is_a_value_and_not_a_missing_one() -> None:
    environment = read(
        {
            "secrets": {"database": {**DATABASE, "recoveryWindowDays": 0}, "other": DATABASE},
            "extension": {"secretsTtlSeconds": 0},
            "function": {"reservedConcurrency": 0},
        }
    )
    assert environment.recovery_window_in_days("database") == 0
    assert environment.recovery_window_in_days("other") == 30
    assert environment.settings.extension.secrets_ttl_seconds == 0
    assert environment.settings.function.reserved_concurrency == 0


def test_a_layer_of_ones_own_account_is_taken() -> None:
    arn = "arn:aws:lambda:us-east-1:999999999999:layer:my-copy:3"
    assert read({**VALID, "extension": {"layerArn": arn}}).layer_arn == arn
