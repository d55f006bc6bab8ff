"""The table of docs/report_columns.md: ``python benchmarks/report_columns.py --write docs/report_columns.md``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.marks import show_rows


def main() -> None:
    from drivaer_app.report.columns import COLUMNS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE")
    rows = ["| column | unit | meaning |", "|---|---|---|"]
    rows += [f"| `{column.name}` | {column.unit} | {column.about.replace('|', chr(92) + '|')} |" for column in COLUMNS]
    show_rows(rows, parser.parse_args().write)


if __name__ == "__main__":
    main()
