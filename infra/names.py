"""Names and URNs of a stack's resources. Pure: no Pulumi, no boto3."""

import hashlib
from typing import NamedTuple

_PREFIX_CHARACTERS = 32


class Names(NamedTuple):
    """Names of one stack."""

    project: str
    stack: str

    @property
    def namesakes(self) -> list["Names"]:
        """Other projects and stacks with the same `{project}-{stack}`, such as `a` and `b-c`."""
        parts = f"{self.project}-{self.stack}".split("-")
        splits = [
            Names("-".join(parts[:number]), "-".join(parts[number:]))
            for number in range(1, len(parts))
        ]
        return [each for each in splits if all(each) and each != self]

    @property
    def secret_prefix(self) -> str:
        """Prefix of the full names of all secrets."""
        return f"{self.project}/{self.stack}/"

    @property
    def parameter_prefix(self) -> str:
        """Prefix of the full names of all parameters."""
        return f"/{self.secret_prefix}"

    @property
    def physical_prefix(self) -> str:
        """Prefix of the names of roles and functions, at most 33 characters."""
        name = f"{self.project}-{self.stack}"
        if len(name) > _PREFIX_CHARACTERS:
            digest = hashlib.sha256(f"{self.project}/{self.stack}".encode()).hexdigest()[:7]
            name = f"{name[: _PREFIX_CHARACTERS - len(digest) - 1]}-{digest}"
        return f"{name}-"

    @property
    def key_alias(self) -> str:
        """Alias of the environment's key, with `alias/`."""
        return f"alias/{self.project}/{self.stack}"

    @property
    def audit_alias(self) -> str:
        """Alias of the key of the stack's own trail."""
        return f"{self.key_alias}-audit"

    @property
    def alarms_alias(self) -> str:
        """Alias of the key of the topic that alarms notify."""
        return f"{self.key_alias}-alarms"

    @property
    def log_group_prefix(self) -> str:
        """Prefix of the names of all functions' log groups."""
        return f"/aws/lambda/{self.project}-{self.stack}-"

    @property
    def trail_log_group(self) -> str:
        """Log group of the stack's own trail."""
        return f"/aws/cloudtrail/{self.project}-{self.stack}"

    def secret(self, name: str) -> str:
        """Return the full name of a secret."""
        return self.secret_prefix + name

    def parameter(self, name: str) -> str:
        """Return the full name of a parameter."""
        return self.parameter_prefix + name

    def component(self, type_: str, name: str) -> str:
        """Return the URN of a component without a parent."""
        return f"urn:pulumi:{self.stack}::{self.project}::lambda-secrets:index:{type_}::{name}"
