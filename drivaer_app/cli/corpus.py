"""``drivaer corpus``: CFD of many designs, grown in the background, looked at, packed for training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from drivaer_app.cli.inputs import expand
from drivaer_app.cli.options import Area, AsJsonLines, Density, Forward, Units, Up
from drivaer_app.cli.terminal import BadUsage, Waiting, results_only, say

if TYPE_CHECKING:
    from data.corpora.case import Case
    from drivaer_app.corpus.status import CorpusStatus
    from drivaer_app.corpus.suggest import Suggestion

corpus = typer.Typer(
    help="Grow a corpus of CFD cases from our own cars, and look after it.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Work = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the corpus grows.")]


@corpus.command()
def grow(
    work: Work,
    families: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Styles, STYLE:SEED for random cars, car files, with commas between; all six styles unless given.",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="Designs of each family.")] = 100,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Processes, each on one core.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the designs' sequence; a corpus keeps the one it began with.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Mesh of the families: draft, coarse, medium, fine; coarse unless given.")
    ] = None,
    nice: Annotated[int, typer.Option(min=0, max=19, help="19 lets all other work go first, 0 none.")] = 19,
) -> int:
    """Solve design after design, behind all other work, until all are done or it is stopped.

    Stop it however you like; the same command goes on. FOLDER/log tells what it does, 'corpus status' how far it is.
    """
    from data.errors import DrivAerError
    from drivaer_app.cfd.find import find_openfoam
    from drivaer_app.cfd.run import RunStopped
    from drivaer_app.corpus.growth import GrowthPlan, sources_of
    from drivaer_app.corpus.growth import grow as grow_corpus
    from drivaer_app.corpus.settings import settled_settings

    find_openfoam()
    if preset is not None:
        from drivaer_app.cfd.presets import preset_of

        preset_of(preset)
    sources = sources_of(work, families)
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=work) from error
    settings = settled_settings(work, seed=seed, preset=preset)
    try:
        grow_corpus(GrowthPlan(work, sources, settings, count, nice), workers, say)
    except RunStopped as stopped:
        say(stopped.line)
        raise KeyboardInterrupt from stopped
    return 0


@corpus.command()
def status(
    work: Work,
    plot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Where the picture goes; FOLDER/status.png unless given.")
    ] = None,
) -> int:
    """Count designs and failures, estimate the time left, show the coefficients' ranges, and draw them."""
    from drivaer_app.corpus.plot import write_plot
    from drivaer_app.corpus.status import corpus_status

    found = corpus_status(work)
    _show(found)
    picture = plot or work / "status.png"
    write_plot(picture, found)
    typer.echo(f"  picture: {picture}")
    return 0


@corpus.command()
def noise(
    work: Work,
    families: Annotated[
        str | None, typer.Option(metavar="LIST", help="Of the corpus's families; all that are solved unless given.")
    ] = None,
    count: Annotated[
        int, typer.Option(min=0, metavar="N", help="Designs to measure beside each family's own car.")
    ] = 2,
) -> int:
    """Measure how uncertain the labels are: the same cars on a shifted mesh, and with twice the iterations."""
    from data.errors import DrivAerError
    from drivaer_app.cfd.run import RunStopped
    from drivaer_app.corpus.families import known_families
    from drivaer_app.corpus.growth import LOG, measure
    from drivaer_app.corpus.settings import load_settings

    known = {family.name: family for family in known_families(work, load_settings(work)) if family.solved}
    wanted = [name.strip() for name in families.split(",")] if families else [*known]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        has = ", ".join(known) or "no family that is solved"
        raise DrivAerError(f"no solved family {', '.join(unknown)}", file=work, fix=f"the corpus has {has}")
    try:
        measure([known[name] for name in wanted], work, count, say)
    except RunStopped as stopped:
        say(stopped.line)
        raise KeyboardInterrupt from stopped
    say(f"done; see 'corpus status {work}' and {work / LOG}")
    return 0


@corpus.command()
def pack(
    work: Work,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Corpus folder that is added to.")],
) -> int:
    """Add what has been grown to a published corpus: families, cases and index.csv, a few dozen kilobytes a design."""
    from drivaer_app.corpus.pack import pack as pack_corpus

    packed = pack_corpus(work, out)
    typer.echo(f"{packed.n_cases} cases, {packed.n_new} of them new, {packed.size / 1e6:.1f} MB in {out}")
    return 0


