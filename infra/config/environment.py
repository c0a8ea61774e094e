"""The environment of a stack: its settings, and what follows from them. Nothing is read here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.aws import layers, limits
from infra.aws.place import Place
from infra.config.rules import guardrails
from infra.config.rules.tags import OWN_TAGS
from infra.config.schema import ParameterSettings, RotationSettings, SecretSettings, Settings
from infra.names import Names

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """One stack: where it is, and its settings."""

    project: str
    stack: str
    region: str
    settings: Settings

    @property
    def name(self) -> str:
        """`project-stack`, for names that know no slash."""
        return f"{self.project}-{self.stack}"

    @property
    def names(self) -> Names:
        """Names and URNs of the stack's secrets and parameters."""
        return Names(self.project, self.stack)

    @property
    def secret_prefix(self) -> str:
        """What every secret's full name starts with."""
        return self.names.secret_prefix

    @property
    def parameter_prefix(self) -> str:
        """What every parameter's full name starts with."""
        return self.names.parameter_prefix

    @property
    def layer_arn(self) -> str:
        """ARN of the extension's layer version."""
        return self.settings.extension.layer_arn or layers.extension_layer_arn(
            self.region, self.settings.function.architecture
        )

    @property
    def partition(self) -> str:
        """Partition of the region, such as `aws`."""
        return Place.of(self.layer_arn).partition

    @property
    def log_group_prefix(self) -> str:
        """What every log group's name starts with."""
        return f"/aws/lambda/{self.name}-"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything: who made it, and those of config."""
        own = zip(OWN_TAGS, (self.project, self.stack), strict=True)
        return {**dict(own), **self.settings.tags}

    def extension_args(self) -> dict[str, Any]:
        """Arguments of the extension; it keeps a value half of the time it may be stale."""
        extension = self.settings.extension
        half = min(limits.TTL_SECONDS.most, self.settings.max_staleness_seconds // 2)
        return {
            name: half if value is None else value
            for name, value in extension.model_dump(exclude={"layer_arn"}).items()
        }

    def extension_cache_seconds(self) -> int:
        """Seconds that the extension keeps a secret; 0 if it keeps nothing."""
        return self.extension_args()["secrets_ttl_seconds"] if self._extension_keeps else 0

    def client_cache_seconds(self) -> int:
        """Seconds that are left to the client's own cache."""
        args = self.extension_args()
        ttl = max(args["secrets_ttl_seconds"], args["parameters_ttl_seconds"])
        return self.settings.max_staleness_seconds - (ttl if self._extension_keeps else 0)

    @property
    def _extension_keeps(self) -> bool:
        extension = self.settings.extension
        return extension.cache_enabled and extension.cache_size > 0

    def seeds(self) -> dict[str, SecretSettings]:
        """Secrets of `from: generate`, by logical name."""
        secrets = self.settings.secrets.items()
        return {name: secret for name, secret in secrets if secret.source == "generate"}

    def parameter_seeds(self) -> dict[str, ParameterSettings]:
        """Parameters whose value is made inside AWS, by logical name."""
        parameters = self.settings.parameters.items()
        return {
            name: parameter
            for name, parameter in parameters
            if parameter.secure and parameter.source == "generate"
        }

    @property
    def has_secure_parameters(self) -> bool:
        """Whether Parameter Store encrypts anything."""
        return any(parameter.secure for parameter in self.settings.parameters.values())

    @property
    def rotations(self) -> dict[str, RotationSettings]:
        """How secrets are rotated, by logical name; of those that are."""
        secrets = self.settings.secrets.items()
        return {name: secret.rotation for name, secret in secrets if secret.rotation}

    @property
    def readable(self) -> list[str]:
        """Logical names of the secrets that the function may read: no administrator's."""
        administrators = {rotation.admin_secret for rotation in self.rotations.values()}
        return [name for name in self.settings.secrets if name not in administrators]

    @property
    def ca_bundle(self) -> Path:
        """PEM file of who signs the databases' certificates."""
        return ROOT / (self.settings.database.ca_bundle or "handler/rds-ca-bundle.pem")

    def protects(self, exemption: str) -> bool:
        """Whether Pulumi is to refuse a deletion that this key of `exemptions` would allow."""
        return guardrails.protects(self.settings, exemption)

    def recovery_window_in_days(self, secret: str) -> int:
        """Days in which the secret can be restored after it was deleted."""
        own = self.settings.secrets[secret].recovery_window_days
        return self.settings.recovery_window_days if own is None else own
