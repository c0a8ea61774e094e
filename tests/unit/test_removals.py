# ruff: noqa: E501 (a table reads by its rows)
"""What would be deleted that holds data, and what is asked for first."""

from typing import Any

import pytest

from infra.changes.removals import errors, forgotten
from infra.config.schema import Settings
from tests.recording import EXEMPTION
from tests.states import CANARY, NAMES, Resources, parameter, recorded, resource, secret, trail

KEPT = {"secrets": {"kept": {"from": "external"}}}


def faults(state: Resources, **config: Any) -> list[tuple[str, str]]:
    settings = Settings.model_validate({**KEPT, **config})
    found = errors(settings, NAMES, recorded(secret("kept"), state))
    return [(each.path, each.message) for each in found]


REMOVED = [
    (secret("gone"), "secrets.gone", "delete app/dev/gone; it could be restored for 30 days. ", "protect.gone"),
    (secret("gone", days=0), "secrets.gone", "delete app/dev/gone and its value permanently. ", "protect.gone"),
    (parameter("gone"), "parameters.gone", "delete /app/dev/gone and its value permanently. ", "protectParameters.gone"),
    (parameter("gone", "SecureString"), "parameters.gone", "delete /app/dev/gone and its value permanently. ", "protectParameters.gone"),
    (trail(), "audit.trail", "delete the log group /aws/cloudtrail/app-dev and its records. ", "protectAudit"),
]  # fmt: skip


@pytest.mark.parametrize("level", ["relaxed", "standard", "strict"])
@pytest.mark.parametrize(("state", "path", "loss", "key"), REMOVED)
def test_what_leaves_the_config_is_refused_at_every_level_until_its_deletion_is_asked_for(
    state: Resources, path: str, loss: str, key: str, level: str
) -> None:
    ((found, text),) = faults(state, protection=level)
    assert (found, loss in text, CANARY in text) == (path, True, False)
    end, command = (".reason=", "set-all") if level == "strict" else ("' '", "set")
    assert f"""pulumi config {command} --path""" in text
    assert f"""'exemptions["{key}"]{end}Why """ in text
    assert ("put it back into the config, and run this" in text) == (level == "strict")
    assert faults(state, protection=level, exemptions={key: EXEMPTION}) == []
    for other in ("protect", "protect.other", "protectKeys"):
        assert faults(state, protection=level, exemptions={other: EXEMPTION})


@pytest.mark.parametrize(
    ("state", "config"),
    [
        (secret("x"), {"secrets": {**KEPT["secrets"], "x": {"from": "external"}}}),
        (parameter("x"), {"parameters": {"x": {"value": "v"}}}),
        (trail(), {"audit": {"trail": "own"}}),
        # Made under a name of its own, by a program that was extended.
        (resource("AppSecret", "aws:secretsmanager/secret:Secret", "own-secret", arn="a:b:c:us-east-1", name="shared/own"), {}),
        (resource("", "aws:secretsmanager/secret:Secret", "own", arn="a:b:c:us-east-1", name="app/dev/own"), {}),
        (resource("", "aws:ssm/parameter:Parameter", "own", arn="a", name="/app/dev/own", type="String"), {}),
    ],
)  # fmt: skip
def test_what_stays_or_is_somebody_elses_passes(state: Resources, config: dict[str, Any]) -> None:
    assert faults(state, **config) == []


def test_a_secret_that_was_imported_beside_its_component_is_refused() -> None:
    stray = resource("", "aws:secretsmanager/secret:Secret", "kept-secret", name="app/dev/kept")
    (urn,) = stray
    ((path, text),) = faults(stray)
    assert path == "secrets.kept"
    assert "this deployment would delete app/dev/kept" in text
    assert f"\n  pulumi state delete '{urn}' --force -s dev" in text


@pytest.mark.parametrize(
    ("exemption", "is_forgotten"),
    [
        ("protect.gone", True),
        ("protectParameters.gone", True),
        ("protectParameters.kept", True),
        ("protect.kept", False),
        ("protect.leaves", False),
        ("protectParameters.leaves", False),
        ("protect", False),
        ("protectKeys", False),
        ("rotation.kept", False),
    ],
)
def test_an_exemption_of_what_is_gone_is_forgotten(exemption: str, is_forgotten: bool) -> None:  # noqa: FBT001 (parametrized)
    settings = Settings.model_validate({**KEPT, "exemptions": {exemption: EXEMPTION}})
    state = recorded(secret("kept"), secret("leaves"), parameter("leaves"))
    assert list(forgotten(settings, state)) == ([exemption] if is_forgotten else [])
