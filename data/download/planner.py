"""Finding out what a download will do: what the server has, and what of it is wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

from data.catalogue import Catalogue
from data.corpora import drivaernet
from data.corpora.drivaernet import DesignId, find_class, find_id
from data.download.choice import Choice, ids_in, in_order
from data.download.dataverse import RemoteFile, doi_of, files_of, terms_of
from data.download.items import COEFFICIENTS, Item, is_hopeless, kind_of
from data.download.licences import Dataset, DatasetListing, accepted_licences
from data.download.names import distinct, safe_path
from data.download.part_file import bytes_of_part
from data.download.plan import DownloadPlan, bytes_free, is_there
from data.download.remote_bytes import Changed, NoRanges, RemoteBytes
from data.download.remote_zip import Member, ZipDirectory
from data.download.retries import StaysAway
from data.download.transport import Refused, Transport
from data.errors import DrivAerError

PER_ARCHIVE = 500
"""Designs of a class of several zips in each of them."""

_DIRECTORIES_AT_ONCE = 4
_UNNAMED = ("cfd", "annotation", "sketch", "rendering")
"""Contents of datasets whose files do not say by their suffix what they hold."""

DEFAULT_KINDS = frozenset({"mesh", "pressure", COEFFICIENTS})


def datasets_of(name: str, kinds: frozenset[str] | None) -> tuple[list[Dataset], frozenset[str] | None]:
    """The datasets that a corpus's name or a DOI means, and the kinds of files wanted of them. Raises DrivAerError."""
    doi = doi_of(name)
    if doi is not None:
        content = next((kind for kind, known in drivaernet.DATASETS.items() if known == doi), None)
        return [Dataset(doi, content)], kinds
    if name.strip().lower() not in (drivaernet.NAME, "drivaernet++"):
        fix = f"give {drivaernet.NAME}, or a DOI such as {drivaernet.DATASETS['mesh']}"
        raise DrivAerError(f"{name!r} is neither a corpus nor a DOI", fix=fix)
    kinds = kinds or DEFAULT_KINDS
    contents = [kind for kind in drivaernet.DATASETS if kind in kinds] or ["mesh"]
    return [Dataset(drivaernet.DATASETS[kind], kind, kind) for kind in contents], kinds


