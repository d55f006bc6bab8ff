"""How long a server is waited for, and how often it is asked again.

urllib3's ``Retry`` counts the tries, works out the waits between them and reads Retry-After headers. Two things are
done here, because it does not do them: a wait is cancelled by ``Control`` (its own is one ``time.sleep``), and a body
that breaks off is asked for again from its next byte (it asks again only until a body begins).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.control import Control
from data.download.progress import Say
from data.errors import DrivAerError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse
    from urllib3.util import Retry


@dataclass(frozen=True)
class Patience:
    """How long, in seconds, and how often.

    connect_s, read_s: after which silence counts as a lost connection. answer_s: the same for what a server has to look
    up first, such as a long listing. slowest: bytes a second that a connection has to bring over read_s.
    tries: in a row that bring nothing new; busy_tries: answers in a row that say that the server is busy. The second
    try comes at once; before the third passes twice first_wait_s, each further wait is twice as long, up to
    longest_wait_s, and up to first_wait_s is added by chance. longest_asked_s: that a server may ask for.
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
    """Something that may pass.

    what: in words. asked_s: how long the server asked to wait. busy: its answer, where that says that it is busy.
    """

    def __init__(self, what: str, asked_s: float | None = None, *, busy: BaseHTTPResponse | None = None):
        super().__init__(what)
        self.what = what
        self.asked_s = asked_s
        self.busy = busy


class StaysAway(DrivAerError):
    """A server that was asked often enough and brings nothing."""


class Retries:
    """Counts what goes wrong in a row, and waits in between."""

    def __init__(self, patience: Patience, control: Control, say: Say):
        from urllib3.util import Retry

        self._patience = patience
        self._control = control
        self._say = say
        self._fresh = self._retry = Retry(
            total=None,
            other=patience.tries - 1,
            status=patience.busy_tries - 1,
            backoff_factor=patience.first_wait_s,
            backoff_max=patience.longest_wait_s,
            backoff_jitter=patience.first_wait_s,
        )

    def progressed(self) -> None:
        """Something new came: count from the beginning."""
        self._retry = self._fresh

    def wait(self, trouble: Trouble, about: str) -> None:
        """Wait before the next try. Raises StaysAway where there is to be none, Cancelled."""
        if trouble.asked_s is not None and trouble.asked_s > self._patience.longest_asked_s:
            raise StaysAway(f"{about}: {trouble.what}", fix="start the same command again then")
        self._retry = self._next(trouble, about)
        wait = self._retry.get_backoff_time() if trouble.asked_s is None else trouble.asked_s
        if wait >= 2.0:
            self._say(f"{about}: {trouble.what}; trying again in {wait:.0f} s")
        self._control.sleep(wait)

    def _next(self, trouble: Trouble, about: str) -> Retry:
        from urllib3.exceptions import MaxRetryError

        try:
            return self._retry.increment(response=trouble.busy, error=None if trouble.busy else trouble)
        except MaxRetryError:
            what = f"{about}: {trouble.what}, {len(self._retry.history) + 1} times in a row"
            fix = "start the same command again later; it goes on from what is there"
            raise StaysAway(what, fix=fix) from None


def asked_wait(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date. None where it says nothing that can be read."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return None if retry_after is None else Retry().parse_retry_after(retry_after)
    except (InvalidHeader, ValueError, OverflowError):
        return None


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
