"""Creates the resources that a stack's config names but does not create.

They belong to others, so the embedded AWS starts without them. Each ARN in the config is replaced
by that of a resource created for the run, so that a stack file runs here unchanged. Resources of
other accounts are created in this one.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.aws import ACCOUNT_ID, EmbeddedAws
from local.config.project import Stack, placeholder
from local.databases import stack as databases
from local.databases.postgres import PostgreSQL

_MANAGED_BY_AWS = "arn:aws:iam::aws:policy/"
_SUFFIX = len("-AbCdEf")
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
# Needs no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_NOTHING = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}


class ExternalResources:
    """Creates each resource once, and keeps a note of each."""

    def __init__(self, aws: EmbeddedAws, region: str) -> None:
        self._aws, self._region = aws, region
        self._made: dict[tuple[str, str], str] = {}
        self.notes: list[str] = []

    def __call__(self, path: str, arn: str, what: str, make: Callable[[str], str]) -> str:
        """Return the ARN of the resource that replaces the one at a path of the config."""
        if (arn, what) not in self._made:
            self._made[arn, what] = make(arn)
        self.notes.append(f"{path}: {arn} does not exist here; {what} is used instead")
        return self._made[arn, what]

    def boundary(self, path: str, arn: str) -> str:
        """Create a boundary that allows everything: what the real one allows is unknown."""
        return self(path, arn, "a policy that allows everything", self._policy(_EVERYTHING))

    def managed_policy(self, path: str, arn: str) -> str:
        """Create a policy that allows nothing, unless it is AWS managed and exists here."""
        iam = self._aws.client("iam", self._region)
        if arn.startswith(_MANAGED_BY_AWS):
            try:
                return str(iam.get_policy(PolicyArn=arn)["Policy"]["Arn"])
            except iam.exceptions.NoSuchEntityException:
                pass  # the embedded AWS has only some of them
        return self(path, arn, "a policy that allows nothing", self._policy(_NOTHING))

    def role(self, path: str, arn: str) -> str:
        """Create a role in this account without permissions."""
        iam = self._aws.client("iam", self._region)
        principal = {"AWS": ACCOUNT_ID, "Service": "lambda.amazonaws.com"}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})

        def make(arn: str) -> str:
            owner, name = arn.split(":")[4], arn.rpartition("/")[2]
            made = iam.create_role(
                RoleName=f"{name[:51]}-{owner}", AssumeRolePolicyDocument=document
            )
            return str(made["Role"]["Arn"])

        return self(path, arn, "a role in this account", make)

    def key(self, path: str, arn: str) -> str:
        """Create a KMS key in the same region."""
        return self(path, arn, "a key", lambda arn: _key(self._aws, _region(arn)))

    def dead_letters(self, path: str, arn: str) -> str:
        """Create a queue or a topic."""
        if arn.split(":")[2] == "sns":
            return self(path, arn, "a topic", self._topic)
        return self(path, arn, "a queue", self._queue)

    def secret(self, path: str, arn: str, key_arn: str | None, value: str) -> str:
        """Create a secret with a value in the same region."""
        client = self._aws.client("secretsmanager", _region(arn))
        key = {"KmsKeyId": key_arn} if key_arn else {}

        def make(arn: str) -> str:
            name = arn.split(":", 6)[6][:-_SUFFIX].replace("!", "-")
            return str(client.create_secret(Name=name, SecretString=value, **key)["ARN"])

        return self(path, arn, "a secret with a generated value", make)

    def _policy(self, statement: Mapping[str, str]) -> Callable[[str], str]:
        iam = self._aws.client("iam", self._region)
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        allows = "everything" if statement is _EVERYTHING else "nothing"

        def make(arn: str) -> str:
            name = f"{arn.rpartition('/')[2]}-{allows}"
            return str(
                iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
            )

        return make

    def _queue(self, arn: str) -> str:
        client = self._aws.client("sqs", self._region)
        name = arn.rpartition(":")[2]
        fifo = {"Attributes": {"FifoQueue": "true"}} if name.endswith(".fifo") else {}
        url = client.create_queue(QueueName=name, **fifo)["QueueUrl"]
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def _topic(self, arn: str) -> str:
        name = arn.rpartition(":")[2]
        return str(self._aws.client("sns", self._region).create_topic(Name=name)["TopicArn"])


def with_external_resources(
    stack: Stack, aws: EmbeddedAws, server: PostgreSQL | None
) -> tuple[Stack, list[str]]:
    """Create the resources; return the stack with their ARNs, and a note for each.

    An existing secret that logs in to a database gets the address of `server`.
    """
    make = ExternalResources(aws, stack.region)
    changed: dict[str, object] = {
        "secrets": _secrets(stack, make, server),
        "readers": _readers(stack, make),
        "roles": _role("roles", stack.section("roles"), make),
        "functions": {
            name: _function(f"functions.{name}", function, make)
            for name, function in stack.section("functions").items()
        },
    }
    if not make.notes:
        return stack, []
    return stack.changed(**{key: value for key, value in changed.items() if value}), make.notes


def secrets_in_this_account(stack: Stack) -> dict[str, Any]:
    """Return `secrets` with those of the deployer's account moved to this one; empty if none."""
    secrets, moved = stack.section("secrets"), False
    for name, secret in secrets.items():
        if isinstance(secret, dict) and secret.get("existing") and not secret.get("keyArn"):
            parts = str(secret["existing"]).split(":", 5)
            if len(parts) == len(("arn", "partition", "service", "region", "account", "secret")):
                parts[4] = ACCOUNT_ID
                secrets[name], moved = {**secret, "existing": ":".join(parts)}, True
    return secrets if moved else {}


