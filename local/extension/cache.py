"""The extension's cache of responses: each expires, and the least recently used is evicted first.

Like AWS's extension, it refreshes entries neither before they expire nor on demand.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Cache:
    """At most `size` entries, secrets and parameters together; 0 disables the cache.

    Safe for threads. `clock` returns monotonic seconds.
    """

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """Return the entry of `key`, unless it has expired or was evicted."""
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
        """Cache `body` for `ttl_seconds`; 0 does not cache it."""
        if not (self._size and ttl_seconds):
            return
        with self._lock:
            self._entries[key] = self._clock() + ttl_seconds, body
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