class Planner:
    """Finds out what there is and what of it is wanted. Raises DrivAerError, Cancelled."""

    def __init__(self, transport: Transport, folder: Path, choice: Choice):
        self._transport = transport
        self._folder = folder
        self._choice = choice
        self._zips: dict[str, ZipDirectory] = {}
        self._notes: list[str] = []
        self._failed: list[str] = []

    def plan(self, datasets: Sequence[Dataset], catalogue: Catalogue | None) -> DownloadPlan:
        listings = self._listings(datasets)
        self._choice = self._with_split(listings)
        with ThreadPoolExecutor(_DIRECTORIES_AT_ONCE) as pool:  # for the directories of zips
            found = [candidate for listing in listings for candidate in self._candidates(listing, pool)]
        chosen, not_found = self._chosen(found)
        items = self._named(listings, chosen)
        rows = {row.path: row for row in catalogue.files() if not row.member} if catalogue else {}
        there = frozenset(item.path for item in items if is_there(self._folder, item, rows.get(item.path)))
        begun = sum(bytes_of_part(self._folder / item.path) for item in items if item.path not in there)
        return DownloadPlan(
            folder=self._folder,
            server=self._transport.server,
            choice=self._choice,
            listings=tuple(listings),
            items=tuple(items),
            there=there,
            begun=begun,
            bytes_free=bytes_free(self._folder),
            not_found=tuple(not_found),
            zips=self._zips,
            failed=tuple(self._failed),
            notes=tuple(self._notes),
            accepted=accepted_licences(catalogue) if catalogue else frozenset(),
        )

    def _listings(self, datasets: Sequence[Dataset]) -> list[DatasetListing]:
        """Of each dataset. One that cannot be had does not keep the others from being fetched."""
        listings = []
        for dataset in datasets:
            try:
                files = files_of(self._transport, dataset.doi)
                listings.append(DatasetListing(dataset, tuple(files), terms_of(self._transport, dataset.doi)))
            except DrivAerError as error:
                if len(datasets) == 1 or isinstance(error, StaysAway):
                    raise
                self._failed.append(error.line)
        if not listings:
            raise DrivAerError(self._failed[0])
        return listings

    def _with_split(self, listings: Sequence[DatasetListing]) -> Choice:
        """The choice with its split's ids: from a list in the folder, or in a dataset."""
        split = self._choice.split
        if split is None:
            return self._choice
        name = f"{split}_design_ids.txt"
        here = next(iter(sorted(self._folder.rglob(name))), None) if self._folder.is_dir() else None
        ids = frozenset[str]()
        if here is not None:
            ids = ids_in(here.read_text(encoding="utf-8-sig", errors="replace"))
        else:
            remote = next((f for listing in listings for f in listing.files if f.name == name), None)
            if remote is not None:
                text = b"".join(RemoteBytes(self._transport, remote).stream())
                ids = ids_in(text.decode("utf-8-sig", errors="replace"))
        if not ids:
            fix = f"put DrivAerNet's {name} (train_val_test_splits in its repository) there, or give it with --ids FILE"
            raise DrivAerError(f"which designs are the {split} split is not known", file=self._folder, fix=fix)
        wanted = ids if self._choice.ids is None else self._choice.ids & ids
        return replace(self._choice, ids=wanted, split=None)

    def _candidates(self, listing: DatasetListing, pool: ThreadPoolExecutor) -> list[Item]:
        """What of a dataset may be wanted, as items whose path is still the server's."""
        content = listing.dataset.content
        candidates: list[Item] = []
        archives = []
        for file in listing.files:
            kind = kind_of(file, content)
            if kind == "archive" and _exact_id(file.name.rpartition(".")[0]) is None:
                archives.append(file)
            elif kind == "table":
                if self._choice.admits_kind(kind):
                    candidates.append(Item("", file, kind))
            elif self._choice.admits_kind(content or kind) and self._wants_loose(file):
                candidates.append(Item("", file, kind or "other", _spelled(find_id(file.name))))
        for items in pool.map(lambda file: self._of_archive(file, content), archives):
            candidates += items
        return candidates

    def _wants_loose(self, file: RemoteFile) -> bool:
        return self._choice.admits(find_id(file.name))

    def _of_archive(self, file: RemoteFile, content: str | None) -> list[Item]:
        choice = self._choice
        if not choice.admits_archive(file.name) or (content and not choice.admits_kind(content)):
            return []
        by_kind = choice.kinds is not None and content is None
        whole = Item("", file, "archive")
        if not by_kind and (not choice.picks_designs or (not choice.picks_within_classes and find_class(file.name))):
            return [whole]
        try:
            remote = self._zips[file.id] = self._directory(file)
        except NoRanges:
            cost = f"{(file.size or 0) / 1e6:,.1f} MB"
            named = f"{file.folder}/{file.name}".strip("/")
            self._notes.append(f"the server sends {named} only whole: single designs cost all of its {cost}")
            return [replace(whole, unpack=True)]
        except DrivAerError as error:
            if is_hopeless(error, whole):
                raise
            if file.wants_globus or (isinstance(error, Refused) and error.kind == "globus"):
                return [replace(whole, unpack=True)]
            self._failed.append(error.line)
            return []
        wanted = [(m, kind) for m in remote.members if (kind := self._kind_of_member(file, m, content)) is not None]
        if not choice.picks_designs and len(wanted) == len(remote.members):
            return [whole]
        return [Item("", file, kind, _spelled(design_in(m.name)), member=m) for m, kind in wanted]

    def _directory(self, file: RemoteFile) -> ZipDirectory:
        try:
            return ZipDirectory(RemoteBytes(self._transport, file))
        except Changed:
            return ZipDirectory(RemoteBytes(self._transport, file))

    def _kind_of_member(self, file: RemoteFile, member: Member, content: str | None) -> str | None:
        """The kind of a member that is wanted, else None."""
        kind = drivaernet.kind_of(f"{content or ''}/{file.folder}/{file.name}/{member.name}")
        if kind is None and content in _UNNAMED:
            kind = content
        if kind is None or not self._choice.admits_kind(content or kind):
            return None
        return kind if self._choice.admits(design_in(member.name)) else None

    def _chosen(self, found: list[Item]) -> tuple[list[Item], list[str]]:
        """What is fetched of the candidates, and which designs were asked for and are not among them."""
        choice = self._choice
        unseen = any(item.unpack for item in found)
        by_kind: dict[str, set[str]] = {}
        for item in found:
            if item.design:
                by_kind.setdefault(item.kind, set()).add(item.design)
        if choice.count is not None:
            common = set.intersection(*by_kind.values()) if by_kind else set()
            wanted = in_order(common or set().union(*by_kind.values()))[: choice.count]
            if len(wanted) < choice.count and not unseen:
                self._notes.append(f"only {len(wanted)} designs are there, not {choice.count}")
            if wanted:
                choice = self._choice = replace(choice, ids=frozenset(wanted))
            found = [item for item in found if item.design is None or item.design in wanted]
        if unseen:
            found = self._fewest_archives(found)
        seen = set().union(*by_kind.values()) if by_kind else set()
        missing = [] if choice.ids is None or unseen else in_order(choice.ids - seen)
        if not found and self._failed:
            raise DrivAerError(self._failed[0])
        if choice.ids is not None and not seen and not unseen:
            named = ", ".join(missing[:3]) + ("" if len(missing) <= 3 else f" and {len(missing) - 3} more")
            raise DrivAerError(f"the server has none of the designs that were asked for: {named}")
        return found, missing

    def _fewest_archives(self, found: list[Item]) -> list[Item]:
        """Where zips come only whole, those that the wanted designs should be in by their number."""
        choice = self._choice
        if choice.ids is not None:
            names = {drivaernet.archive_of(design).lower() for design in map(find_id, choice.ids) if design}
            named = {item.file.name.lower() for item in found if item.unpack}
            if names <= named:
                return [item for item in found if not item.unpack or item.file.name.lower() in names]
            return found
        if choice.count is None:
            return found
        enough = math.ceil(choice.count / PER_ARCHIVE)
        kept: dict[str, int] = {}
        result = []
        for item in found:
            if item.unpack:
                kept[item.file.dataset] = kept.get(item.file.dataset, 0) + 1
                if kept[item.file.dataset] > enough:
                    continue
            result.append(item)
        return result

    def _named(self, listings: Sequence[DatasetListing], chosen: Sequence[Item]) -> list[Item]:
        """The items with the paths that they get; no two alike, all inside of the folder."""
        folders = {listing.dataset.doi: listing.dataset.folder for listing in listings}
        taken: set[str] = set()
        named = []
        for item in chosen:
            file = item.file
            labels = [folders[file.dataset], file.folder, file.name]
            if item.member is not None:
                stem = file.name.rpartition(".")[0] or file.name
                inside = item.member.name.replace("\\", "/").removeprefix(f"{stem}/")
                labels[-1:] = [stem, inside]
            path = distinct(safe_path(*labels), taken, int(file.id))
            named.append(replace(item, path=str(path)))
        return named


def _spelled(design: DesignId | None) -> str | None:
    return None if design is None else str(design)


def design_in(name: str) -> DesignId | None:
    """The design that a zip's member is of, by its name or else by a folder's."""
    path = PurePosixPath(name)
    folders = (found for part in reversed(path.parts[:-1]) if (found := _exact_id(part)))
    return find_id(path.name) or next(folders, None)


def _exact_id(name: str) -> DesignId | None:
    """An id with all its digits: F_D_WM_WW_1 is the first archive of its class, and no design."""
    found = find_id(name)
    return found if found is not None and name.upper() == str(found) else None
