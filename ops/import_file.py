"""The file with which `pulumi import` takes over a stack's key and secrets.

https://www.pulumi.com/docs/iac/guides/migration/import/#bulk-import
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ops.stack import Stack

_KEY, _SECRET = "aws:kms/key:Key", "aws:secretsmanager/secret:Secret"
_PENDING_DELETION, _ENABLED = "PendingDeletion", "Enabled"

Resource = dict[str, Any]


class NotRestoredError(Exception):
    """Something is scheduled for deletion or disabled; each argument is a command that ends it."""


class Found(NamedTuple):
    """What AWS has of a stack and its state has not."""

    key_arn: str | None
    """The key of the secrets, unless the state has it."""
    secrets: dict[str, str]
    """Logical name -> ARN."""
    commands: list[str]
    """What restores and enables them."""

    def resources(self) -> list[Resource]:
        """Return the resources to import.

        Raises:
            NotRestoredError: something has to be restored first.

        """
        if self.commands:
            raise NotRestoredError(*self.commands)
        return [*self._key(), *self._secrets()]

    def _key(self) -> Iterator[Resource]:
        if self.key_arn is not None:
            id_ = self.key_arn.rpartition("/")[2]
            yield _component("EncryptionKey", "environment")
            yield _resource(_KEY, "environment-key", id_, "environment")

    def _secrets(self) -> Iterator[Resource]:
        for name, arn in self.secrets.items():
            yield _component("AppSecret", name)
            yield _resource(_SECRET, f"{name}-secret", arn, name)


def find(stack: Stack, secretsmanager: Any, kms: Any) -> Found:
    """Look for the secrets of the config, and for the key that they are encrypted with."""
    secrets, keys, commands = {}, set[str](), []
    for name in stack.secrets:
        if stack.has(_SECRET, f"{name}-secret"):
            continue
        try:
            described = secretsmanager.describe_secret(SecretId=stack.names.secret(name))
        except secretsmanager.exceptions.ResourceNotFoundException:
            continue  # `pulumi up` creates it
        secrets[name] = described["ARN"]
        if key := described.get("KmsKeyId"):
            keys.add(key)
        if "DeletedDate" in described:
            commands.append(
                f"aws secretsmanager restore-secret --secret-id {stack.names.secret(name)}"
            )
    before = [command for key in sorted(keys) for command in _restored(key, kms)]
    key = None if stack.has(_KEY, "environment-key") else min(keys, default=None)
    return Found(key, secrets, [*before, *commands])


def _restored(key_arn: str, kms: Any) -> Iterator[str]:
    """Yield the commands that make a key usable."""
    state = kms.describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"]
    if state == _PENDING_DELETION:
        yield f"aws kms cancel-key-deletion --key-id {key_arn}"
    if state != _ENABLED:
        yield f"aws kms enable-key --key-id {key_arn}"


def _component(type_: str, name: str) -> Resource:
    return {"type": f"lambda-secrets:index:{type_}", "name": name, "component": True}


def _resource(type_: str, name: str, id_: str, parent: str) -> Resource:
    return {"type": type_, "name": name, "id": id_, "parent": parent}
