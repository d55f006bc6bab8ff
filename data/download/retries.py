"""How long a server is waited for, and how often it is asked again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from data.control import Control
from data.download.progress import Say
from data.errors import DrivAerError


@dataclass(frozen=True)
class Patience:
    """How long, in seconds, and how often.

    connect_s, read_s: after which silence counts as a lost connection. answer_s: the same for what a server has to look
    up first, such as a long listing. slowest: bytes a second that a connection has to bring over read_s.
    tries: in a row that bring nothing new; busy_tries where the server says that it is busy. first_wait_s: before the
    second try; each further wait is twice as long, up to longest_wait_s, and half of it by chance. longest_asked_s:
    that a server may ask for.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    answer_s: float = 90.0
    slowest: float = 100.0
    tries: int = 7
    busy_tries: int = 12
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    longest_asked_s: float = 900.0


class Trouble(Exception):
    """Something that may pass: what it was, how long the server asked to wait (s), whether it says that it is busy."""

    def __init__(self, what: str, asked_s: float | None = None, *, busy: bool = False):
        super().__init__(what)
        self.what = what
        self.asked_s = asked_s
        self.busy = busy


class StaysAway(DrivAerError):
    """A server that was asked often enough and brings nothing."""


class Retries:
    """Counts what goes wrong in a row, and waits in between."""

    def __init__(self, patience: Patience, control: Control, say: Say):
        self._patience = patience
        self._control = control
        self._say = say
        self._failed = 0

    def progressed(self) -> None:
        """Something new came: count from the beginning."""
        self._failed = 0

    def wait(self, trouble: Trouble, about: str) -> None:
        """Wait before the next try. Raises StaysAway where there is to be none, Cancelled."""
        patience = self._patience
        self._failed += 1
        if trouble.asked_s is not None and trouble.asked_s > patience.longest_asked_s:
            raise StaysAway(f"{about}: {trouble.what}", fix="start the same command again then")
        if self._failed >= (patience.busy_tries if trouble.busy else patience.tries):
            what = f"{about}: {trouble.what}, {self._failed} times in a row"
            raise StaysAway(what, fix="start the same command again later; it goes on from what is there")
        wait = min(patience.first_wait_s * 2 ** (self._failed - 1), patience.longest_wait_s)
        wait *= random.uniform(0.5, 1.0)
        if trouble.asked_s is not None:
            wait = max(trouble.asked_s, 0.0)
        if wait >= 2.0:
            self._say(f"{about}: {trouble.what}; trying again in {wait:.0f} s")
        self._control.sleep(wait)


def asked_wait(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date. None where it says nothing that can be read."""
    text = (retry_after or "").strip()
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(moment.timestamp() - datetime.now(timezone.utc).timestamp(), 0.0)


class Pace:
    """Whether a connection brings enough: one that trickles for ``read_s`` is as good as lost."""

    def __init__(self, patience: Patience):
        self._patience = patience
        self._since = time.monotonic()
        self._bytes = 0

    def came(self, n_bytes: int) -> None:
        """Raises Trouble."""
        self._bytes += n_bytes
        passed = time.monotonic() - self._since
        if passed < self._patience.read_s:
            return
        if self._bytes < self._patience.slowest * passed:
            raise Trouble(f"the connection brought {self._bytes} bytes in {passed:.0f} s")
        self._since, self._bytes = time.monotonic(), 0
