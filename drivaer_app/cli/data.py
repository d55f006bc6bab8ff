"""``drivaer data``: corpora on a disk, found, looked through, made ready for training."""

from __future__ import annotations

import typer

from drivaer_app.cli.data_get import get
from drivaer_app.cli.data_look import export, info, list_designs, stats
from drivaer_app.cli.data_prepare import prepare
from drivaer_app.cli.data_scan import scan
from drivaer_app.cli.data_split import note, split, tag
from drivaer_app.cli.data_verify import repair, verify

data = typer.Typer(
    help="Find, browse and prepare corpora of cars: DrivAerNet, its neighbours and your own.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
data.command()(scan)
data.command("list")(list_designs)
for command in (info, stats, split, tag, note, export, prepare, get, verify, repair):
    data.command()(command)
