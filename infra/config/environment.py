"""The environment of a stack: its settings, and what follows from them. It reads nothing."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .. import own_files
from ..aws import rds_certificates
from ..aws.location import Location
from ..names import Names
from . import functions
from .code import Packages
from .functions import AppFunction, InternalFunction
from .rules import guardrails
from .rules.tags import OWN_TAGS
from .schema import ParameterSettings, RotationSettings, SecretSettings, Settings


@dataclass(frozen=True)
class Environment:
    """One stack, with its region and settings."""

    project: str
    stack: str
    region: str
    settings: Settings
    packages: Packages
    """Contents of each function's package, except an example's."""
    today: str
    """The date of the deployment (UTC)."""
    allowed_accounts: tuple[str, ...] = ()
    """Accounts to deploy to; empty: any."""

    @property
    def name(self) -> str:
        """`project-stack`, for names without slashes."""
        return f"{self.project}-{self.stack}"

    @property
    def names(self) -> Names:
        """Names and URNs of the stack's secrets and parameters."""
        return Names(self.project, self.stack)

    @property
    def secret_prefix(self) -> str:
        """Prefix of the full names of all secrets."""
        return self.names.secret_prefix

    @property
    def parameter_prefix(self) -> str:
        """Prefix of the full names of all parameters."""
        return self.names.parameter_prefix

    @property
    def layer_arn(self) -> str:
        """ARN of the extension's layer version, for the first function."""
        function = self.first_function or next(iter(self.functions.values()))
        return function.layer_arn(self.region)

    @cached_property
    def functions(self) -> dict[str, AppFunction]:
        """The functions that read secrets, by logical name."""
        return functions.functions(self.settings)

    @property
    def first_function(self) -> AppFunction | None:
        """The function of `function`, or the one that replaces it, if there is one."""
        return functions.first(self.functions)

    @property
    def internal_functions(self) -> InternalFunction:
        """Runtime settings of the internal functions, which seed, rotate and watch."""
        return functions.internal_functions(self.settings)

    @property
    def partition(self) -> str:
        """Partition of the region, such as `aws`."""
        return Location.of(self.layer_arn).partition

    @property
    def log_group_prefix(self) -> str:
        """Prefix of the names of all functions' log groups."""
        return self.names.log_group_prefix

    @property
    def tags(self) -> dict[str, str]:
        """Tags of all resources: project and stack, and those of the config."""
        own = zip(OWN_TAGS, (self.project, self.stack), strict=True)
        return {**dict(own), **self.settings.tags}

    def seeds(self) -> dict[str, SecretSettings]:
        """Secrets with `from: generate`, by logical name."""
        secrets = self.settings.own_secrets.items()
        return {name: secret for name, secret in secrets if secret.source == "generate"}

    def parameter_seeds(self) -> dict[str, ParameterSettings]:
        """Parameters whose value is generated inside AWS, by logical name."""
        parameters = self.settings.parameters.items()
        return {
            name: parameter
            for name, parameter in parameters
            if parameter.secure and parameter.source == "generate"
        }

    @property
    def has_secure_parameters(self) -> bool:
        """Whether there is a SecureString."""
        return any(parameter.secure for parameter in self.settings.parameters.values())

    @property
    def rotations(self) -> dict[str, RotationSettings]:
        """Rotation settings of the secrets that rotate, by logical name."""
        secrets = self.settings.own_secrets.items()
        return {name: secret.rotation for name, secret in secrets if secret.rotation}

    @property
    def ca_bundle(self) -> Path:
        """CA bundle (PEM file) for TLS to the databases."""
        own = self.settings.database.ca_bundle
        return rds_certificates.BUNDLE if own is None else own_files.PROJECT / own

    def watched_existing(self, account_id: str) -> list[str]:
        """ARNs of existing secrets that alarms watch: those in this account and region.

        Those with the stack's own prefix match the pattern of its secrets already.
        """
        return [
            arn
            for arn in self.settings.existing_arns(self.region)
            if Location.of(arn).account_id == account_id
            and f":secret:{self.secret_prefix}" not in arn
        ]

    def foreign_readers(self, account_id: str) -> dict[str, list[str]]:
        """ARN of a role of another account in `readers` -> full names of its secrets."""
        return {
            reader.role: [self.secret_prefix + name for name in reader.secrets]
            for reader in self.settings.readers.values()
            if Location.of(reader.role).account_id != account_id
        }

    def protects(self, exemption: str) -> bool:
        """Whether Pulumi protects from a deletion that this key of `exemptions` would allow."""
        return guardrails.protects(self.settings, exemption)

    def recovery_window_in_days(self, secret: str) -> int:
        """Days in which the deleted secret can be restored."""
        own = self.settings.secrets[secret].recovery_window_days
        return self.settings.recovery_window_days if own is None else own
