"""What is to be fetched: whole files of a dataset, and single files out of its zips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from data.catalogue import CorpusFile, FileState
from data.corpora import drivaernet
from data.download.checksums import Checksum, checksum_of
from data.download.dataverse import RemoteFile
from data.download.remote_zip import Member
from data.download.retries import StaysAway
from data.download.transport import Refused
from data.errors import DrivAerError

TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".xlsx", ".json", ".md", ".pdf")
COEFFICIENTS = "coefficients"
KINDS = (*drivaernet.DATASETS, COEFFICIENTS)
"""What can be asked for; coefficients are a dataset's tables."""


@dataclass(frozen=True)
class Item:
    """One file that is to be on disk.

    path: below the corpus's folder, with forward slashes. kind, design: as the catalogue has them. member: set where it
    comes out of ``file``, a zip. unpack: a zip that had to be fetched whole for some designs in it.
    """

    path: str
    file: RemoteFile
    kind: str
    design: str | None = None
    member: Member | None = None
    unpack: bool = False

    @property
    def size(self) -> int | None:
        """Bytes on disk; None where the server does not say."""
        return self.file.size if self.member is None else self.member.size

    @property
    def cost(self) -> int:
        """Bytes over the network, as far as is known."""
        return (self.file.size or 0) if self.member is None else self.member.cost

    @property
    def checksum(self) -> Checksum | None:
        return self.file.checksum if self.member is None else Checksum("CRC-32", f"{self.member.crc:08x}")

    def row(
        self,
        server: str,
        state: FileState,
        size: int | None,
        mtime_ns: int | None = None,
        checked_ns: int | None = None,
    ) -> CorpusFile:
        """What the catalogue keeps of it."""
        checksum = self.checksum
        return CorpusFile(
            path=self.path,
            kind=self.kind,
            design=self.design,
            size=size,
            mtime_ns=mtime_ns,
            checksum_type=checksum.kind if checksum else None,
            checksum=checksum.value if checksum else None,
            checked_ns=checked_ns,
            url=f"{server}{self.file.path}" + (f"#{quote(self.member.name, safe='')}" if self.member else ""),
            datafile_id=self.file.id,
            state=state,
        )


def source_of(row: CorpusFile) -> tuple[str, RemoteFile, str] | None:
    """Server, remote file and member's name ("" for a whole file) of a file that came over the network once."""
    if not row.url or not row.datafile_id:
        return None
    parts = urlsplit(row.url)
    member = unquote(parts.fragment)
    checksum = None if member else checksum_of(row.checksum_type, row.checksum)
    file = RemoteFile(
        dataset="",
        id=row.datafile_id,
        name=PurePosixPath(row.path).name,
        folder="",
        size=None if member else row.size,
        checksum=checksum,
        original="format=original" in parts.query,
    )
    return f"{parts.scheme}://{parts.netloc}", file, member


def kind_of(file: RemoteFile, content: str | None) -> str:
    """What a file holds, as the catalogue calls it; "" for a file that is nothing of a corpus.

    content: the kind of files that its dataset holds, where that is known.
    """
    suffix = PurePosixPath(file.name.lower()).suffix
    if suffix == ".zip":
        return "archive"
    if suffix in TABLE_SUFFIXES:
        return "table"
    return drivaernet.kind_of(f"{content or ''}/{file.folder}/{file.name}") or ""


def is_hopeless(error: DrivAerError, item: Item) -> bool:
    """Whether the next file will fare no better."""
    if isinstance(error, Refused):
        return error.kind == "guestbook" or (error.kind == "token" and not item.file.restricted)
    return isinstance(error, StaysAway)
