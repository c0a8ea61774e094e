"""What alarms say: what happened, what to do, and a link to their heading in the runbook."""

import re

import pytest

from infra.alarms import incidents
from infra.aws.limits import ALARM_DESCRIPTION_LENGTH
from tests.recording import ROOT

URL = "https://git.example.com/team/repo/blob/main/docs/operations.md"
LOCATIONS = incidents.LogLocations("f", "a", "s", "k")


def slugs(page: str) -> set[str]:
    """Return what GitHub, GitLab and others make of a page's headings in links to them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


def test_every_alarm_says_what_to_do_within_what_cloudwatch_takes() -> None:
    locations = incidents.LogLocations("f" * 80, "a" * 80, "s" * 80, "k" * 80)
    for text in incidents.descriptions(locations).values():
        assert "aws " in text
        assert len(text) <= ALARM_DESCRIPTION_LENGTH


@pytest.mark.parametrize("runbook", [incidents.RUNBOOK, URL])
def test_every_alarm_ends_with_a_link_to_a_heading_of_the_runbook(runbook: str) -> None:
    headings = slugs((ROOT / "docs/operations.md").read_text(encoding="utf-8"))
    texts = incidents.descriptions(LOCATIONS._replace(runbook=runbook))
    linked = {"alarms": incidents.any_alarm(runbook), **texts}
    for heading, text in linked.items():
        assert text.endswith(f"\nRunbook: {runbook}#{heading}")
        assert heading in headings


def test_without_a_url_the_link_names_the_file() -> None:
    text = incidents.descriptions(LOCATIONS)["denied-reads"]
    assert text.endswith("\nRunbook: docs/operations.md#denied-reads")


def test_the_end_of_an_alarm_on_events_does_not_say_that_the_problem_is_fixed() -> None:
    texts = incidents.descriptions(LOCATIONS)
    events = {"rotation-failed", "denied-reads", "unknown-reader", "secret-deleted"}
    events |= {"policy-changed", "key-disabled", "audit-changed"}
    assert {name for name, text in texts.items() if "OK means" in text} == events


def test_the_key_that_was_disabled_is_named_by_the_trail_before_it_is_looked_at() -> None:
    text = incidents.descriptions(LOCATIONS)["key-disabled"]
    named, described = text.index('"ScheduleKeyDeletion"'), text.index("describe-key")
    assert named < described
    assert text[described:].startswith("describe-key --key-id ARN --region REGION")


def test_replicas_come_back_by_a_deployment_that_looks() -> None:
    texts = incidents.descriptions(LOCATIONS)
    for name in ("secret-deleted", "replicas-broken"):
        assert "pulumi up --refresh" in texts[name]
