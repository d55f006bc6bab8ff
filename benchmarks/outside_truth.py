"""What others measured and computed, as `benchmarks/outside.py` compares with it: values, sources, terms, effects.

Numbers that a table in ../shared holds are read from there; what stands here are the few that only papers give.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.outside_cars import (  # noqa: E402
    AHMED_TABLES,
    CARS,
    SAMPLES,
    SHARED,
    Question,
    ahmed_runs,
    ask,
    ask_ahmed_run,
    ask_corpus_car,
    ask_drivaer,
    ask_pressure,
    ask_tunnel_ahmed,
)
from data.corpora import wind_tunnel  # noqa: E402
from data.corpora.published_runs import read_manifest  # noqa: E402
from data.corpora.tables import number, read_table  # noqa: E402

TUNNEL, SERIES, NETPP, AHMED_TUNNEL, AHMEDML_LES = "TUM", "mlsimkit", "DrivAerNet++", "Ahmed", "AhmedML"
SOURCES = {
    TUNNEL: "DrivAer in the tunnel of TU Munich, moving ground, turning wheels, mirrors: Heft, Indinger & Adams, "
    "SAE 2012-01-0168 and ASME FEDSM2012-72272, as later work quotes them; no original at hand",
    SERIES: "another group's CFD of seven DrivAer configurations in 40 % scale, two of them as meshes of 1,600 faces "
    "(awslabs/ai-surrogate-models-in-engineering-on-aws, Apache-2.0)",
    NETPP: "DrivAerNet++, RANS on 8 to 16 million cells (arXiv 2406.09624); **CC BY-NC 4.0: only compared with**",
    AHMED_TUNNEL: "Ahmed, Ramm & Faltin, SAE 840300 (1984), 60 m/s, fixed floor, on stilts, on the body's section",
    AHMEDML_LES: "AhmedML, hybrid RANS-LES on 20 million cells (arXiv 2407.20801, CC BY-SA 4.0)",
}
LEVELS = wind_tunnel.DRIVAER
_ROOF = {"fastback": "the real one", "notchback": "roof line drawn", "estate": "run 1's roof line"}
_FLOOR = {"detailed": "", "smooth": ", closed panels"}
_BENT = {"fastback": "the real one", "notchback": "bent as in our corpus", "estate": "bent as in our corpus"}
_PLATE = {"detailed": "", "smooth": ", a plate for a floor"}
SERIES_CD = {"run1": 0.3115, "run4": 0.26672}
SERIES_APART = {"estate": (43.0, 45.0), "notchback": (4.0, 4.0)}
"""Counts of Cd above the fastback over all seven configurations."""


@dataclass(frozen=True)
class Row:
    """A truth with the question that is asked for it.

    low, high: the truth, a range where several are quoted. is_counted: False where the geometry is known not to be that
    of the truth, and the row is only there to be seen.
    """

    what: str
    geometry: str
    low: float
    high: float
    source: str
    question: Question
    is_counted: bool = True


@dataclass(frozen=True)
class Pair:
    """A difference in Cd, in counts of 0.001, and the questions whose answers it is told from: ``more`` less ``less``.

    is_counted: as of a Row.
    """

    what: str
    geometry: str
    low: float
    high: float
    source: str
    more: str
    less: str
    is_counted: bool = True


def car_rows() -> list[Row]:
    """Every single car with a known Cd on its own area."""
    rows = []
    for (style, floor), (low, high) in LEVELS.items():
        what, geometry = f"DrivAer {style}, {floor} floor", _ROOF[style] + _FLOOR[floor]
        rows.append(Row(what, geometry, low, high, TUNNEL, tunnel_question(style, floor)))
    for (style, floor), (low, high) in LEVELS.items():
        if (style, floor) != ("fastback", "detailed"):  # which is the same
            geometry, question = _BENT[style] + _PLATE[floor], corpus_question(style, floor)
            rows.append(Row(f"({style}, {floor} floor)", geometry, low, high, TUNNEL, question, is_counted=False))
    for run, cd in SERIES_CD.items():
        file = CARS / "mlsimkit_drivaer" / f"{run}_full_car_derived.stl"
        style = {"run1": "estate", "run4": "fastback"}[run]
        rows.append(_file_row(f"DrivAer {style}, {run}", "its own mesh, 1,600 faces", cd, SERIES, file))
    for file in sorted(CARS.glob("DrivAer_*.pcd")):
        name = file.stem.removeprefix("DrivAer_")
        rows.append(_file_row(f"DrivAerNet {name}", "its own points", _drivaernet_cd(name), NETPP, file))
    for slant, cd in wind_tunnel.AHMED.items():
        question = Question(f"car/Ahmed {slant:g}", ask_tunnel_ahmed, (slant,))
        rows.append(Row(f"Ahmed body, {slant:g}°", "drawn by us", cd, cd, AHMED_TUNNEL, question))
    file = CARS / "ahmed_rajkumar.stl"
    rows.append(_file_row("Ahmed body, 25°", "drawn by somebody else", wind_tunnel.AHMED[25.0], AHMED_TUNNEL, file))
    for run in (1, 2, 3):
        file = CARS / "mlsimkit_ahmed" / f"ahmed_{run}_downsampled.stl"
        cd = ahmed_runs()[run].cd_own
        rows.append(_file_row(f"AhmedML {run}", "the published surface, thinned", cd, AHMEDML_LES, file))
    return rows


def _file_row(what: str, geometry: str, cd: float, source: str, file: Path) -> Row:
    return Row(what, geometry, cd, cd, source, Question(f"car/{file.stem}", ask, (file,)))


def _drivaernet_cd(name: str) -> float:
    table = read_table(SHARED / "reference" / "drivaernet" / "tables" / "DrivAerNetPlusPlus_Cd_8k_Updated.csv")
    at = table.column("cd")
    return next(number(row[at]) for row, design in zip(table.rows, table.ids(), strict=True) if design == name)


def sample_questions() -> list[Question]:
    """The bundled samples, which no tunnel knows: only differences between them are compared."""
    return [Question(f"car/sample {file.stem}", ask, (file,)) for file in sorted(SAMPLES.glob("*.stl"))]


def pairs() -> list[Pair]:
    """Every difference with a known truth."""
    run1, run4 = (f"car/{run}_full_car_derived" for run in SERIES_CD)
    series = 1000 * (SERIES_CD["run1"] - SERIES_CD["run4"])
    rows = []
    for style in ("fastback", "notchback", "estate"):
        truth = _apart(LEVELS[style, "smooth"], LEVELS[style, "detailed"])
        more, less = (tunnel_question(style, floor).key for floor in ("smooth", "detailed"))
        rows.append(Pair(f"{style}: smooth less detailed floor", "closed panels", *truth, TUNNEL, more, less))
    truth = _apart(LEVELS["fastback", "smooth"], LEVELS["fastback", "detailed"])
    more, less = (corpus_question("fastback", floor).key for floor in ("smooth", "detailed"))
    rows.append(
        Pair(
            "(fastback: smooth less detailed floor)",
            "a plate, as in our corpus",
            *truth,
            TUNNEL,
            more,
            less,
            is_counted=False,
        )
    )
    rows.append(Pair("estate less fastback", "run 1 less run 4", series, series, SERIES, run1, run4))
    for style, quoted in SERIES_APART.items():
        truth = _apart(LEVELS[style, "detailed"], LEVELS["fastback", "detailed"])
        more, less = (tunnel_question(body, "detailed").key for body in (style, "fastback"))
        rows.append(Pair(f"{style} less fastback", _ROOF[style], *truth, TUNNEL, more, less))
        more, less = (corpus_question(body, "detailed").key for body in (style, "fastback"))
        rows.append(Pair(f"({style} less fastback)", _BENT[style], *truth, TUNNEL, more, less, is_counted=False))
        more, less = f"car/sample {style}", "car/sample fastback"
        rows.append(Pair(f"{style} less fastback", "the bundled samples", *quoted, SERIES, more, less))
    return rows


def tunnel_question(style: str, floor: str) -> Question:
    """The car that is as near as we have the tunnel's."""
    if (style, floor) == ("fastback", "detailed"):
        return corpus_question(style, floor)  # it is the real one
    return Question(f"car/tunnel's {style}, {floor}", ask_drivaer, (style, floor))


