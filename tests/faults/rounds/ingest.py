"""`menshen office ingest` with its waits shortened and, for a control, without a protection.

python -m tests.faults.rounds.ingest TIMES WITHOUT [arguments of `menshen office ingest`]
"""

import sys

import django

from tests.faults.rounds.careless import OFFICE, take_away
from tests.faults.rounds.hurry import hurry, hurry_office


def main() -> None:
    """Run it until SIGTERM."""
    times, without, *arguments = sys.argv[1:]
    hurry(float(times))
    django.setup()
    hurry_office(float(times))
    take_away(without, OFFICE)
    from menshen.cli import main as menshen

    sys.argv = ["menshen", "office", "ingest", *arguments]
    menshen()


if __name__ == "__main__":
    main()