def _secrets(stack: Stack, make: ExternalResources, server: PostgreSQL | None) -> dict[str, Any]:
    made, logging_in = stack.section("secrets"), databases.login_secrets(stack)
    for name, secret in made.items():
        if not isinstance(secret, dict) or not (arn := secret.get("existing")):
            continue
        path, value = f"secrets.{name}", json.loads(placeholder())
        if server and name in logging_in:
            value |= {"host": server.host, "port": server.port}
        key = secret.get("keyArn")
        key = make.key(f"{path}.keyArn", key) if key else None
        existing = make.secret(f"{path}.existing", arn, key, json.dumps(value))
        made[name] = {**secret, "existing": existing, **({"keyArn": key} if key else {})}
    return made


def _readers(stack: Stack, make: ExternalResources) -> dict[str, Any]:
    return {
        name: {**reader, "role": make.role(f"readers.{name}.role", reader["role"])}
        for name, reader in stack.section("readers").items()
    }


def _role(path: str, role: Mapping[str, Any], make: ExternalResources) -> dict[str, Any]:
    made = dict(role)
    if boundary := role.get("permissionsBoundary"):
        made["permissionsBoundary"] = make.boundary(f"{path}.permissionsBoundary", boundary)
    if policies := role.get("policyArns"):
        made["policyArns"] = [
            make.managed_policy(f"{path}.policyArns", policy) for policy in policies
        ]
    return made


def _function(path: str, function: Mapping[str, Any], make: ExternalResources) -> dict[str, Any]:
    made = dict(function)
    if role := function.get("role"):
        made["role"] = _role(f"{path}.role", role, make)
    if key := function.get("environmentKey"):
        made["environmentKey"] = make.key(f"{path}.environmentKey", key)
    if queue := function.get("deadLetterQueue"):
        made["deadLetterQueue"] = make.dead_letters(f"{path}.deadLetterQueue", queue)
    for layer in function.get("layers", ()):
        make.notes.append(f"{path}.layers: {layer} is an empty layer here; imports from it fail")
    if config := function.get("codeSigningConfigArn"):
        make.notes.append(
            f"{path}.codeSigningConfigArn: {config} does not exist here; no signature is checked"
        )
    return made


def _key(aws: EmbeddedAws, region: str) -> str:
    return str(aws.client("kms", region).create_key()["KeyMetadata"]["Arn"])


def _region(arn: str) -> str:
    return arn.split(":")[3]
