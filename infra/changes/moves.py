"""Rejects a new project name, stack name or region, which would replace every secret.

Pure: no Pulumi, no boto3. The names of secrets and parameters contain project and stack, and
Pulumi replaces a resource whose name or region changes: it creates a new one, without the value,
and deletes the old one.
"""

import re
from collections.abc import Iterator

from ..config.errors import ConfigError
from ..config.schema import Settings
from ..names import Names
from . import commands
from .recorded import Recorded

_PAGE = 'To move an environment, see "Rename an environment" in docs/operations.md.'


def errors(
    settings: Settings, names: Names, region: str, organization: str, state: Recorded
) -> Iterator[ConfigError]:
    """Yield an error with the previous name or region, and how to go back to it.

    `organization` is the stack's organization in Pulumi's backend.
    """
    ours = {
        name: secret
        for name, secret in state.secrets.items()
        if name in settings.own_secrets or secret.full_name == secret.prefix + name
    }
    prefixes = {secret.full_name.removesuffix(name) for name, secret in ours.items()}
    parameters = {each.full_name for each in state.parameters.values()} | {*state.generated}
    for prefix in sorted(prefixes - {names.secret_prefix}):
        if not re.fullmatch("[^/]+/[^/]+/", prefix):
            continue  # not a name that this program gave
        old = Names(*prefix.split("/")[:2])
        counts = (
            sum(each.full_name.startswith(prefix) for each in ours.values()),
            sum(each.startswith(old.parameter_prefix) for each in parameters),
        )
        text = (
            f"and parameters were deployed under {prefix} (secrets: {counts[0]}, parameters:"
            f" {counts[1]}). This deployment would delete them and create new ones under"
            f" {names.secret_prefix}, without their values. {_go_back(old, names, organization)}"
        )
        yield ConfigError("secrets", f"{text}\n{_PAGE}")
    for was in sorted({secret.arn.split(":")[3] for secret in ours.values()} - {region}):
        text = (
            f"and parameters are in {was}. This deployment would delete them and create new ones"
            f" in {region}, without their values. "
        )
        back = f"pulumi config set aws:region {was} -s {names.stack}"
        yield ConfigError(
            "secrets", f"{text}{commands.listed('To keep them, go back:', back)}\n{_PAGE}"
        )


def _go_back(old: Names, new: Names, organization: str) -> str:
    if old.project == new.project:
        rename = f"pulumi stack rename {old.stack} -s {new.stack}"
        return commands.listed("To keep them, give the stack its old name back:", rename)
    path = f"{organization}/{{0.project}}/{{0.stack}}".format
    return commands.listed(
        "To keep them, give the project its old name back: run this command, then change the name"
        " in Pulumi.yaml and in the stack files:",
        f"pulumi stack rename {path(old)} -s {path(new)}",
    )
