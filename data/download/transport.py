"""HTTP to a Dataverse and to the stores that it sends its readers to.

requests does the work: it is what is installed already, takes proxies and certificates from the environment, and keeps
connections open. Redirects are followed here, because the token must not follow them to another host.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin, urlsplit

from data.control import Control
from data.download.progress import Say, silent
from data.download.retries import Patience, Retries, Trouble, asked_wait
from data.errors import DrivAerError

if TYPE_CHECKING:
    from requests import Response, Session

_PASSING = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 8
_ANSWER_TRIES = 4  # nothing is under way yet: a person waits for the first answer
_LONGEST_ANSWER = 512 << 20
_LONGEST_MESSAGE = 64 << 10


Refusal = Literal["guestbook", "globus", "token", "gone", "other"]


class Refused(DrivAerError):
    """The server will not give something, however often it is asked. kind: what it wants."""

    def __init__(self, what: str, kind: Refusal, *, fix: str = ""):
        super().__init__(what, fix=fix)
        self.kind = kind


class Transport:
    """Any number of threads may use one.

    server: ``https://host`` without a slash at its end. token: sent to that server alone, and encrypted: over http only
    to this machine itself.
    n_fetched: bytes that came over the network so far. n_requests: asked so far, redirects included.
    """

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        control: Control | None = None,
        say: Say = silent,
    ):
        if token and not is_private(server):
            raise DrivAerError(f"a token is not sent to {server}: anybody could read it on the way", fix="use https://")
        self.server = server
        self.patience = patience or Patience()
        self.control = control or Control()
        self.say = say
        self.n_fetched = 0
        self.n_requests = 0
        self._token = token
        self._sessions = threading.local()
        self._lock = threading.Lock()
        self._not_before = 0.0
        # At its debug level it logs addresses, and those of stores are signed.
        logging.getLogger("urllib3").setLevel(logging.WARNING)

    def retries(self) -> Retries:
        return Retries(self.patience, self.control, self.say)

    def came(self, n_bytes: int) -> None:
        with self._lock:
            self.n_fetched += n_bytes

    def json(self, path: str, params: Mapping[str, str], *, about: str) -> Any:
        """The ``data`` of an API call's answer. about: what is asked for, in words.

        Raises DrivAerError where the server refuses, stays away or says something that is no answer of a Dataverse's.
        """
        tries = min(self.patience.tries, _ANSWER_TRIES)
        retries = Retries(replace(self.patience, tries=tries, busy_tries=tries), self.control, self.say)
        while True:
            try:
                return self._json_once(path, params, about)
            except Trouble as trouble:
                retries.wait(trouble, about)

    def _json_once(self, path: str, params: Mapping[str, str], about: str) -> Any:
        with self.opened(f"{self.server}{path}", params=params, read_s=self.patience.answer_s) as response:
            body = self._whole(response)
            if response.status_code != 200:
                raise self.refusal(response, about, body)
        try:
            answer = json.loads(body)
        except ValueError:
            raise self._no_json(response, body, about) from None
        if not isinstance(answer, dict) or answer.get("status") != "OK" or "data" not in answer:
            message = answer.get("message") if isinstance(answer, dict) else None
            what = f"{self.server} answered: {self._clean(message)}" if message else f"{self.server} is no Dataverse"
            raise DrivAerError(f"{about}: {what}", fix="check the address of the server")
        return answer["data"]

    def _no_json(self, response: Response, body: bytes, about: str) -> Exception:
        start = body.lstrip()[:1]
        if start in (b"{", b"["):
            return Trouble(f"{self.server} cut its answer off after {len(body)} bytes")
        kind = "a web page" if start == b"<" else "something else"
        what = f"{about}: {self.server} sent {kind} where a Dataverse would answer with JSON"
        return DrivAerError(what, fix="check the address of the server, and whether a proxy or a login page is between")

    def _whole(self, response: Response) -> bytes:
        parts, n_bytes = [], 0
        for part in self.chunks(response, decode=True):
            parts.append(part)
            n_bytes += len(part)
            if n_bytes > _LONGEST_ANSWER:
                raise DrivAerError(f"{self.server} sends an answer without an end", fix="check the address")
        return b"".join(parts)

    @contextmanager
    def opened(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        read_s: float | None = None,
    ) -> Iterator[Response]:
        """An answer that is no redirect, its body unread; ``response.url`` is where it came from in the end.

        Raises Trouble for what may pass (no connection, 429, 5xx), DrivAerError for what will not.
        """
        for _ in range(_MOST_REDIRECTS):
            self._wait_for_turn()
            response = self._send(url, headers or {}, params, read_s or self.patience.read_s)
            try:
                where = response.headers.get("Location")
                if response.status_code in _REDIRECTS and where:
                    url, params = urljoin(response.url, where), None
                    if urlsplit(url).scheme not in ("http", "https"):
                        raise DrivAerError(f"{self.server} sends its readers to {url.split(':')[0]}:, which is no web")
                    continue
                if response.status_code in _PASSING:
                    raise self._passing(response)
                yield response
                return
            finally:
                response.close()
        raise DrivAerError(f"{self.server} sends its readers in circles", fix="try again later")

    def chunks(self, response: Response, *, decode: bool = False) -> Iterator[bytes]:
        """The body as it comes in. Raises Trouble where the connection is lost, Cancelled."""
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            while True:
                self.control.check()
                part = response.raw.read1(1 << 18, decode_content=decode)
                self.control.check()
                if not part:
                    return
                self.came(len(part))
                yield part
        except (HTTPError, RequestException, OSError) as error:
            raise Trouble(_lost(error)) from error

    def _send(self, url: str, headers: Mapping[str, str], params: Mapping[str, str] | None, read_s: float) -> Response:
        from requests.exceptions import InvalidURL, RequestException, SSLError

        asked = {"Accept-Encoding": "identity", **headers}
        if self._token and _origin(url) == _origin(self.server):
            asked["X-Dataverse-key"] = self._token
        timeout = (self.patience.connect_s, read_s)
        with self._lock:
            self.n_requests += 1
        try:
            return self._session().get(
                url, headers=asked, params=params, timeout=timeout, stream=True, allow_redirects=False
            )
        except SSLError as error:
            fix = "a proxy's own certificate goes into REQUESTS_CA_BUNDLE"
            raise DrivAerError(f"the certificate of {_host(url)} cannot be trusted", fix=fix) from error
        except (InvalidURL, UnicodeError) as error:
            raise DrivAerError(f"{_host(url)} is no address of a server") from error
        except RequestException as error:
            raise Trouble(f"{_host(url)}: {_lost(error)}") from error

    def _session(self) -> Session:
        import requests

        if not hasattr(self._sessions, "own"):
            self._sessions.own = requests.Session()
            # Without this, passwords of a .netrc would go to stores, whose addresses are signed already.
            self._sessions.own.auth = lambda request: request
            self._sessions.own.headers["User-Agent"] = "drivaer"
        return self._sessions.own

    def _wait_for_turn(self) -> None:
        self.control.check()
        wait = self._not_before - time.monotonic()
        if wait > 0:
            self.control.sleep(wait)

    def _passing(self, response: Response) -> Trouble:
        asked = asked_wait(response.headers.get("Retry-After"))
        what = f"{_host(response.url)} answered {response.status_code} {_phrase(response)}".rstrip()
        if asked is not None:
            what += f" and asks to wait {asked:.0f} s"
            if asked <= self.patience.longest_asked_s:  # for all connections: it is the server that is busy
                self._not_before = max(self._not_before, time.monotonic() + asked)
        return Trouble(what, asked, busy=response.raw if response.status_code in (429, 503) else None)

    def refusal(self, response: Response, about: str, body: bytes | None = None) -> Refused:
        """What an answer that gives nothing means, in words, with the way out."""
        status = response.status_code
        if body is None:
            try:
                body = next(iter(self.chunks(response)), b"")[:_LONGEST_MESSAGE]
            except Trouble:
                body = b""
        message = self._message(body)
        lowered = message.lower()
        kind: Refusal
        if "guestbook" in lowered or "terms of" in lowered:
            kind, what = "guestbook", "the server wants its guestbook or terms answered first"
            fix = f"answer it on the dataset's page on {self.server}, fetch the file there and put it into the folder"
        elif "globus" in lowered or "tape" in lowered:
            kind, what, fix = "globus", "the server hands this out through Globus only", ""
        elif status in (401, 403):
            kind = "token"
            what = "the account of this API token has no access" if self._token else "needs an API token"
            fix = f"make a token on {self.server} under your account > API Token and give it with --token or "
            fix += "DATAVERSE_API_TOKEN"
            if self._token:
                fix = f"check the token, or ask for access on the dataset's page on {self.server}"
        elif status in (404, 410):
            kind, what, fix = "gone", f"is not on {self.server}, or not published", "check the DOI and --server"
        else:
            kind, what, fix = "other", f"{_host(response.url)} answered {status} {_phrase(response)}".rstrip(), ""
        quoted = f" (it says: {message})" if message else ""
        return Refused(f"{about}: {what}{quoted}", kind, fix=fix)

    def _message(self, body: bytes) -> str:
        """What a server says in its JSON, or nothing: a web page is not read to the user."""
        try:
            answer = json.loads(body)
            message = answer.get("message", "")
        except (ValueError, AttributeError):
            return ""
        if isinstance(message, dict):
            message = message.get("message", "")
        return self._clean(str(message))

    def _clean(self, text: object) -> str:
        line = " ".join(str(text).split())[:300]
        return line.replace(self._token, "***") if self._token else line


def is_private(server: str) -> bool:
    """Whether what is sent to a server cannot be read on the way."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "this"


def _phrase(response: Response) -> str:
    return " ".join((response.reason or "").split())[:60]


def _lost(error: BaseException) -> str:
    """Why a connection is gone, in a few words."""
    text = repr(error)
    for sign, words in (
        ("NameResolution", "its name is not known here"),
        ("ConnectTimeout", "no answer"),
        ("timed out", "silence"),
        ("refused", "it takes no connections"),
        ("ProxyError", "the proxy cannot be reached"),
        ("IncompleteRead", "the connection was cut"),
        ("RemoteDisconnected", "the connection was closed without an answer"),
        ("reset", "the connection was reset"),
        ("unreachable", "the network cannot be reached"),
    ):
        if sign.lower() in text.lower():
            return words
    return "the connection was lost"
