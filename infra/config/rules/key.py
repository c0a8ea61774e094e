"""What `key` must satisfy beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator

from ..errors import ConfigError
from ..schema import Settings


def errors(settings: Settings) -> Iterator[ConfigError]:
    """Reject a key that could be deleted while a deleted secret can still be restored."""
    windows = {"recoveryWindowDays": settings.recovery_window_days} | {
        f"secrets.{name}.recoveryWindowDays": secret.recovery_window_days or 0
        for name, secret in settings.own_secrets.items()
    }
    longest = max(windows, key=windows.__getitem__)
    if settings.key.deletion_window_days < windows[longest]:
        rule = f"must be at least {windows[longest]}, the value of {longest}"
        why = "so that a restored secret can be decrypted"
        got = settings.key.deletion_window_days
        yield ConfigError("key.deletionWindowDays", f"{rule}, {why}, got {got}", (longest,))
