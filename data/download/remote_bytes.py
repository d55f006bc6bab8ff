"""The bytes of one remote file, from any place on, whatever happens to the connection on the way."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.download.dataverse import RemoteFile
from data.download.retries import Pace, Trouble
from data.download.transport import Refused, Transport
from data.errors import DrivAerError

if TYPE_CHECKING:
    from requests import Response

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_API_PATH = re.compile(r"/api/(v\d+/)?access/")
_PAGES = (".html", ".htm", ".xhtml", ".json")


class NoRanges(Exception):
    """The server sends whole files only."""


class Changed(Exception):
    """The file became another one since it was listed."""


class RemoteBytes:
    """One file's bytes. Used by one thread at a time.

    total: bytes it has, as the server that sends them says; None before the first answer, or where it does not.
    sends_ranges: whether a part of it can be asked for; None before that was tried.
    etag: a name of this very content, "" where the server gives none. Dataverse itself ignores If-Range, so it is
    compared here as well. trusts_etags: False for a server that gives the same content ever new ones.
    """

    def __init__(self, transport: Transport, file: RemoteFile):
        self.file = file
        self.total: int | None = None
        self.sends_ranges: bool | None = None
        self.etag = ""
        self.trusts_etags = True
        self._transport = transport
        self._api_url = transport.server + file.path
        self._store_url = ""

    @property
    def server(self) -> str:
        return self._transport.server

    def read(self, start: int, stop: int) -> bytes:
        """Bytes start..stop. Raises NoRanges, Changed, DrivAerError, Cancelled."""
        return b"".join(self.stream(start, stop))

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes from start on to stop, or to the end. What is lost on the way is asked for again.

        A server that sends only whole files has what comes before ``start`` thrown away where ``stop`` is None.
        Raises NoRanges where ``stop`` is given and the server ignores it; Changed where what comes belongs to another
        content than before; DrivAerError; Cancelled.
        """
        retries = self._transport.retries()
        position = start
        while stop is None or position < stop:
            try:
                for part in self._stream_once(position, stop):
                    position += len(part)
                    retries.progressed()
                    yield part
                end = stop if stop is not None else self.file.size if self.total is None else self.total
                if end is None or position >= end:
                    return
                raise Trouble(f"the connection ended {end - position} bytes early")
            except Trouble as trouble:
                retries.wait(trouble, self.file.name)

    def _stream_once(self, position: int, stop: int | None) -> Iterator[bytes]:
        headers = {}
        if stop is not None or (position and self.sends_ranges is not False):
            headers["Range"] = f"bytes={position}-{'' if stop is None else stop - 1}"
            if self.etag and self.trusts_etags:
                headers["If-Range"] = self.etag
        with self._transport.opened(self._store_url or self._api_url, headers=headers) as response:
            moved = response.url != self._api_url
            if response.status_code == 416 and self._is_at_end(response, position):
                return
            if response.status_code not in (200, 206):
                self._explain(response, moved)
            # A store's address is kept, so that a thousand parts do not mean a thousand questions to the Dataverse.
            self._store_url = response.url if moved else ""
            begins = self._begin(response, position, stop)
            yield from self._body(response, position - begins, None if stop is None else stop - position)

    def _body(self, response: Response, to_drop: int, to_give: int | None) -> Iterator[bytes]:
        encoded = response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
        pace = Pace(self._transport.patience)
        first = True
        for part in self._transport.chunks(response, decode=encoded):
            pace.came(len(part))
            if first and self._is_page(response, part):
                self._page(response, part)
            first = False
            dropped = min(to_drop, len(part))
            to_drop -= dropped
            part = part[dropped:] if to_give is None else part[dropped : dropped + to_give]
            if part:
                yield part
            elif to_give == 0:  # more than was asked for; else the end is read, for the connection to be used again
                return
            if to_give is not None:
                to_give -= len(part)

    def _begin(self, response: Response, position: int, stop: int | None) -> int:
        """Where the body begins in the file; learns its size and its name for this content."""
        encoded = response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
        if response.status_code == 206:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if found is None or int(found[1]) != position:
                self.sends_ranges = False  # it says it does, and sends something else
                if stop is not None:
                    raise NoRanges
                raise Trouble("the server sent another part than asked for")
            begins, total = position, None if found[3] == "*" else int(found[3])
            self.sends_ranges = True
        else:
            length = response.headers.get("Content-Length", "")
            begins, total = 0, int(length) if length.isdigit() and not encoded else None
        etag = response.headers.get("ETag", "")
        self._learn(total, "" if etag.startswith("W/") else etag)
        if response.status_code == 200 and (position or stop is not None):
            self.sends_ranges = False
            if stop is not None and (position, stop) != (0, total):
                raise NoRanges
        return begins

    def _learn(self, total: int | None, etag: str) -> None:
        changed = (self.total is not None and total is not None and total != self.total) or (
            self.trusts_etags and self.etag and etag and etag != self.etag
        )
        if changed:
            self.total, self.etag = total, etag
            raise Changed
        self.total = self.total if total is None else total
        self.etag = etag or self.etag

    def _is_at_end(self, response: Response, position: int) -> bool:
        """Nothing is left to read; or, where less is there than was read before, the file is another one now."""
        whole = response.headers.get("Content-Range", "").rpartition("/")[2]
        total = int(whole) if whole.isdigit() else self.total
        if total != position:
            raise Changed
        return True

    def _explain(self, response: Response, moved: bool) -> None:
        if moved and not _API_PATH.match(urlsplit(response.url).path):
            # A signed address lives for minutes; the Dataverse hands out a new one.
            self._store_url = ""
            raise Trouble(f"the store refused the address that the server gave ({response.status_code})")
        refused = self._transport.refusal(response, self.file.name)
        if refused.kind == "gone":  # a new version of the dataset may have it under another id
            raise Changed from refused
        raise refused

    def _is_page(self, response: Response, start: bytes) -> bool:
        """Whether this is a page for people, or an error, under the name of the file."""
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if self.file.name.lower().endswith(_PAGES) or "html" in self.file.content_type.lower():
            return False
        begin = start.lstrip()[:64].lower()
        is_error = kind == "application/json" and begin[:1] == b"{" and b'"status"' in start
        return begin.startswith((b"<!doctype html", b"<html")) or is_error

    def _page(self, response: Response, start: bytes) -> None:
        if start.lstrip()[:1] == b"{":
            raise self._transport.refusal(response, self.file.name, start)
        server = self._transport.server
        what = f"{self.file.name}: {server} sent a web page instead of the file: a guestbook, terms or a log-in"
        fix = f"fetch it from the dataset's page on {server} and put it into the folder, or give a token with --token"
        raise Refused(what, "guestbook", fix=fix)


def probe_rate(source: RemoteBytes, n_bytes: int) -> float | None:
    """Bytes a second that the file's first ``n_bytes`` come at; None where that could not be measured."""
    started = time.monotonic()
    try:
        got = len(source.read(0, n_bytes))
    except (NoRanges, Changed, DrivAerError):
        return None
    return got / max(time.monotonic() - started, 1e-6)
