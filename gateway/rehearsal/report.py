"""What came of a simulated day, as tables for a terminal."""

from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from gateway.rehearsal.day import Day
from gateway.rehearsal.picture import LINE, blocks
from gateway.rehearsal.tally import AlarmTally, Tally


def print_report(day: Day, console: Console) -> None:
    """Print it all."""
    console.print(visits_table(day.tally))
    console.print(alarms_table(day.tally))
    for line in _lines(day):
        console.print(line, highlight=False)


def visits_table(tally: Tally) -> Table:
    """Visits by direction, outcome and reasons, the most frequent first."""
    table = Table("direction", "outcome", "reasons", title=f"{tally.visits.total()} visits", title_justify="left")
    table.add_column("visits", justify="right")
    for (direction, outcome, reasons), count in sorted(tally.visits.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(direction.value, outcome.value, ", ".join(reasons), str(count))
    return table


def alarms_table(tally: Tally) -> Table:
    """Alarms by kind: how many, how soon acknowledged, and whom they reached."""
    total = sum(each.raised for each in tally.alarms.values())
    table = Table(title=f"{total} alarms", title_justify="left", box=SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("alarm", no_wrap=True)
    for heading in ("raised", "again", "answered", "median", "longest", "by\nitself", "open"):
        table.add_column(heading, justify="right")
    table.add_column("level")
    for kind, each in sorted(tally.alarms.items(), key=lambda item: (-item[1].raised, item[0])):
        table.add_row(kind.value, *_alarm_cells(each))
    return table


def _alarm_cells(each: AlarmTally) -> list[str]:
    answers = each.answers_s
    return [
        str(each.raised),
        str(each.repeated),
        str(len(answers)),
        f"{median(answers):.0f} s" if answers else "",
        f"{max(answers):.0f} s" if answers else "",
        str(each.cleared),
        str(each.open),
        each.level.name.lower().replace("_", " "),
    ]


def _lines(day: Day) -> list[str]:
    longest, at = day.queue.longest.seconds, day.queue.longest.at
    when = f" at {day.scenario.policy.time_of_day(at)}" if at is not None else ""
    midnight_ms, inside = day.midnight.at_ms, day.tally.inside
    counts = [count for _, count in inside] or [0]
    scale = f"{'00:00':{LINE // 2}}{'12:00':{LINE // 2}}24:00"
    return [
        f"longest wait in the queue: {longest:.0f} s{when}; at most {day.queue.most} people in it",
        f"inside: {counts[-1]} at the end, at most {max(counts)}, at least {min(counts)}",
        blocks(inside, midnight_ms),
        scale,
    ]
