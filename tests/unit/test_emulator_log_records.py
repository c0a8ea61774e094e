"""A log group that is deleted takes the time of its own events, not of all."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

import pytest
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch_logs

from local.emulator.logs import groups


class Unread(AccountRegionScopedDict):  # type: ignore[misc] # ministack is untyped
    """Records that are not looked through."""

    def items(self) -> None:
        raise AssertionError("it looks through the records of all groups")


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Unread:
    found = Unread()
    found["own"] = {"@log": "group"}
    found["other"] = {"@log": "other group"}
    events = [{"eventId": "own"}, {"message": "an event that no record is about"}]
    group = {"streams": {"stream": {"events": events}}}
    monkeypatch.setattr(cloudwatch_logs, "_log_records", found)
    monkeypatch.setattr(cloudwatch_logs, "_log_groups", {"group": group})
    return found


def test_only_the_records_of_its_own_events_are_looked_at(records: Unread) -> None:
    groups.forget_records_of_own_events(cloudwatch_logs._forget_log_records_for_group, "group")
    assert [*records] == ["other"]


@pytest.mark.usefixtures("records")
def test_ministack_s_own_looks_at_all() -> None:
    """Once it does not, the patch may go."""
    with pytest.raises(AssertionError, match="all groups"):
        cloudwatch_logs._forget_log_records_for_group("group")
