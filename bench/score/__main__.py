"""Decisions on certificates whose right answer is known, against that answer.

    make score NAME=dcc [DATA=FOLDER]        python -m bench.score dcc [--data FOLDER]

The folder (default ../shared/data/NAME) has a MANIFEST.csv with the columns of those there. The last line printed is

    {"files": …, "agree": …, "disagree": ["path: expected … got …"], "defective": ["path: reason"]}

`files` are those that were scored, attacks included; a file that the manifest marks as defective is not one of them, but is
listed with the manifest's reason. What is missing, broken or makes the gate's code raise is a disagreement that says so.
"""

import argparse
import importlib
import sys
from pathlib import Path
from types import ModuleType

from bench.common import progress
from bench.score.scoring import Unreadable, score


def _collections() -> list[str]:
    modules = {path.stem for path in Path(__file__).parent.glob("*.py")}
    return sorted(modules - {"__init__", "__main__", "scoring"})


def main() -> None:
    """Score one collection."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.score", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=_collections(), help="the collection")
    parser.add_argument("--data", type=Path, help="its folder; default ../shared/data/NAME")
    options = parser.parse_args()
    folder: Path = options.data or Path("../shared/data", options.name)
    collection: ModuleType = importlib.import_module(f"bench.score.{options.name}")
    try:
        cases = list(collection.cases(folder))
    except Unreadable as error:
        sys.exit(f"no collection to score: {error}; name its folder with DATA=FOLDER (make) or --data FOLDER")
    total = score(progress(cases, f"score {options.name}"))
    for remark, times in total.remarks.items():
        print(f"{times} × {remark}", file=sys.stderr)
    print(total.as_json())


if __name__ == "__main__":
    main()