def corpus_question(style: str, floor: str) -> Question:
    return Question(f"car/DrivAer {style}, {floor}", ask_corpus_car, (style, floor))


def _apart(more: tuple[float, float], less: tuple[float, float]) -> tuple[float, float]:
    """Counts between two ranges of Cd: the least and the most that they allow."""
    return round(1000 * (more[0] - less[1]), 2), round(1000 * (more[1] - less[0]), 2)


# AhmedML


def ahmed_tests() -> dict[str, tuple[int, ...]]:
    """Official test sets, those that are the same under one name; without runs that have no shape or a known flaw."""
    runs = ahmed_runs()
    names: dict[tuple[int, ...], list[str]] = {}
    for name, parts in read_manifest(AHMED_TABLES).items():
        sound = tuple(run for run in parts["test"] if runs[run].parameters and not runs[run].flaw)
        names.setdefault(sound, []).append(name)
    return {", ".join(of_set): tests for tests, of_set in names.items()}


def ahmed_left_out() -> list[int]:
    """Runs of the official test sets that are not compared with."""
    runs, every = ahmed_runs(), {run for parts in read_manifest(AHMED_TABLES).values() for run in parts["test"]}
    return sorted(run for run in every if runs[run].flaw or not runs[run].parameters)


def ahmed_questions() -> list[Question]:
    return [ahmed_question(run) for run in dict.fromkeys(run for tests in ahmed_tests().values() for run in tests)]


def ahmed_question(run: int) -> Question:
    return Question(f"ahmed/{run:03d}", ask_ahmed_run, (run,))


def pressure_questions() -> list[Question]:
    files = sorted((CARS / "mlsimkit_ahmed").glob("boundary_*_mapped.vtp"))
    return [Question(f"cp/{file.stem}", ask_pressure, (file,)) for file in files]
