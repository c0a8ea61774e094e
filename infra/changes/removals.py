"""Rejects a deployment that would delete data, unless an exemption allows it.

Pure: no Pulumi, no boto3. A renamed secret or parameter is a new one: the old one is deleted, and
the new one starts without its value.
"""

from collections.abc import Iterator

from ..config.errors import ConfigError
from ..config.schema import Settings
from ..names import Names
from . import commands
from .recorded import Recorded


def errors(settings: Settings, names: Names, state: Recorded) -> Iterator[ConfigError]:
    """Yield an error for each deletion, with how to keep the data or to allow the deletion."""
    for path, key, text in _removed(settings, names, state):
        if key not in settings.exemptions:
            yield ConfigError(path, f"{text} {_asking(key, settings, names.stack)}")
    paths = {names.secret(name): f"secrets.{name}" for name in settings.own_secrets}
    paths |= {names.parameter(name): f"parameters.{name}" for name in settings.parameters}
    for urn, full_name in state.strays.items():
        if full_name in paths:
            text = (
                "is in the state twice, once as a resource that this program does not create."
                f" With that resource this deployment would delete {full_name}. Remove the"
                " resource from the state:"
            )
            drop = f"pulumi state delete '{urn}' --force -s {names.stack}"
            yield ConfigError(paths[full_name], commands.listed(text, drop))


def forgotten(settings: Settings, state: Recorded) -> Iterator[str]:
    """Yield exemptions for things that are gone: they would also allow later deletions."""
    there = {
        "protect": {*settings.own_secrets, *state.secrets},
        "protectParameters": {*settings.parameters, *state.parameters},
    }
    for key in settings.exemptions:
        rule, _, name = key.partition(".")
        if name and name not in there.get(rule, {name}):
            yield key


def _removed(settings: Settings, names: Names, state: Recorded) -> Iterator[tuple[str, str, str]]:
    """Yield each deletion: path in the config, exemption that allows it, and error text."""
    for name, secret in state.secrets.items():
        if name not in settings.own_secrets and secret.full_name == names.secret(name):
            days = secret.recovery_window_in_days
            cost = (
                f"; it could be restored for {days} days" if days else " and its value permanently"
            )
            yield f"secrets.{name}", f"protect.{name}", _gone(secret.full_name, cost)
    for name, parameter in state.parameters.items():
        if name not in settings.parameters and parameter.full_name == names.parameter(name):
            text = _gone(parameter.full_name, " and its value permanently")
            yield f"parameters.{name}", f"protectParameters.{name}", text
    if state.trail_log_group and settings.audit.trail != "own":
        text = (
            f"is no longer 'own', so this deployment would delete the log group"
            f" {state.trail_log_group} and its records. The trail's bucket and key stay in the"
            " account. To keep the log group, set it back to 'own'."
        )
        yield "audit.trail", "protectAudit", text


def _gone(full_name: str, cost: str) -> str:
    return (
        f"is no longer in the config, so this deployment would delete {full_name}{cost}. To keep"
        ' it, put it back; to rename it, see "Remove or rename" in docs/operations.md.'
    )


def _asking(key: str, settings: Settings, stack: str) -> str:
    how = (
        "To delete it, deploy twice. The second time, remove it from the config again and keep the"
        " exemption. The first time, put it back into the config, and run this, which only lifts"
        " the protection:"
        if settings.protection == "strict"
        else "To delete it, add this exemption:"
    )
    exempt = commands.exempt(key, stack, strict=settings.protection == "strict")
    return commands.listed(how, exempt, commands.deploy(stack))
