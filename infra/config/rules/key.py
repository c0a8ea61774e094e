"""What `key` must satisfy beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator

from ..errors import ConfigError
from ..schema import Settings


def errors(settings: Settings) -> Iterator[ConfigError]:
    """Reject a key that could be deleted while a deleted secret can still be restored."""
    windows = [settings.recovery_window_days]
    windows += [secret.recovery_window_days or 0 for secret in settings.own_secrets.values()]
    if settings.key.deletion_window_days < max(windows):
        rule = f"must be at least {max(windows)}, so that a restored secret can be decrypted"
        got = settings.key.deletion_window_days
        yield ConfigError("key.deletionWindowDays", f"{rule}, got {got}")
