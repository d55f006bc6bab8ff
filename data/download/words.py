"""Transfers in words: bytes, times, and what a plan would do."""

from __future__ import annotations

from collections.abc import Sequence

from data.download.plan import DownloadPlan


def bytes_in_words(n_bytes: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.3g} {unit}"
    return f"{n_bytes:.0f} bytes"


def time_in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plan_in_words(plan: DownloadPlan) -> list[str]:
    """Lines for a person: from where, how much, how long, and what cannot be had; the licences come after them."""
    datasets = ", ".join(listing.dataset.doi + _version(listing.terms.version) for listing in plan.listings)
    there = f", {len(plan.there)} of them there already" if plan.there else ""
    seconds = ""
    if plan.seconds and plan.rate:
        seconds = f", about {time_in_words(plan.seconds)} at {bytes_in_words(plan.rate)}/s"
    globus = [item for item in plan.to_fetch if item.file.wants_globus]
    return [
        f"{datasets} from {plan.server}",
        f"  {len(plan.items)} files{there}; {bytes_in_words(plan.bytes_needed)} to fetch into {plan.folder}",
        f"  {bytes_in_words(plan.bytes_free)} free there{seconds}",
        *([f"  {len(globus)} of them are on a store that may want Globus"] if globus else []),
        *(f"  {note}" for note in plan.notes),
        *(f"  {line}" for line in plan.failed),
        *([f"  not there: {few(plan.not_found)}"] if plan.not_found else []),
    ]


def few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _version(version: str) -> str:
    return f" (version {version})" if version else ""
