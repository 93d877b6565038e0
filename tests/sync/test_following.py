"""The directory's way down a road that loses, doubles, reorders, delays and corrupts, past crashes, and offices put back."""

from collections.abc import Callable, Sequence
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sync.contract import cose
from sync.log.follower import IDLE_MS, Action, Follower, Held, Stage, Take, TakeStaged
from sync.log.keyed import NOTHING, Mark, Row
from sync.log.parts import MAX_ROOM, Have, OpenedPart, decode_have, open_part
from sync.log.publisher import Parts
from tests.sync.following import LONG, SITE, Careless, GateState, World, verified

Step = tuple[str, int]
NUMBERS = st.integers(min_value=0, max_value=7)
EVERYDAY = ("change", "up", "up", "up", "down", "down", "down", "down", "wait", "lose-up", "lose-down", "double-down")
RARE = (
    "crash",
    "crash-later",
    "disconnect",
    "connect",
    "start-office",
    "back-up",
    "restore",
    "image",
    "put-back",
    "load",
    "play-again",
    "corrupt",
    "forge",
    "swap-rows",
)
STEPS = st.lists(st.tuples(st.sampled_from(EVERYDAY), NUMBERS) | st.tuples(st.sampled_from(RARE), NUMBERS), max_size=60)


def take(world: World, step: Step) -> None:
    """One step of a script."""
    what, number = step
    steps: dict[str, Callable[[], None]] = {
        "change": lambda: world.change(number),
        "up": lambda: world.arrive(world.up, number // 3),
        "down": lambda: world.arrive(world.down, number // 3),
        "lose-up": lambda: world.arrive(world.up, number, times=0),
        "lose-down": lambda: world.arrive(world.down, number, times=0),
        "double-down": lambda: world.arrive(world.down, number, times=2),
        "wait": lambda: world.wait((1, 20, 400, 1_500, 6_000, 31_000, 310_000, 700_000)[number]),
        "crash": lambda: world.crash(number // 3),
        "crash-later": lambda: setattr(world, "crash_after", number),
        "disconnect": world.follower.disconnected,
        "connect": lambda: world.carry_out(world.follower.connected(world.now)),
        "start-office": world.start_office,
        "back-up": world.back_up,
        "restore": world.restore,
        "image": world.image_card,
        "put-back": world.put_card_back,
        "load": world.load,
        "play-again": lambda: world.play_again(number),
        "corrupt": lambda: world.corrupt(number),
        "forge": lambda: world.forge(number),
        "swap-rows": lambda: world.swap_rows(number),
    }
    steps[what]()
    world.poll()
    world.check()


def play(world: World, script: Sequence[Step]) -> World:
    """A whole script, and the calm after it."""
    for step in script:
        take(world, step)
    world.calm()
    world.check()
    assert world.is_there(), "the gate never got to the office's newest state"
    return world


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_the_gate_has_always_one_whole_state_and_at_last_the_newest(script: list[Step]) -> None:
    play(World(), script)


# the same test must find out those who are careless


class NoVersionCheck(Follower):
    """Takes whatever the office has ever signed."""

    def _on_part(self, part: OpenedPart, payload: bytes, now: int) -> Sequence[Action]:
        if part.title.parts == 1 and part.title.base == NOTHING:
            return (Take(part.title, part.sealed, part.rows),)
        return super()._on_part(part, payload, now)


class SwapsEarly(Follower):
    """Takes what is staged before its last part."""

    def _on_part(self, part: OpenedPart, payload: bytes, now: int) -> Sequence[Action]:
        actions = super()._on_part(part, payload, now)
        return (*actions, TakeStaged()) if actions and isinstance(actions[-1], Stage) else actions


class NoBaseCheck(Follower):
    """Applies changes to whatever state it has."""

    def _on_part(self, part: OpenedPart, payload: bytes, now: int) -> Sequence[Action]:
        held = self._held()
        if part.title.parts == 1 and held.whole and part.title.upto.order > held.seen.order:
            return (Take(part.title, part.sealed, part.rows),)
        return super()._on_part(part, payload, now)


class NeverAsksAgain(Follower):
    """Waits for an answer for ever."""

    def _overdue_at(self) -> int:
        return 10**18

    def connected(self, now: int) -> Sequence[Action]:
        """Asks once in a life."""
        if now == 0:
            return super().connected(now)
        self._connected = True
        return ()


class Unchecked(GateState):
    """Does not hold the rows against the title."""

    checks = False


class RowByRow(GateState):
    """Takes each row in a transaction of its own, and the power goes between two of them."""

    def take(self, action: Take) -> bool:
        """Half of it, now and then."""
        if len(action.rows) > 1 and action.title.base != NOTHING and action.title.upto.version % 3 == 0:
            row = action.rows[0]
            if row.value is not None:
                self.rows = self.rows | {(row.table, row.key): row.value}
                return False
        return super().take(action)


def believes_all(data: bytes) -> bytes:
    """Reads a signed document, and does not look at the signature."""
    return cose.decode_sign1(data).payload


def fails(made_of: Careless, script: list[Step]) -> bool:
    """Whether the check finds something."""
    try:
        play(World(made_of), script)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    "made_of",
    [
        Careless(follower=NoVersionCheck),
        Careless(follower=SwapsEarly, gate=Unchecked),
        Careless(follower=NoBaseCheck, gate=Unchecked),
        Careless(follower=NeverAsksAgain),
        Careless(gate=RowByRow),
        Careless(verify=believes_all),
        Careless(opens_epochs=False),
    ],
    ids=["no-version", "early-swap", "no-base", "never-asks-again", "row-by-row", "no-signature", "no-epoch"],
)
def test_carelessness_is_found(made_of: Careless) -> None:
    """Positive control: with a protection off, some script mixes, goes back, or never arrives."""
    quick = settings(
        max_examples=2_000,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    try:
        script = find(STEPS, lambda script: fails(made_of, script), settings=quick, random=Random(1))
    except NoSuchExample:
        pytest.fail("a careless end went through the whole test unseen")
    assert not fails(Careless(), script), "the script finds something with everybody careful, too"


# what the design says of each


def test_a_change_arrives_without_being_asked_for() -> None:
    world = World()
    world.calm()
    world.change(1)
    assert len(world.down) == 1 and not world.up
    world.arrive(world.down, 0)
    assert world.is_there()


def test_an_office_put_back_does_not_win_by_what_it_has_forgotten() -> None:
    world = World()
    world.back_up()
    world.change(1)
    world.change(2)
    world.calm()
    before = world.office.mark
    world.restore()
    world.change(1)
    assert world.office.mark.order < before.order
    world.calm()
    assert world.is_there() and world.office.mark.epoch == before.epoch + 1


def test_nobody_makes_an_office_begin_anew_without_its_own_signature() -> None:
    world = World()
    world.calm()
    world.gate.kept = Held(Mark(9, 9, bytes(16)), world.gate.kept.title, 0, whole=True)
    world.ever.states[world.gate.kept.seen] = world.gate.rows
    world.calm()
    assert world.office.mark.epoch == 0 and world.not_answered and "proof" in world.not_answered[0]


def test_old_words_of_the_office_change_nothing() -> None:
    world = World()
    world.calm()
    for number in range(5):
        world.change(number)
        world.calm()
    rows, kept = dict(world.gate.rows), world.gate.kept
    for payload in list(world.seen):
        world.carry_out(world.follower.received(payload, world.now))
    assert world.gate.rows == rows and world.gate.kept == kept and not world.refused


@pytest.mark.parametrize("how", ["forge", "corrupt", "swap_rows"])
def test_what_is_forged_is_refused_and_told(how: str) -> None:
    world = World()
    world.calm()
    world.change(1)
    getattr(world, how)(1)
    assert world.refused and not world.is_there()


def a_large_world(rows: int = 40) -> World:
    """One whose snapshot is many parts."""
    world = World()
    world.office.change([Row("holder", f"h-{number}", bytes(LONG)) for number in range(rows)])
    world._note()
    return world


def test_a_snapshot_decides_when_it_is_whole_and_not_before() -> None:
    world = a_large_world()
    world.poll()
    while not world.is_there():
        assert world.gate.rows == {}
        world.arrive(world.up, 0)
        world.arrive(world.down, 0)
        world.poll()
    assert len(world.gate.rows) > 40 and world.gate.pieces == []


def test_a_snapshot_goes_on_where_it_was_after_a_restart_of_the_gate() -> None:
    world = a_large_world()
    world.poll()
    world.arrive(world.up, 0)
    while world.down:
        world.arrive(world.down, 0)
    held = len(world.gate.pieces)
    world.crash(0)
    world.up.clear()
    world.poll()
    asked = decode_have(world.up.pop()).staged
    assert asked is not None and asked.next == held > 0
    world.calm()
    numbers = [open_part(payload, SITE, verified).title.number for payload in world.seen]
    assert numbers[: asked.parts] == list(range(asked.parts))  # no part was sent twice


def test_an_office_that_changes_while_a_snapshot_is_on_its_way_lets_it_end() -> None:
    world = a_large_world()
    world.poll()
    for _ in range(200):
        world.arrive(world.up, 0)
        world.change(1)
        world.arrive(world.down, 0)
        world.poll()
        if world.gate.kept.whole:
            break
    assert world.gate.kept.whole
    world.calm()
    assert world.is_there()


def change_much(world: World, rows: int = 60) -> None:
    """The office changes so many long rows at once, and pushes the first part of it to whoever had what it had."""
    before = world.office.mark
    value = world.office.mark.version.to_bytes(2, "big").ljust(LONG, b"x")
    world.office.change([Row("card", f"{number:08}", value) for number in range(rows)])
    world._note()
    push(world, before)


def push(world: World, before: Mark) -> None:
    guessed = Have(site=SITE, seen=before, title=b"", whole=True, staged=None, room=1)
    answer = world.publisher.answer(guessed, world.now)
    assert isinstance(answer, Parts)
    world.down.extend(answer.payloads)


def test_a_change_of_many_parts_goes_on_at_once_though_nobody_had_asked() -> None:
    world = a_large_world(80)
    world.calm()
    begun = world.now
    change_much(world)
    while not world.is_there():
        world.now += 10
        for road in (world.down, world.up):
            world.arrive(road, 0)
        world.poll()
        assert world.now < begun + 2_000, "it waits for parts that nobody sends"


def test_changes_again_and_again_do_not_keep_a_long_one_from_its_end() -> None:
    world = a_large_world(80)
    world.calm()
    begun = world.now
    change_much(world)
    wanted = world.office.mark
    while world.gate.kept.seen.order < wanted.order:
        world.now += 100
        if world.now % 500 == 0:  # and it takes longer than from one to the next
            before = world.office.mark
            world.office.change([Row("policy", "00000000", str(world.now).encode())])
            world._note()
            push(world, before)
            push(world, world.gate.kept.seen)
        for road in (world.down, world.up):
            world.arrive(road, 0)
        world.poll()
        assert world.now < begun + 20_000, "it begins anew with every change"
    world.calm()
    assert world.is_there()


def test_a_slow_link_is_asked_for_one_part_at_a_time_and_a_fast_one_for_many() -> None:
    def rooms(delay_ms: int) -> list[int]:
        world, asked = a_large_world(80), []
        world.poll()
        while not world.is_there():
            asked += [decode_have(payload).room for payload in world.up]
            world.arrive(world.up, 0)
            world.now += delay_ms
            while world.down:
                world.arrive(world.down, 0)
            world.poll()
        return asked

    assert max(rooms(5_000)) == 1
    assert max(rooms(10)) == MAX_ROOM


def test_rows_that_rot_are_found_out_with_the_next_change_and_made_whole() -> None:
    world = World()
    world.calm()
    world.gate.rows.pop(next(iter(world.gate.rows)))
    world.rotten = True
    world.change(1)
    world.settle()
    assert world.is_there() and world.gate.rows == world.office.state()
    assert "not what they should be" in world.refused[0]


def test_an_idle_gate_asks_and_learns_that_it_has_the_newest() -> None:
    world = World()
    world.calm()
    before = world.gate.kept.at_ms
    world.wait(IDLE_MS)
    assert len(world.up) == 1
    world.arrive(world.up, 0)
    world.arrive(world.down, 0)
    assert world.gate.kept.at_ms > before and world.gate.kept.title != b""
    world.wait(IDLE_MS - 1)
    assert not world.up


def test_a_part_of_another_site_is_refused() -> None:
    world = World()
    world.calm()
    other = Follower("south", world.gate, verified)
    other.connected(0)
    (refused,) = other.received(world.seen[0], 0)
    assert "'north'" in str(refused)
