"""What a desk tells its face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivaer_app.desk.jobs import Job


@dataclass(frozen=True)
class Event:
    """Something that a face shows.

    kind: ``study`` (any edit), ``prediction`` (key's), ``drawn`` (key's mesh is there), ``job``,
    ``layer`` (key's, its name in text), ``bent`` (there is more to know of key in ``morphing``),
    ``verified`` (there is more to know of key in ``verifications``),
    ``watched`` (key's file was saved again), ``appeared`` (a mesh in a watched folder, its path in text), ``note``.
    is_passing: of a note that tells of something that went well, and need not stay.
    """

    kind: str
    key: str = ""
    text: str = ""
    is_passing: bool = False
    job: Job | None = None


Notify = Callable[[Event], None]
"""Called from any thread."""
