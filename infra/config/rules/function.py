"""What `function` and `extension` must keep to beyond each key by itself.

Pure: no Pulumi, no boto3.
"""

from collections.abc import Collection, Iterator

from pydantic.alias_generators import to_camel

from infra.aws import layers
from infra.config.errors import ConfigError
from infra.config.schema import Settings


def errors(
    settings: Settings, region: str, secret_names: Collection[str]
) -> Iterator[ConfigError]:
    """Say which rules are broken.

    `region` is the stack's own, or nothing; `secret_names` are all, also of wrong ones.
    """
    yield from _secret(settings, secret_names)
    yield from _extension(settings)
    yield from _layer(settings, region)


def _secret(settings: Settings, secret_names: Collection[str]) -> Iterator[ConfigError]:
    secret = settings.function.secret
    if secret_names and secret not in secret_names:
        names = ", ".join(sorted(secret_names))
        yield ConfigError("function.secret", f"must be one of {names}, got {secret!r}")
    rotations = (each.rotation for each in settings.secrets.values())
    if any(rotation and rotation.admin_secret == secret for rotation in rotations):
        rule = "is an administrator's, which no function reads"
        yield ConfigError("function.secret", f"{rule}; name another")


def _extension(settings: Settings) -> Iterator[ConfigError]:
    extension, timeout = settings.extension, settings.function.timeout_seconds
    for name in ("secrets_timeout_millis", "parameters_timeout_millis"):
        millis = getattr(extension, name)
        if millis >= timeout * 1000:
            rule = f"must be less than function.timeoutSeconds ({timeout} s)"
            yield ConfigError(f"extension.{to_camel(name)}", f"{rule}, got {millis}")
    staleness = settings.max_staleness_seconds
    for name in ("secrets_ttl_seconds", "parameters_ttl_seconds"):
        seconds = getattr(extension, name)
        if seconds is not None and seconds > staleness:
            rule = f"must not be more than maxStalenessSeconds ({staleness})"
            yield ConfigError(f"extension.{to_camel(name)}", f"{rule}, got {seconds}")


def _layer(settings: Settings, region: str) -> Iterator[ConfigError]:
    architecture, arn = settings.function.architecture, settings.extension.layer_arn
    if arn is not None:
        for error in layers.layer_arn_faults(arn, region, architecture):
            yield ConfigError("extension.layerArn", f"{error}, got {arn!r}")
    elif region:
        try:
            layers.extension_layer_arn(region, architecture)
        except LookupError as error:
            message = f"is not set, and there is {error.args[0]}"
            yield ConfigError("extension.layerArn", message)
