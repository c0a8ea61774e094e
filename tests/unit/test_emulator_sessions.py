"""Sessions of functions' roles, which functions in other threads get at the same time."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

import time
from typing import Any

import pytest
from ministack.services import sts

from local.emulator.lambda_ import roles


class Slow(dict[str, Any]):
    """A session during whose inspection another thread adds one."""

    def get(self, key: str, default: Any = None) -> Any:
        sts._sessions[f"other-{len(sts._sessions)}"] = {}
        return super().get(key, default)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {
        "expired": {"Expiration": time.time() - 1},
        "slow": Slow(),
        "valid": {"Expiration": time.time() + 60},
        "endless": {},
    }
    monkeypatch.setattr(sts, "_sessions", found)
    return found


def test_sessions_expire_while_others_are_added(sessions: dict[str, Any]) -> None:
    roles.evict_sessions_in_any_thread(sts._evict_expired_sessions)
    assert {"slow", "valid", "endless"} < sessions.keys()
    assert "expired" not in sessions


@pytest.mark.usefixtures("sessions")
def test_ministack_s_own_fails() -> None:
    """Once it does not, the patch may go."""
    with pytest.raises(RuntimeError, match="changed size"):
        sts._evict_expired_sessions()