@corpus.command()
def add(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="CASE...", help="A case .npz, a folder of 'simulate', or a surface .vtp, .vtk, .vtu."),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Your corpus; one in your home unless given.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the case; the file's name unless given.")] = None,
    mesh: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The car's true surface, where the solver's is coarser.")
    ] = None,
    speed: Annotated[float, typer.Option(metavar="M/S", help="Of the wind in the surface's file.")] = 30.0,
    density: Density = 1.184,
    ambient: Annotated[float, typer.Option(metavar="P", help="Pressure far away, in the file's unit.")] = 0.0,
    area: Area = None,
    cd: Annotated[float | None, typer.Option(help="As the solver told it; from the surface unless given.")] = None,
    pressure: Annotated[
        Literal["auto", "kinematic", "pascal", "coefficient"],
        typer.Option(help="What the file's pressure is; auto: in which Cp is 1 where the flow comes to rest."),
    ] = "auto",
    units: Units = "auto",
    up: Up = "auto",
    forward: Forward = "auto",
) -> int:
    """Take your own CFD into a corpus of yours, which models can then be trained with."""
    if name is not None and len(sources) > 1:
        raise BadUsage("--name names one case, but several were given")
    with results_only() as stdout:
        from drivaer_app.corpus.user_cases import Reference, add_case
        from drivaer_app.paths import own_corpus

        reference = Reference(speed, density, ambient, area, pressure, cd)
        for source in sources:
            done = add_case(
                source,
                to or own_corpus(),
                name=name,
                mesh=mesh,
                reference=reference,
                unit=units,
                up=up,
                forward=forward,
            )
            parts = f"pressure {done.cd_pressure:.4f}, friction {done.cd_friction:.4f}"
            print(f"{done.path}  Cd {done.cd:.4f} ({parts}) on {done.frontal_area:.3f} m²", file=stdout)
            for warning in done.warnings:
                say(f"{source}: {warning}")
    return 0


@corpus.command()
def suggest(
    n: Annotated[int, typer.Argument(metavar="N", min=1, help="How many designs to name.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="Meshes, or folders of meshes, to choose from.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Choose from the next designs of this corpus.")
    ] = None,
    look_at: Annotated[
        int, typer.Option(min=1, metavar="N", help="Designs of each family to look at, two seconds each.")
    ] = 10,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="The model that is to learn.")] = None,
    as_json: AsJsonLines = False,
) -> int:
    """Name the designs whose simulation would teach the model most, the most telling first.

    Those count that are unlike what the model learnt from, or where its two answers disagree, and that are unlike
    each other.
    """
    if bool(files) == (work is not None):
        raise BadUsage("give either meshes or a corpus with --from to choose from")
    with results_only() as stdout:
        from drivaer_app.corpus.suggest import Candidate, designs_to_go
        from drivaer_app.corpus.suggest import suggest as suggest_designs
        from drivaer_app.predict import Reading, load

        if work is not None:
            candidates = designs_to_go(work, look_at)
        else:
            inputs = expand(files or [])
            for given in inputs:
                if given.error:
                    say(given.error)
            known = [given.file for given in inputs if not given.error]
            candidates = [Candidate(str(file), lambda file=file: load(file, Reading())) for file in known]
        waiting = Waiting(1)
        with waiting.on(f"looking at {len(candidates)} designs"):
            chosen = suggest_designs(candidates, n, model)
        for suggestion in chosen:
            print(_suggestion_json(suggestion) if as_json else _suggestion_line(suggestion), file=stdout)
    return 0


def _suggestion_line(s: Suggestion) -> str:
    return f"{s.candidate.name}  Cd {s.cd:.3f} ({s.cd_fields:.3f} from its fields), novelty {s.novelty:.2f}"


def _suggestion_json(s: Suggestion) -> str:
    import json

    numbers = {"cd": s.cd, "cd_low": s.cd_low, "cd_high": s.cd_high, "cd_fields": s.cd_fields, "novelty": s.novelty}
    rounded = {name: round(value, 5) for name, value in {**numbers, "worth": s.worth}.items()}
    return json.dumps({"name": s.candidate.name, **rounded, "values": s.candidate.values})


def _show(found: CorpusStatus) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for heading in ("family", "designs", "test", "failed", "Cd", "scatter", "Cl"):
        table.add_column(heading, justify="left" if heading == "family" else "right", no_wrap=True)
    failed = {name: sum(f.family == name for f in found.failures) for name in found.families}
    for name, solved in found.families.items():
        cases = found.of(name)
        n_test = sum(case.is_test for case in cases)
        ranges = _ranges(cases) if cases or solved else ("being made", "", "")
        table.add_row(name, str(len(cases)), str(n_test), str(failed[name]), *ranges)
    table.add_row("all", str(len(found.cases)), str(found.n_test), str(len(found.failures)), *_ranges(found.cases))
    console.print(table)
    for line in _facts(found):
        console.print(f"  {line}", soft_wrap=True)


def _ranges(cases: Sequence[Case]) -> tuple[str, str, str]:
    """``0.251–0.402``, mean scatter, and the same of Cl."""
    if not cases:
        return "", "", ""
    cd, cl, scatter = ([case.coefficients[key] for case in cases] for key in ("cd", "cl", "cd_std"))
    return (
        f"{min(cd):.3f}–{max(cd):.3f}",
        f"{sum(scatter) / len(scatter):.4f}",
        f"{min(cl):+.2f} to {max(cl):+.2f}",
    )


def _facts(found: CorpusStatus) -> list[str]:
    lines = []
    if found.seconds:
        lines.append(f"a design takes {found.seconds:.0f} s")
    if found.running:
        left = f", about {_duration(found.seconds_left)} left" if found.seconds_left else ""
        lines.append(f"running: {', '.join(found.running)}; {found.n_left} designs to go{left}")
    elif found.n_left:
        lines.append(f"nothing runs; {found.n_left} designs to go: 'corpus grow {found.work}' goes on")
    lines += [f"failed: {failure.name}, {failure.reason}" for failure in found.failures[-5:]]
    lines += [f"noise, {line}" for line in found.noise]
    return lines


def _duration(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
