"""An LRU cache by size in bytes, some of whose entries can be pinned."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Any


class LruCache:
    """At most ``limit`` bytes of values; those that are held stay whatever the limit."""

    def __init__(self, limit: int):
        self.limit = limit
        self._items: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._held: set[Hashable] = set()
        self._lock = threading.Lock()

    def hold(self, keys: Iterable[Hashable]) -> None:
        """Keep these, and only these, whatever else comes."""
        with self._lock:
            self._held = set(keys)
            self._make_room(0)

    def get(self, key: Hashable) -> Any | None:
        with self._lock:
            if key not in self._items:
                return None
            self._items.move_to_end(key)
            return self._items[key][0]

    def put(self, key: Hashable, value: Any, n_bytes: int, *, displace: bool = True) -> bool:
        """Remember a value. displace: whether others may be forgotten for it. Returns whether it was kept."""
        with self._lock:
            self._items.pop(key, None)
            if not displace and key not in self._held and self._size() + n_bytes > self.limit:
                return False
            self._make_room(n_bytes)
            self._items[key] = value, n_bytes
            return True

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._items.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._items

    @property
    def n_bytes(self) -> int:
        with self._lock:
            return self._size()

    def _size(self) -> int:
        return sum(n for _, n in self._items.values())

    def _make_room(self, n_bytes: int) -> None:
        for key in [key for key in self._items if key not in self._held]:
            if self._size() + n_bytes <= self.limit:
                return
            del self._items[key]
