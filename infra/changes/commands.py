"""Command lines for errors to recommend. Pure: no Pulumi, no boto3."""


def listed(why: str, *lines: str) -> str:
    """Return command lines under a line that says what they are for."""
    return "\n  ".join([why, *lines])


def deploy(stack: str) -> str:
    """Deploy."""
    return f"pulumi up -s {stack}"


def set_value(key: str, stack: str) -> str:
    """Set a key of `secretValues` to standard input."""
    return f"pulumi config set --secret --path 'secretValues[\"{key}\"]' -s {stack}"


def exempt(rule: str, stack: str, *, strict: bool) -> str:
    """Add an exemption from a rule for today, with placeholders for reason and owner.

    Only `protection: strict` asks for more than a reason.
    """
    key, reason = f'exemptions["{rule}"]', "Why it is no longer needed"
    if not strict:
        return f"pulumi config set --path '{key}' '{reason}' -s {stack}"
    return (
        f"pulumi config set-all --path --plaintext '{key}.reason={reason}'"
        f" --plaintext '{key}.owner=Who decides' --plaintext '{key}.expires='$(date -u +%F)"
        f" -s {stack}"
    )


def take_over(type_: str, name: str, id_: str, parent: str, stack: str) -> str:
    """Import an existing resource as one of the program; `parent` is a URN."""
    return (
        f"pulumi import {type_} '{name}' '{id_}' --parent 'parent={parent}'"
        f" --protect=false --generate-code=false -s {stack}"
    )


def read_secret(secret: str) -> str:
    """Print a secret's current text."""
    return (
        f"aws secretsmanager get-secret-value --secret-id {secret} --query SecretString"
        " --output text"
    )


def write_secret(secret: str) -> str:
    """Store standard input as a secret's new version."""
    return f"aws secretsmanager put-secret-value --secret-id {secret} --secret-string file:///dev/stdin"


def read_parameter(name: str) -> str:
    """Print a parameter's value."""
    return (
        f"aws ssm get-parameter --name {name} --with-decryption --query Parameter.Value"
        " --output text"
    )
