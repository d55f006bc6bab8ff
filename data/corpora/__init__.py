"""Corpora of cars with CFD results: what is known of each, and how it is read."""

from __future__ import annotations


def licence_of(corpus: str) -> str | None:
    """Under which licence a published corpus is given; None for one that is nobody's but the user's."""
    from data.corpora import drivaernet
    from data.corpora.runs import RUN_CORPORA

    if corpus == drivaernet.NAME:
        return f"{drivaernet.LICENCE}, not for training of commercial tools"
    return RUN_CORPORA[corpus].licence if corpus in RUN_CORPORA else None
