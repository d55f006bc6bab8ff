"""What the catalogue holds: designs and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FileState = Literal["here", "partial", "remote", "bad", "missing"]
"""here: on disk, in its full size as far as that is known. partial: begun, not all of it. remote: known of a server
only. bad: on disk with a wrong checksum, or unreadable. missing: was here once."""

LABELS = ("cd", "cd_std", "cl", "cl_std", "clf", "clr", "area", "cd_first")
"""The measured columns of a design. Coefficients refer to what label_version says, area is frontal, m²; cd_first is Cd
as DrivAerNet first published it."""


@dataclass(frozen=True)
class Design:
    """One car of a corpus.

    id: unique in the catalogue. corpus: drivaernet, drivaerml, cases, ... design_class: its family there.
    style: fastback | estate | notchback | ... underbody: detailed | smooth. wheels: open detailed | open smooth |
    closed.
    cd ... cd_first: see LABELS. label_version: what the coefficients refer to, such as ``updated`` or ``first``.
    split: train | val | test. parameters: by name, in the corpus's own units. Unknown is None throughout.
    """

    id: str
    corpus: str
    design_class: str | None = None
    style: str | None = None
    underbody: str | None = None
    wheels: str | None = None
    cd: float | None = None
    cd_std: float | None = None
    cl: float | None = None
    cl_std: float | None = None
    clf: float | None = None
    clr: float | None = None
    area: float | None = None
    cd_first: float | None = None
    label_version: str | None = None
    split: str | None = None
    notes: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CorpusFile:
    """A file of a corpus, on disk, in an archive on disk, or still on a server.

    path: below the catalogue's root, with forward slashes. member: its name inside of ``path`` where that is an archive
        and the file is not unpacked, else "". design: the id of the design that it is of; None for archives and tables.
    kind: mesh | pressure | wall_shear | case | cfd | annotation | sketch | rendering | archive | table | split.
    size: bytes, of the file as unpacked. mtime_ns: of ``path``, as it was when looked at.
    checksum_type, checksum: what the file should have, such as ("MD5", "9e107d..."), lower case. checked_ns: when the
        bytes on disk were last found to have it. url, datafile_id: where it comes from.
    """

    path: str
    kind: str
    design: str | None = None
    member: str = ""
    size: int | None = None
    mtime_ns: int | None = None
    checksum_type: str | None = None
    checksum: str | None = None
    checked_ns: int | None = None
    url: str | None = None
    datafile_id: str | None = None
    state: FileState = "here"
