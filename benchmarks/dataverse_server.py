"""A Dataverse on loopback, with the faults that real ones have: for tests and ``benchmarks/download_faults.py``.

It speaks the part of the API that a download needs: the file listing, a version's licence, and the files, sent by
itself or by a store that it redirects to with an address that runs out.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Stored:
    """A file of a dataset. listed: what the listing says instead of the truth. original: the upload of a table."""

    id: int
    name: str
    content: bytes
    folder: str = ""
    checksum: str = "MD5"
    content_type: str = "application/octet-stream"
    original: tuple[str, str, bytes] | None = None
    driver: str = "s3"
    restricted: bool = False
    listed: dict[str, Any] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        """As the listing has it."""
        value = _digest(self.content if self.original is None else self.original[2], self.checksum)
        held: dict[str, Any] = {
            "id": self.id,
            "persistentId": "",
            "filename": self.name,
            "contentType": self.content_type,
            "filesize": len(self.content),
            "storageIdentifier": f"{self.driver}://dvn-cloud:{self.id:x}",
            "rootDataFileId": -1,
            "checksum": {"type": self.checksum, "value": value},
        }
        if self.checksum == "MD5":
            held["md5"] = value
        if self.original is not None:
            name, kind, content = self.original
            held |= {"originalFileFormat": kind, "originalFormatLabel": kind, "UNF": "UNF:6:x"}
            held |= {"originalFileSize": len(content), "originalFileName": name, "tabularData": True}
        held |= self.listed
        entry = {"label": self.name, "restricted": self.restricted, "version": 1, "datasetVersionId": 1}
        return entry | ({"directoryLabel": self.folder} if self.folder else {}) | {"dataFile": held}


@lru_cache(maxsize=500)
def _digest(content: bytes, kind: str) -> str:
    return hashlib.new(_HASHES[kind], content).hexdigest()


@dataclass
class Faults:
    """What goes wrong. Numbers of times count down; -1 is always.

    cut_after: bytes of a body after which the connection is cut, ``cuts`` times. ignores_range: every body is whole.
    redirects: files come from a store; link_uses: how often an address of it works. other_host: the store is another
    host. busy: (status, Retry-After) of the next answers. wrong_byte: times that a byte of a file is wrong.
    changes_to: the content that file gets once ``cut_after`` first cut. token: that is needed. guestbook: json or page.
    stall: times that a body stops half-way and stays open. listing: html, half, error or array instead of the listing.
    new_etags: each answer has another. no_length: bodies end with the connection. block_s: between
    blocks of 64 kB. etags: whether there are any. shifted: ranges begin a byte late.
    """

    cut_after: int | None = None
    cuts: int = -1
    ignores_range: bool = False
    redirects: bool = False
    link_uses: int = -1
    other_host: bool = False
    busy: list[tuple[int, str]] = field(default_factory=list)
    wrong_byte: int = 0
    changes_to: dict[int, Stored] = field(default_factory=dict)
    token: str = ""
    guestbook: str = ""
    stalls: int = 0
    listing: str = ""
    no_length: bool = False
    etags: bool = True
    new_etags: bool = False
    shifted: bool = False
    block_s: float = 0.0
    globus: tuple[str, ...] = ()


class Dataverse:
    """The server's state. datasets: files by DOI. requests: what was asked, with headers. sent: bytes of files."""

    def __init__(self, datasets: dict[str, list[Stored]], faults: Faults | None = None, licence: str = "CC BY-NC 4.0"):
        self.datasets = {doi: list(files) for doi, files in datasets.items()}
        self.faults = faults or Faults()
        self.licence = licence
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent = 0
        self.most_at_once = 0
        self._at_once = 0
        self._links: dict[str, int] = {}
        self.lock = threading.Lock()
        self.url = ""

    @property
    def file_requests(self) -> list[dict[str, str]]:
        """Headers of those that asked for bytes of files."""
        return [headers for path, headers in self.requests if "/access/datafile/" in path or path.startswith("/store/")]

    def file(self, number: int) -> Stored | None:
        return next((f for files in self.datasets.values() for f in files if f.id == number), None)

    def change(self) -> None:
        """A new version of the dataset: files of the same name with other contents and ids."""
        new, self.faults.changes_to = self.faults.changes_to, {}
        for doi, files in self.datasets.items():
            self.datasets[doi] = [new.get(f.id, f) for f in files]

    def new_link(self, path: str) -> str:
        with self.lock:
            name = f"/store/{len(self._links)}?signature={len(self._links)}&file={quote(path, safe='')}"
            self._links[name] = self.faults.link_uses
        host = self.url.replace("127.0.0.1", "localhost") if self.faults.other_host else self.url
        return host + name

    def use_link(self, name: str) -> bool:
        with self.lock:
            left = self._links.get(name, 0)
            self._links[name] = left - 1 if left > 0 else left
            return left != 0

    @contextmanager
    def serving(self) -> Iterator[Dataverse]:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.dataverse = self
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.closing.set()
            server.shutdown()
            server.server_close()


