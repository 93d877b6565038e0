"""What is wrong with a roster, and who was really there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.duty.presence import Presence, presence
from central.duty.roster import MOST, Finding, Wrong, look

T0 = datetime(2026, 11, 27, tzinfo=UTC)
ROLES = ("guard", "duty-room", "leader")


@dataclass(frozen=True)
class Shift:
    """A shift, in hours from `T0`."""

    name: str
    begins: float
    ends: float
    role: str = "guard"
    gate: str = ""

    @property
    def begins_at(self) -> datetime:
        return T0 + timedelta(hours=self.begins)

    @property
    def ends_at(self) -> datetime:
        return T0 + timedelta(hours=self.ends)


def found(*shifts: Shift, hours: float = 48) -> list[tuple[str, str, str, float, float]]:
    """What is wrong with the guards, and with anybody who is in two places."""
    others = [Shift(f"no {role}", 0, hours, role) for role in ROLES[1:]]
    told = look([*shifts, *others], T0, T0 + timedelta(hours=hours))
    return [(each.wrong, each.role, each.gate, _hours(each.begins), _hours(each.ends)) for each in told]


def _hours(moment: datetime) -> float:
    return (moment - T0).total_seconds() / 3600


def test_a_roster_without_gaps_says_nothing() -> None:
    assert found(Shift("li", -4, 24), Shift("wang", 24, 50)) == []


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ([], [("nobody", "guard", "", 0, 48)]),
        ([Shift("li", 0, 20), Shift("wang", 24, 48)], [("gap", "guard", "", 20, 24)]),
        ([Shift("li", 8, 48)], [("gap", "guard", "", 0, 8)]),
        ([Shift("li", 0, 24)], [("ends", "guard", "", 24, 48)]),
        ([Shift("li", 0, 25), Shift("wang", 24, 48)], [("overlap", "guard", "", 24, 25)]),
        ([Shift("li", 0, 48), Shift("wang", 2, 4)], [("overlap", "guard", "", 2, 4)]),
        ([Shift("li", 0, 48, gate="a"), Shift("wang", 0, 40, gate="b")], [("ends", "guard", "b", 40, 48)]),
        ([Shift("li", 0, 24), Shift("wang", 24, 48, gate="a")], []),
        (
            [Shift("li", 0, 48, gate="a"), Shift("wang", 0, 24, gate="b"), Shift("li", 24, 48, gate="b")],
            [("twice", "guard", "b", 24, 48)],
        ),
        ([Shift("no leader", 0, 48)], [("twice", "leader", "", 0, 48)]),
    ],
)
def test_what_is_wrong_is_told(shifts: list[Shift], expected: list[object]) -> None:
    assert found(*shifts) == expected


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ([Shift("li", 0, 12), Shift("li", 22, 34)], [("guard", "", 12, 22, "li")]),
        ([Shift("li", 0, 12), Shift("li", 23, 34)], []),
        ([Shift("li", 0, 12), Shift("wang", 12, 24), Shift("li", 24, 36)], []),
        ([Shift("li", 0, 12, gate="a"), Shift("li", 20, 30, gate="b")], [("guard", "b", 12, 20, "li")]),
        ([Shift("li", 0, 12), Shift("li", 14, 20, "duty-room")], [("duty-room", "", 12, 14, "li")]),
        ([Shift("li", 0, 12, "leader"), Shift("li", 14, 20, "duty-room")], []),  # on call: no guard
        ([Shift("li", 0, 4, gate="a"), Shift("li", 4, 8, gate="b")], []),  # one after the other
        ([Shift("li", 0, 24), Shift("li", 24, 48)], [("guard", "", 24, 24, "li")]),
        ([Shift("li", -20, -2), Shift("li", 4, 10)], [("guard", "", -2, 4, "li")]),  # over by now, and it counts
        ([Shift("li", -30, -20), Shift("li", -12, -4)], []),  # past: nothing can be mended
    ],
)
def test_a_guard_with_too_little_rest_is_told(shifts: list[Shift], expected: list[object]) -> None:
    told = look(shifts, T0, T0 + timedelta(hours=48), timedelta(hours=11))
    rests = [each for each in told if each.wrong is Wrong.REST]
    assert [(each.role, each.gate, _hours(each.begins), _hours(each.ends), *each.names) for each in rests] == expected
    none = look(shifts, T0, T0 + timedelta(hours=48), timedelta())
    assert [each for each in none if each.wrong is Wrong.REST] == []


_SHIFTS = st.lists(
    st.builds(
        lambda name, begins, length, role, gate: Shift(name, begins, begins + length, role, gate),
        st.sampled_from("abc"), st.integers(-10, 60), st.integers(1, 30), st.sampled_from(ROLES), st.sampled_from(["", "g", "h"]),
    ),
    max_size=12,
)  # fmt: skip


@given(_SHIFTS, st.integers(0, 47))
def test_an_hour_without_anybody_is_always_told(shifts: list[Shift], hour: int) -> None:
    told = look(shifts, T0, T0 + timedelta(hours=48))
    at = T0 + timedelta(hours=hour, minutes=30)
    for role in ROLES:
        nobody = not any(each.role == role and each.begins_at <= at < each.ends_at for each in shifts)
        missing = {Wrong.NOBODY, Wrong.GAP, Wrong.ENDS}
        says = any(each.role == role and each.wrong in missing and each.begins <= at < each.ends for each in told)
        assert says or not nobody, (role, at)


def test_a_flood_of_findings_is_bounded() -> None:
    shifts = [Shift(f"n{each}", each / 10, each / 10 + 5) for each in range(400)]
    told = look(shifts, T0, T0 + timedelta(hours=100))
    assert len(told) == MOST and all(isinstance(each, Finding) for each in told)


@dataclass(frozen=True)
class Event:
    """What a gate recorded, at an hour from `T0`."""

    action: str
    hour: float
    by: str = ""
    to: str = ""

    @property
    def about_time(self) -> datetime:
        return T0 + timedelta(hours=self.hour)


@pytest.mark.parametrize(
    ("events", "expected", "state"),
    [
        ([], Presence(), "nobody"),
        ([Event("begun", -0.5, "li")], Presence(("li",)), "there"),
        ([Event("begun", -2, "li")], Presence(), "nobody"),
        (
            [Event("begun", 0, "li"), Event("handed-over", 3, "li", "wang"), Event("ended", 7, "wang")],
            Presence(("li", "wang")),
            "there",
        ),
        (
            [Event("begun", 0, "li"), Event("present", 2, "li"), Event("present", 4, "li"), Event("absent", 5, "li")],
            Presence(("li",), 2, 1),
            "missed",
        ),
        ([Event("absent", 8)], Presence(), "nobody"),
        ([Event("absent", -0.5)], Presence(), "nobody"),
    ],
)
def test_who_was_really_there(events: list[Event], expected: Presence, state: str) -> None:
    told = presence(events, T0, T0 + timedelta(hours=8))
    assert (told, told.state) == (expected, state)


def test_who_is_in_two_places_is_found_whatever_lies_between() -> None:
    shifts = (Shift("li", 0, 24, gate="a"), Shift("li", 1, 2, gate="a"), Shift("li", 3, 4, gate="b"))
    assert [each for each in found(*shifts) if each[0] == "twice"] == [("twice", "guard", "b", 3, 4)]
