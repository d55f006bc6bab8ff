"""How true the model is to what others measured and computed: `python benchmarks/outside.py` fills docs/outside.md.

It asks the bundled model for every car of ../shared that has a truth, keeps the answers in outside.json beside this
script, and writes the tables there and the short one in README.md. Stop it whenever you like: the same command goes on.
A changed model is asked everything anew. `--tables` asks nothing; `--again car/ bent/` asks again what begins so, for
when geometry or handles have changed; `--model NAME` judges another model and prints its tables instead.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import outside_tables as tables  # noqa: E402
from benchmarks.marks import replace_between  # noqa: E402
from benchmarks.outside_aims import Metrics, aims_table, in_words, intervals  # noqa: E402
from benchmarks.outside_cars import BENT, DRIVAERML_TABLES, Answer, Answers, Question  # noqa: E402
from benchmarks.outside_handles import handle_questions, verdict  # noqa: E402
from benchmarks.outside_truth import (  # noqa: E402
    SHARED,
    SOURCES,
    ahmed_questions,
    car_rows,
    pressure_questions,
    sample_questions,
)
from drivaer_app.paths import RESOURCES  # noqa: E402
from factory.published_effects import Effect, drivaerml_effects  # noqa: E402
from gnn.checkpoints import METRICS  # noqa: E402

DOCS, README = ROOT / "docs" / "outside.md", ROOT / "README.md"
FIGURES = ROOT / "benchmarks" / "outside.json"
BUNDLED = RESOURCES / "models" / "drivaer"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", action="store_true", help="write the tables from what is answered")
    parser.add_argument("--again", nargs="+", default=(), metavar="START", help="ask again what begins so")
    parser.add_argument("--only", nargs="+", default=(), metavar="START", help="ask nothing but what begins so")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (2)")
    parser.add_argument("--model", metavar="NAME", help="judge this model and print the tables")
    options = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"the truths lie in {SHARED.name} beside the repository, which is not there")
    file = ROOT / "build" / "outside" / f"{Path(options.model).name}.json" if options.model else FIGURES
    answers = Answers(file, options.model)
    effects, r2, n_runs = drivaerml_effects(DRIVAERML_TABLES)
    if not options.tables:
        if options.again:
            answers.of = {key: a for key, a in answers.of.items() if not key.startswith(tuple(options.again))}
        wanted = [q for q in questions(effects) if not options.only or q.key.startswith(tuple(options.only))]
        _ask(answers, wanted, options.jobs)
    bundled = BUNDLED.parent / (options.model or BUNDLED.name)  # a path stays itself
    metrics = metrics_of(bundled if bundled.is_dir() else Path(options.model))
    content = content_of(answers.of, effects, metrics)
    content |= {"outside-model": f"Model `{answers.model}`.", "outside-truth": _fit_line(r2, n_runs)}
    if options.model:
        print("\n\n".join(content.values()))
        return
    for name, text in content.items():
        replace_between(name, text, DOCS)
    replace_between("outside", content["outside-aims"], README)


def questions(effects: Mapping[str, Effect]) -> list[Question]:
    """All of them, what is most worth having first."""
    cars = {row.question.key: row.question for row in car_rows()}
    return [
        *cars.values(),
        *sample_questions(),
        *handle_questions(effects),
        *pressure_questions(),
        *ahmed_questions(),
    ]


def _ask(answers: Answers, wanted: list[Question], jobs: int) -> None:
    started, n_new = time.perf_counter(), sum(q.key not in answers.of for q in wanted)
    for n, key in enumerate(answers.ask(wanted, jobs), 1):
        seconds = time.perf_counter() - started
        print(f"{n} of {n_new}, {seconds / n:.1f} s each  {key}", flush=True)


def metrics_of(model: Path) -> Metrics:
    """As the model's folder has them; empty where it has none."""
    file = model / METRICS
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def content_of(answers: Mapping[str, Answer], effects: Mapping[str, Effect], metrics: Metrics) -> dict[str, str]:
    """What docs/outside.md has between its marks, of what is answered."""
    verdicts = {car: verdict(effects, tables.slopes_of(car, answers)) for car in BENT}
    lines = {
        "cars": tables.cars_table(answers),
        "left-out": tables.left_out_table(metrics),
        "sources": (f"- *{name}*: {note}." for name, note in SOURCES.items()),
        "pairs": tables.pairs_table(answers),
        "effects": tables.effects_table(answers, effects),
        "handles": tables.handles_table(),
        "ahmed": tables.ahmed_table(answers),
        "cp": tables.pressure_table(answers),
        "intervals": [intervals(answers)],
        "aims": aims_table(answers, verdicts, metrics),
        "words": in_words(answers, verdicts),
    }
    return {f"outside-{name}": "\n".join(rows) for name, rows in lines.items()}


def _fit_line(r2: float, n_runs: int) -> str:
    return f"{n_runs} runs of DrivAerML, ordinary least squares on sixteen parameters and a constant: R2 {r2:.3f}."


if __name__ == "__main__":
    main()