def down(fault: Any, name: str) -> bool:
    """Whether a counted fault happens now; counts it."""
    left = getattr(fault, name)
    if left > 0:
        setattr(fault, name, left - 1)
    return left != 0


def dataset_of(folder: Path, first_id: int, checksum: str = "MD5") -> list[Stored]:
    """All files of a folder as a dataset's."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stored = []
    for number, path in enumerate(files, first_id):
        where = path.parent.relative_to(folder).as_posix()
        stored.append(Stored(number, path.name, path.read_bytes(), "" if where == "." else where, checksum))
    return stored


def changed(stored: Stored, content: bytes, *, new_id: int | None = None) -> Stored:
    """A file's next version."""
    return replace(stored, content=content, id=new_id or stored.id)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    dataverse: Dataverse

    def __init__(self, *arguments):
        self.closing = threading.Event()
        super().__init__(*arguments)

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        dataverse = self.server.dataverse
        parts = urlsplit(self.path)
        with dataverse.lock:
            dataverse.requests.append((self.path, dict(self.headers)))
            busy = dataverse.faults.busy.pop(0) if dataverse.faults.busy else None
        if busy is not None:
            self._say(busy[0], {"status": "ERROR", "message": "busy"}, {"Retry-After": busy[1]} if busy[1] else {})
        elif parts.path.startswith("/store/"):
            self._store(parse_qs(parts.query)["file"][0])
        elif found := re.fullmatch(r"/api/access/datafile/(\d+)", parts.path):
            self._datafile(int(found[1]), parts.query)
        elif parts.path.startswith("/api/datasets/:persistentId/versions/:latest-published"):
            self._dataset(parts.path, parse_qs(parts.query).get("persistentId", [""])[0])
        else:
            self._say(404, {"status": "ERROR", "message": "no such thing"})

    def _dataset(self, path: str, doi: str) -> None:
        dataverse = self.server.dataverse
        files = dataverse.datasets.get(doi)
        if not self._has_token():
            return
        if files is None:
            self._say(404, {"status": "ERROR", "message": f"Dataset with Persistent ID {doi} not found."})
            return
        listing = dataverse.faults.listing
        if not path.endswith("/files"):
            licence = {"name": dataverse.licence, "uri": "https://creativecommons.org/licenses/by-nc/4.0/"}
            self._say(200, {"status": "OK", "data": {"versionNumber": 2, "versionMinorNumber": 1, "license": licence}})
        elif listing == "html":
            self._send(200, b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")
        elif listing == "half":
            body = json.dumps({"status": "OK", "data": [f.entry() for f in files]}).encode()
            self._send(200, body[: len(body) // 2], "application/json")
        elif listing == "error":
            self._say(200, {"status": "ERROR", "message": "the index is being rebuilt"})
        elif listing == "array":
            self._say(200, [1, 2, 3])
        else:
            self._say(200, {"status": "OK", "totalCount": len(files), "data": [f.entry() for f in files]})

    def _datafile(self, number: int, query: str) -> None:
        dataverse = self.server.dataverse
        stored = dataverse.file(number)
        if stored is None:
            self._say(404, {"status": "ERROR", "message": f"File with ID {number} not found."})
        elif not self._has_token():
            return
        elif stored.name in dataverse.faults.globus:
            self._say(400, {"status": "ERROR", "message": "The file can only be transferred with Globus."})
        elif dataverse.faults.guestbook == "json":
            message = "You may not download this file without the required Guestbook response."
            self._say(400, {"status": "ERROR", "message": message})
        elif dataverse.faults.guestbook == "page":
            self._send(200, b"<!DOCTYPE html>\n<html><body>Guestbook</body></html>", "text/html;charset=UTF-8")
        elif dataverse.faults.redirects:
            self.send_response(303)
            self.send_header("Location", dataverse.new_link(f"{number}?{query}"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._file(stored, query)

    def _store(self, path: str) -> None:
        dataverse = self.server.dataverse
        if not dataverse.use_link(self.path):
            self._send(403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml")
            return
        number, _, query = unquote(path).partition("?")
        stored = dataverse.file(int(number))
        if stored is None:
            self._send(404, b"<Error/>", "application/xml")
            return
        self._file(stored, query)

    def _file(self, stored: Stored, query: str) -> None:
        content = stored.content
        if stored.original is not None and "format=original" in query:
            content = stored.original[2]
        faults = self.server.dataverse.faults
        etag = f'"{_digest(content, "MD5")}"' if faults.etags else ""
        if content and down(faults, "wrong_byte"):
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
        start, stop = 0, len(content)
        headers = {"Content-Type": stored.content_type}
        if faults.new_etags:
            etag = f'"{len(self.server.dataverse.requests)}"'
        if etag:
            headers["ETag"] = etag
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        status = 200
        same = self.headers.get("If-Range", etag) == etag
        if asked and not faults.ignores_range and same:
            start = int(asked[1]) if asked[1] else max(len(content) - int(asked[2]), 0)
            if start >= len(content):
                self._send(416, b"", "text/plain", {"Content-Range": f"bytes */{len(content)}"})
                return
            last = int(asked[2]) if asked[1] and asked[2] else len(content) - 1
            stop = min(last + 1, len(content))
            start += faults.shifted
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            status = 206
        self._body(status, content[start:stop], headers)

    def _body(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        dataverse = self.server.dataverse
        faults = dataverse.faults
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if faults.no_length:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = None
        if faults.cut_after is not None and len(body) > faults.cut_after and down(faults, "cuts"):
            cut = faults.cut_after
        elif faults.stalls and down(faults, "stalls"):
            cut = -(len(body) // 2)
        with dataverse.lock:
            dataverse._at_once += 1
            dataverse.most_at_once = max(dataverse.most_at_once, dataverse._at_once)
        try:
            part = body if cut is None else body[: abs(cut)]
            for begin in range(0, len(part), _BLOCK):
                block = part[begin : begin + _BLOCK]
                with dataverse.lock:  # before it goes out: whoever has it all must find it counted
                    dataverse.sent += len(block)
                self.wfile.write(block)
                time.sleep(faults.block_s)
            if cut is not None and cut <= 0 and faults.cut_after is None:
                self.server.closing.wait(20)
            if cut is not None or faults.no_length:
                self._hang_up()
        finally:
            with dataverse.lock:
                dataverse._at_once -= 1
        if cut is not None and faults.changes_to:
            dataverse.change()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _has_token(self) -> bool:
        token = self.server.dataverse.faults.token
        if not token or self.headers.get("X-Dataverse-key") == token:
            return True
        self._say(401, {"status": "ERROR", "message": "Bad API key"})
        return False

    def _say(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(answer).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def http_date(seconds_from_now: float) -> str:
    """For Retry-After."""
    return formatdate(time.time() + seconds_from_now, usegmt=True)
