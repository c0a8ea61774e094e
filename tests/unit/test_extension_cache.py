"""The extension's cache, under a clock that the test moves."""

from __future__ import annotations

import pytest

from local.extension.cache import Cache


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_entry_is_served_until_its_time_to_live_is_over(clock: Clock) -> None:
    cache = Cache(10, clock)
    cache.put("a", b"value", 300)
    clock.now += 299.9
    assert cache.get("a") == b"value"
    clock.now += 0.1
    assert cache.get("a") is None


def test_being_read_does_not_prolong_an_entry(clock: Clock) -> None:
    cache = Cache(10, clock)
    cache.put("a", b"value", 10)
    for _ in range(9):
        clock.now += 1
        assert cache.get("a") == b"value"
    clock.now += 1
    assert cache.get("a") is None


def test_every_entry_has_its_own_time_to_live(clock: Clock) -> None:
    cache = Cache(10, clock)
    cache.put("secret", b"1", 5)
    cache.put("parameter", b"2", 50)
    clock.now += 10
    assert (cache.get("secret"), cache.get("parameter")) == (None, b"2")


def test_the_least_recently_used_entry_makes_room(clock: Clock) -> None:
    cache = Cache(2, clock)
    cache.put("a", b"1", 300)
    cache.put("b", b"2", 300)
    cache.get("a")
    cache.put("c", b"3", 300)
    assert [cache.get(key) for key in "abc"] == [b"1", None, b"3"]


def test_putting_an_entry_anew_evicts_no_other(clock: Clock) -> None:
    cache = Cache(2, clock)
    cache.put("a", b"1", 300)
    cache.put("b", b"2", 300)
    cache.put("a", b"3", 300)
    assert [cache.get(key) for key in "ab"] == [b"3", b"2"]


@pytest.mark.parametrize(("size", "ttl_seconds"), [(0, 300), (10, 0)])
def test_a_size_or_a_time_to_live_of_zero_keeps_nothing(size: int, ttl_seconds: int) -> None:
    cache = Cache(size)
    cache.put("a", b"1", ttl_seconds)
    assert cache.get("a") is None


def test_the_cache_does_not_show_what_it_holds() -> None:
    cache = Cache(10)
    cache.put("a", b"hunter2", 300)
    assert "hunter2" not in repr(cache)
