"""A simulated day: the same seed is the same day, what is recorded decides itself again, and what is wrong with a scenario is told."""

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from gateway.config.problems import ConfigError
from gateway.config.tables import declared
from gateway.core.findings import Decision
from gateway.core.findings import replay as decided_again
from gateway.rehearsal.day import Day
from gateway.rehearsal.loading import load_day, sections
from gateway.rehearsal.picture import blocks, levels, svg
from gateway.rehearsal.report import alarms_table
from gateway.rehearsal.settings import Manner, Scenario
from gateway.rehearsal.tally import AlarmTally, Tally
from menshen.cli import main
from sync.contract.alarms import AlarmKind, Level
from sync.contract.records import AlarmRecord, Body, Direction, Visit, VisitOutcome, encode_body
from tests.gateway.config.files import devices
from tests.gateway.config.files import sections as gate_sections

SCENARIOS = Path(__file__).parents[2] / "config" / "scenarios"
SHIPPED = ("busy-day.toml", "clinic.toml", "night.toml")
HALF_DAY = 12 * 3_600_000


def scenario(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "day.toml"
    path.write_text(text, "utf-8")
    return load_day(path)


def crowd(manner: Manner, who: str = "resident", *, visits: int = 40, more: str = "", out: int = 0) -> str:
    """A day of one manner alone."""
    day = f"[day]\nvisits = {visits}\nout_percent = {out}\nholders = 90\ninside = 20\n[guard]\nregisters_s = 5\n"
    hours = "arrivals = [" + "0," * 9 + "1,1,1,1,1,1" + ",0" * 9 + "]\n"
    day = day.replace("[guard]", hours + "[guard]")
    return day + f'[people.them]\nwho = "{who}"\nmanner = "{manner}"\nshare = 1\n' + more


def played(day: Scenario, seed: int = 1) -> tuple[Tally, list[Body]]:
    """A day's tally and records."""
    bodies: list[Body] = []
    playing = Day(day, seed)
    playing.gate.written.append(lambda append, _now: bodies.append(append.body))
    return playing.play(), bodies


def endings(tally: Tally) -> dict[tuple[VisitOutcome, tuple[str, ...]], int]:
    """Of those who came in."""
    return {(outcome, reasons): n for (way, outcome, reasons), n in tally.visits.items() if way is Direction.ENTRY}


def test_the_same_seed_is_the_same_day_and_another_one_is_another() -> None:
    day = load_day(SCENARIOS / "clinic.toml")
    first, again, other = (list(map(encode_body, played(day, seed)[1])) for seed in (3, 3, 4))
    assert first == again and first != other


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_day_has_people_of_every_sort_and_decides_itself_again(name: str) -> None:
    day = load_day(SCENARIOS / name)
    assert day.day.zh and day.day.en
    visits = min(day.day.visits, 400)
    tally, bodies = played(replace(day, day=replace(day.day, visits=visits)))
    found = [body for body in bodies if isinstance(body, Visit)]
    assert len(found) == tally.visits.total() and len({visit.outcome for visit in found}) >= 3
    for visit in found:
        assert decided_again(visit, day.policy) == Decision(visit.outcome, visit.reasons)


OK = (VisitOutcome.GRANTED, ("ok",))
CASES: list[tuple[Manner, str, tuple[VisitOutcome, tuple[str, ...]], AlarmKind | None]] = [
    (Manner.PLAIN, "visitor", OK, None),
    (Manner.COLD, "tenant", OK, None),
    (Manner.NO_PASS, "visitor", OK, None),
    (Manner.DELIVERY, "visitor", OK, None),
    (Manner.CALLS, "resident", OK, AlarmKind.CALL),
    (Manner.TAILGATER, "resident", OK, AlarmKind.TAILGATING),
    (Manner.HOLDS_DOOR, "resident", OK, AlarmKind.DOOR_HELD_OPEN),
    (Manner.TWO_AT_ONCE, "resident", OK, None),
    (Manner.FEVER, "resident", (VisitOutcome.REFERRED, ("fever",)), AlarmKind.FEVER),
    (Manner.RED_CODE, "returnee", (VisitOutcome.DENIED, ("health-code-red",)), None),
    (Manner.UNKNOWN_CARD, "tenant", (VisitOutcome.DENIED, ("unknown-card",)), AlarmKind.LOCK_OUT),
    (Manner.NO_HEALTH_CODE, "returnee", (VisitOutcome.ABANDONED, ("time-out", "health-code-missing")), None),
    (Manner.WALKS_OFF, "resident", (VisitOutcome.ABANDONED, ("presence-lost", "temperature-missing")), None),
]


@pytest.mark.parametrize(("manner", "who", "ending", "alarm"), CASES)
def test_each_manner_comes_to_what_it_is_for(
    tmp_path: Path, manner: Manner, who: str, ending: tuple[VisitOutcome, tuple[str, ...]], alarm: AlarmKind | None
) -> None:
    tally, _ = played(scenario(tmp_path, crowd(manner, who)))
    assert endings(tally).get(ending, 0) >= 20, endings(tally)
    assert alarm is None or tally.alarms[alarm].raised > 0
    if manner is Manner.TWO_AT_ONCE:
        assert endings(tally)[VisitOutcome.ABANDONED, ("second-credential", "temperature-missing")] >= 20


def test_who_breaks_in_is_forced_and_passed_and_no_visit(tmp_path: Path) -> None:
    tally, bodies = played(scenario(tmp_path, crowd(Manner.FORCES_DOOR)))
    assert tally.alarms[AlarmKind.DOOR_FORCED].raised > 20 and tally.alarms[AlarmKind.PASSED_WITHOUT_GRANT].raised > 20
    assert not any(isinstance(body, Visit) for body in bodies)


def test_anti_passback_home_observation_and_a_full_house(tmp_path: Path) -> None:
    portal = '[policy.portal]\nescape_route = false\nexit_needs_credential = true\nanti_passback = "hard"\n'
    plain = "[people.more]\nshare = 1\n"
    tally, _ = played(scenario(tmp_path, crowd(Manner.PASSBACK, visits=200, out=50, more=plain + portal)))
    assert endings(tally)[VisitOutcome.DENIED, ("already-inside",)] > 10
    tally, _ = played(scenario(tmp_path, crowd(Manner.HOME_OBSERVATION, visits=60, out=100, more=portal)))
    assert tally.visits[Direction.EXIT, VisitOutcome.DENIED, ("home-observation",)] == 60
    assert tally.alarms[AlarmKind.HOME_OBSERVATION].raised > 0
    tally, _ = played(scenario(tmp_path, crowd(Manner.PLAIN, more="[policy.capacity]\nlimit = 30\n")))
    assert endings(tally) == {OK: 10, (VisitOutcome.DENIED, ("full",)): 30}
    assert max(inside for _, inside in tally.inside) == 30


def test_a_guard_who_sleeps_is_woken_by_the_level_that_wakes_him(tmp_path: Path) -> None:
    asleep = crowd(Manner.TAILGATER).replace(
        "registers_s = 5", "answers_s = 10\nsleeps_from = '00:00'\nsleeps_until = '23:59'\n{}"
    )
    found = {}
    for woken_by in ("alarm", "louder", "duty-room", "leader", "nothing"):
        tally, _ = played(
            scenario(tmp_path, asleep.replace("{}", f'woken_by = "{woken_by}"').replace("visits = 40", "visits = 1"))
        )
        found[woken_by] = tally.alarms[AlarmKind.TAILGATING]
    assert [each.level for each in found.values()] == [
        Level.GATE,
        Level.LOUDER,
        Level.DUTY_ROOM,
        Level.LEADER,
        Level.LEADER,
    ]
    waits = [each.answers_s[0] for each in found.values()]
    assert waits == sorted(waits) and 0 < waits[0] < 120 and 600 < waits[3] < 800
    assert waits[4] > 3 * 3600, "he finds it when he wakes by himself"


def test_an_alarm_is_tallied_from_its_records(tmp_path: Path) -> None:
    tally, bodies = played(scenario(tmp_path, crowd(Manner.FEVER)))
    records = [body for body in bodies if isinstance(body, AlarmRecord) and body.alarm.kind is AlarmKind.FEVER]
    fever = tally.alarms[AlarmKind.FEVER]
    assert fever.raised + fever.repeated + len(fever.answers_s) == sum(body.action != "escalated" for body in records)
    assert fever.open == 0 and fever.raised == len(fever.answers_s)


# scenario files


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("[people.a]\nshare = 1\nmaner = 'fever'\n", "people.a.maner", "the nearest known one is manner"),
        ("[people.a]\nshare = 1\nmanner = 'fevr'\n", "people.a.manner", "did you mean fever?"),
        ("[people.a]\nwho = 'tenant'\n", "people.a.share", "is missing"),
        ("[pace]\nshow_ms = 900\n[people.a]\nshare = 1\n", "pace.show_ms", "here it is show_s, in seconds"),
        ("[pace]\nshow_s = '2 s'\n[people.a]\nshare = 1\n", "pace.show_s", "without quotes and unit: 2"),
        ("[day]\narrivals = [1, 2]\n[people.a]\nshare = 1\n", "day.arrivals", "has 2 entries, must have 24 to 24"),
        ("[day]\ndate = '2026-02-30'\n[people.a]\nshare = 1\n", "day.date", "no day of the calendar"),
        ("[day]\ninside = 5\nholders = 4\n[people.a]\nshare = 1\n", "day.inside", "must not be above holders"),
        (f"[day]\ndepartures = {[0] * 24}\n[people.a]\nshare = 1\n", "day.departures", "nobody in any hour"),
        ("[day]\nvisits = 0\n[people.a]\nshare = 1\n", "day.visits", "out of range: 1 to"),
        ("[people.a]\nshare = 0\n", "people", "nobody comes"),
        ("[dya]\n[people.a]\nshare = 1\n", "dya", "the nearest known one is day"),
        ("[people.a]\nshare = 1\n[policy.portal]\nexit_needs_credential = true\n", "policy.portal.exit_needs_credential", "flee"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        scenario(tmp_path, text)
    (problem,) = raised.value.problems
    assert problem.key == place and words in problem.text and (problem.line or place == "people")


def test_the_busy_day_shows_every_key_in_both_languages() -> None:
    text = (SCENARIOS / "busy-day.toml").read_text("utf-8")
    for name, kind in sections():
        for key in declared(kind).keys:
            assert re.search(rf"^{key} = ", text, re.MULTILINE), f"[{name}] {key}"
    for manner in Manner:
        assert manner is Manner.PLAIN or f'manner = "{manner}"' in text, manner
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert sum(bool(re.search("[\u4e00-\u9fff]", line)) for line in comments) > 20
    assert sum(bool(re.search("[A-Za-z]{4}", line)) for line in comments) > 20


# the picture


def test_the_picture_says_how_many_were_inside() -> None:
    inside = [(0, 4), (HALF_DAY, 8), (HALF_DAY + 1, 0)]
    assert levels(inside, 0, 4) == [4, 4, 0, 0]
    assert blocks([(0, 4), (HALF_DAY, 8)], 0) == "▄" * 24 + "█" * 24
    drawn = ET.fromstring(svg(inside, 0, "<门> & door", 10))  # noqa: S314  our own
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<门> & door", "0", "10", "limit 10", "12:00"} <= set(texts)
    (line,) = drawn.iter("{http://www.w3.org/2000/svg}polyline")
    assert len(line.attrib["points"].split()) == 288
    assert ET.fromstring(svg([], 0, "")) is not None  # noqa: S314  our own


# the command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["gate", *map(str, arguments)])


def test_the_command_plays_writes_and_draws(tmp_path: Path) -> None:
    journal, picture = tmp_path / "day.sqlite", tmp_path / "day.svg"
    path = SCENARIOS / "clinic.toml"
    done = run("simulate", path, "--visits", 200, "--seed", 5, "--journal", journal, "--picture", picture)
    assert done.exit_code == 0, done.output
    assert "社区诊所的一天 / A day at a community clinic: 2026-03-03, seed 5" in done.output
    assert "longest wait in the queue" in done.output and "fever" in done.output
    assert picture.read_text("utf-8").startswith("<svg")
    again = run("replay", journal, "--scenario", path)
    assert again.exit_code == 0 and "otherwise 0" in again.output and "by this policy" in again.output
    assert run("journal", "verify", "--file", journal).exit_code == 0
    twice = run("simulate", path, "--journal", journal)
    assert twice.exit_code == 1 and "is there already" in twice.output
    same = run("simulate", path, "--visits", 200, "--seed", 5)
    assert same.output == done.output[: done.output.index(str(journal))]


def test_the_command_takes_a_gates_own_policy_and_devices(tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    config.write_text(gate_sections(temperature="threshold_c = 41.0") + devices("thermometer"), "utf-8")
    assert run("simulate", SCENARIOS / "clinic.toml", "--config", config).exit_code == 2, "a thermometer is asked for"
    config.write_text(gate_sections(temperature="threshold_c = 41.0") + devices(), "utf-8")
    done = run("simulate", SCENARIOS / "clinic.toml", "--config", config, "--visits", 300)
    assert done.exit_code == 0 and "fever" not in done.output and "full" not in done.output


def test_a_wrong_scenario_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "day.toml"
    path.write_text("[day]\nvisit = 3\n", "utf-8")
    for done in (run("simulate", path), run("replay", path, "--scenario", path)):
        assert (
            done.exit_code == 2 and f"{path}:2: day.visit: unknown key; the nearest known one is visits" in done.output
        )
    both = run("replay", path, "--scenario", path, "--config", path)
    assert both.exit_code == 2 and "one policy decides" in both.output


def test_the_names_of_alarms_are_whole_in_a_narrow_terminal() -> None:
    console = Console(width=80, file=io.StringIO())
    tally = Tally()
    for kind in AlarmKind:
        tally.alarms[kind] = AlarmTally(raised=200, repeated=132, answers_s=[1089.0, 4175.0], level=Level.DUTY_ROOM)
    console.print(alarms_table(tally))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert {kind.value for kind in AlarmKind} <= set(shown.split())
    assert "…" not in shown and "2632 s" in shown
