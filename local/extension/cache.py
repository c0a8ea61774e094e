"""Answers kept in the extension's memory: least recently used out first, each until it expires.

No refresh ahead of expiry and none on demand: the extension offers neither.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Cache:
    """At most `size` entries, secrets and parameters together; 0 keeps nothing.

    Safe for many threads. `clock` gives seconds that never go back.
    """

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """Return what was put under `key`, unless it has expired or had to make room."""
        with self._lock:
            expiry, body = self._entries.get(key, (0.0, None))
            if body is None:
                return None
            if self._clock() >= expiry:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return body

    def put(self, key: Hashable, body: bytes, ttl_seconds: float) -> None:
        """Keep `body` for `ttl_seconds`; 0 does not keep it."""
        if not (self._size and ttl_seconds):
            return
        with self._lock:
            self._entries[key] = self._clock() + ttl_seconds, body
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
