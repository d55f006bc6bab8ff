"""Datasets, and under which licence they are given: shown, accepted once, and written down in the catalogue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from data.catalogue import Catalogue
from data.corpora import drivaernet
from data.download.dataverse import RemoteFile, Terms

_FACT = "licence_accepted"


@dataclass(frozen=True)
class Dataset:
    """One dataset to take from. content: the kind of its files, where all are of one. folder: below the corpus's."""

    doi: str
    content: str | None = None
    folder: str = ""


@dataclass(frozen=True)
class DatasetListing:
    """What a server says of a dataset."""

    dataset: Dataset
    files: tuple[RemoteFile, ...]
    terms: Terms


def licence_of(listing: DatasetListing) -> tuple[str, str]:
    """What is to be accepted for a dataset: DrivAerNet's own words where it is one of its datasets."""
    if listing.dataset.doi in drivaernet.DATASETS.values():
        return drivaernet.LICENCE_TEXT, drivaernet.LICENCE_URL
    if listing.terms.licence:
        return listing.terms.licence, listing.terms.url
    return f"whatever {listing.dataset.doi} is given under: its server names no licence", ""


def accepted_licences(catalogue: Catalogue) -> frozenset[str]:
    """Names of the licences that somebody accepted for the catalogue's folder."""
    return frozenset(entry["licence"] for entry in _entries(catalogue))


def accept_licences(catalogue: Catalogue, licences: Sequence[tuple[str, str]], how: str) -> None:
    """Write down that somebody accepted licences (name, address). how: flag or question.

    The catalogue's fact ``licence_accepted`` is a JSON list of objects: licence, url, accepted (UTC), by.
    """
    entries = _entries(catalogue)
    known = {entry["licence"] for entry in entries}
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    new = [{"licence": n, "url": url, "accepted": moment, "by": how} for n, url in licences if n not in known]
    if new:
        catalogue.set_fact(_FACT, json.dumps([*entries, *new]))


def _entries(catalogue: Catalogue) -> list[dict[str, str]]:
    return json.loads(catalogue.fact(_FACT) or "[]")
