"""One download from the first question to the last file, for a terminal, a window's job or a script.

    request = DownloadRequest("drivaernet", Path("corpus"), count=50)
    download = Download(request)
    plan = download.plan()
    result = download.run(plan, accepted_by="question", on_progress=print)

``download.control`` pauses and cancels it from another thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from data.catalogue import CATALOGUE_NAME, open_catalogue
from data.control import Control
from data.corpora import drivaernet
from data.download.choice import choice_of
from data.download.dataverse import server_of
from data.download.get import CONNECTIONS, DownloadResult, carry_out, working_in
from data.download.licences import accept_licences
from data.download.plan import DownloadPlan, measured
from data.download.planner import Planner, datasets_of
from data.download.progress import OnProgress, Say, silent
from data.download.retries import Patience
from data.download.transport import Transport


@dataclass(frozen=True)
class DownloadRequest:
    """What somebody wants. dataset: a corpus's name or a DOI. what, classes, ids: lists with commas between, as typed.

    count: designs at most. split: train, val or test. server: Harvard's unless given.
    """

    dataset: str
    folder: Path
    what: str | None = None
    classes: str | None = None
    ids: str | None = None
    count: int | None = None
    split: str | None = None
    server: str | None = None


class Download:
    """Raises DrivAerError for what means nothing; asks nobody yet. token: for files that want one."""

    def __init__(
        self,
        request: DownloadRequest,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        control: Control | None = None,
        say: Say = silent,
    ):
        self.control = control or Control()
        self._folder = Path(request.folder)
        self._say = say
        choice = choice_of(request.what, request.classes, request.ids, request.count, request.split)
        self._datasets, kinds = datasets_of(request.dataset, choice.kinds)
        self._choice = replace(choice, kinds=kinds)
        server = server_of(request.server or drivaernet.SERVER)
        self.transport = Transport(server, token, patience=patience, control=self.control, say=say)

    def plan(self) -> DownloadPlan:
        """What would be done. Nothing is written. Raises DrivAerError, Cancelled."""
        planner = Planner(self.transport, self._folder, self._choice)
        if not (self._folder / CATALOGUE_NAME).is_file():
            return measured(planner.plan(self._datasets, None), self.transport, None)
        with open_catalogue(self._folder, read_only=True) as catalogue:
            return measured(planner.plan(self._datasets, catalogue), self.transport, catalogue)

    def run(
        self, plan: DownloadPlan, *, accepted_by: str, connections: int = CONNECTIONS, on_progress: OnProgress = silent
    ) -> DownloadResult:
        """Do it. Call it only after somebody accepted the plan's licences, which is written down.

        accepted_by: flag or question. on_progress: called in this thread, a few times a second.
        Raises DiskFull, Cancelled (what came stays, and another run goes on from it), DrivAerError.
        """
        with working_in(self._folder), open_catalogue(self._folder) as catalogue:
            accept_licences(catalogue, plan.licences, accepted_by)
            return carry_out(
                plan,
                self.transport,
                catalogue,
                replan=self.plan,
                connections=connections,
                on_progress=on_progress,
                say=self._say,
            )
