"""A Dataverse's API: what files a dataset has, under which licence, and where their bytes are.

Source: the guides of the Dataverse project (Native API, Data Access API). ``filesize`` of a table that was ingested is
that of its tab-separated copy, its checksum that of the file as it was uploaded; so the upload is what is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from data.download.checksums import Checksum, checksum_of
from data.download.transport import Transport
from data.errors import DrivAerError

LATEST = ":latest-published"
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_SUFFIX_OF = {
    "text/csv": ".csv",
    "text/comma-separated-values": ".csv",
    "text/tsv": ".tsv",
    "text/tab-separated-values": ".tsv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/x-stata": ".dta",
    "application/x-spss-sav": ".sav",
    "application/x-rlang-transport": ".RData",
}


@dataclass(frozen=True)
class RemoteFile:
    """A file of a dataset.

    id: of the datafile. name, folder: its label and directoryLabel, not to be trusted as paths. size: bytes, None where
    the server does not say. original: it was ingested, and is fetched as it was uploaded. stored: its
    storageIdentifier, which names the store's driver.
    """

    dataset: str
    id: str
    name: str
    folder: str
    size: int | None
    checksum: Checksum | None
    content_type: str = ""
    original: bool = False
    restricted: bool = False
    stored: str = ""

    @property
    def path(self) -> str:
        """Where it is fetched, below the server's address."""
        return f"/api/access/datafile/{self.id}" + ("?format=original" if self.original else "")

    @property
    def wants_globus(self) -> bool:
        """Whether its store is known for not handing out files over the web."""
        driver = self.stored.partition("://")[0].lower()
        return any(word in driver for word in ("globus", "tape", "nese"))


@dataclass(frozen=True)
class Terms:
    """Under which licence a dataset's latest version is given; "" where the server does not say. version: as 2.1."""

    licence: str = ""
    url: str = ""
    version: str = ""

    @property
    def is_free(self) -> bool:
        """Public domain: there is nothing to accept."""
        return self.licence.upper().startswith("CC0")


def doi_of(text: str) -> str | None:
    """``doi:10.x/y`` of a DOI written in any of the usual ways; None for what is none."""
    found = _DOI.fullmatch(text.strip())
    return f"doi:{found[1]}" if found else None


def server_of(text: str) -> str:
    """``https://host[:port]`` of an address as people type it. Raises DrivAerError."""
    given = text.strip()
    given = (given if "://" in given else f"https://{given}").rstrip("/")
    parts = urlsplit(given)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise DrivAerError(f"{text!r} is no address of a server", fix="give it as https://dataverse.harvard.edu")
    return given.removesuffix("/api")


def files_of(transport: Transport, dataset: str) -> list[RemoteFile]:
    """The files of a dataset's latest published version.

    Raises DrivAerError: no such dataset, no access, or no answer that can be used.
    """
    path = f"/api/datasets/:persistentId/versions/{LATEST}/files"
    data = transport.json(path, {"persistentId": dataset}, about=dataset)
    if not isinstance(data, list):
        raise DrivAerError(
            f"{dataset}: {transport.server} sent no list of files", fix="check the address of the server"
        )
    return [_remote_file(transport.server, dataset, entry) for entry in data]


def terms_of(transport: Transport, dataset: str) -> Terms:
    """The licence of a dataset's latest published version; empty where the server does not tell, or not in order."""
    path = f"/api/datasets/:persistentId/versions/{LATEST}"
    try:
        data = transport.json(path, {"persistentId": dataset, "excludeFiles": "true"}, about=dataset)
    except DrivAerError:
        return Terms()
    if not isinstance(data, dict):
        return Terms()
    version = ".".join(str(data[k]) for k in ("versionNumber", "versionMinorNumber") if data.get(k) is not None)
    licence = data.get("license") or data.get("termsOfUse") or ""
    if isinstance(licence, dict):
        return Terms(_line(licence.get("name")), _line(licence.get("uri")), version)
    return Terms(_line(licence), "", version)


def find_file(files: Sequence[RemoteFile], like: RemoteFile) -> RemoteFile | None:
    """The same file in another listing of its dataset: by its id, or as a new version by its name and folder."""
    named = [f for f in files if (f.folder, f.name) == (like.folder, like.name)]
    return next((f for f in named if f.id == like.id), named[0] if named else None)


def _line(value: Any) -> str:
    text = re.sub(r"<[^>]*>", " ", str(value or ""))
    return " ".join(text.split())[:500]


def _remote_file(server: str, dataset: str, entry: Any) -> RemoteFile:
    try:
        held = entry["dataFile"]
        number = held["id"]
        name = str(entry.get("label") or held.get("filename") or "")
        if isinstance(number, bool) or not isinstance(number, (int, str)) or not re.fullmatch(r"\d+", str(number)):
            raise ValueError
        checksum = held.get("checksum") or {"type": "MD5", "value": held.get("md5")}
        checksum = checksum_of(checksum.get("type"), checksum.get("value"))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise DrivAerError(f"{dataset}: {server} lists a file in a way that no Dataverse does") from None
    original = bool(held.get("originalFileFormat"))
    if original:
        name = _original_name(name, held)
    size = held.get("originalFileSize") if original else held.get("filesize")
    return RemoteFile(
        dataset=dataset,
        id=str(number),
        name=name or f"file_{number}",
        folder=str(entry.get("directoryLabel") or held.get("directoryLabel") or ""),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        checksum=checksum,
        content_type=str(held.get("contentType") or ""),
        original=original,
        restricted=bool(entry.get("restricted")),
        stored=str(held.get("storageIdentifier") or ""),
    )


def _original_name(name: str, held: dict[str, Any]) -> str:
    """What the upload was called: newer servers say it, of older ones its format is known."""
    if isinstance(held.get("originalFileName"), str) and held["originalFileName"]:
        return held["originalFileName"]
    suffix = _SUFFIX_OF.get(str(held["originalFileFormat"]).partition(";")[0].strip().lower())
    return name.removesuffix(".tab") + suffix if suffix and name.endswith(".tab") else name
