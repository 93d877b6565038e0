"""Sender and receiver over a road that loses, doubles, delays and reorders, with everything on either end put back."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sync.log.messages import Hello
from sync.log.receiver import decode_upward
from sync.log.view import Head
from tests.sync.careless import (
    Believer,
    acknowledges_before_it_stores,
    forgets_a_record,
    stores_whatever_comes,
)
from tests.sync.road import World, chain

Step = tuple[str, int]
NUMBERS = st.integers(min_value=0, max_value=5)
EVERYDAY = (
    "append",
    "up",
    "up",
    "up",
    "down",
    "down",
    "down",
    "wait",
    "lose-up",
    "lose-down",
    "double-up",
    "double-down",
)
RARE = ("disconnect", "connect", "restart", "image", "put-back", "back-up", "restore", "trim")
GIVEN_UP = ("give-up", "give-up", "back-up", "restore", "remove-aside", "break-aside")


def scripts(*rare: str) -> st.SearchStrategy[list[Step]]:
    """What happens every day, and what hardly ever does."""
    return st.lists(
        st.tuples(st.sampled_from(EVERYDAY), NUMBERS) | st.tuples(st.sampled_from(rare), NUMBERS), max_size=60
    )


STEPS = scripts(*RARE)


def take(world: World, step: Step) -> None:
    """One step of a script."""
    what, number = step
    steps: dict[str, Callable[[], None]] = {
        "append": lambda: world.append(number + 1),
        "up": lambda: world.arrive(world.up, number // 2),
        "down": lambda: world.arrive(world.down, number // 2),
        "lose-up": lambda: world.arrive(world.up, number, times=0),
        "lose-down": lambda: world.arrive(world.down, number, times=0),
        "double-up": lambda: world.arrive(world.up, number, times=2),
        "double-down": lambda: world.arrive(world.down, number, times=3),
        "wait": lambda: world.wait((1, 20, 400, 3_000, 6_000, 31_000)[number]),
        "disconnect": world.disconnect,
        "connect": world.connect,
        "restart": world.restart,
        "image": world.image_card,
        "put-back": world.put_card_back,
        "back-up": world.back_up,
        "restore": world.restore,
        "trim": world.trim,
        "give-up": world.give_up,
        "remove-aside": lambda: world.remove_aside(number),
        "break-aside": lambda: world.break_aside(number),
    }
    steps[what]()
    world.poll()


def play(world: World, script: list[Step]) -> World:
    """A whole script, and the calm after it."""
    for step in script:
        take(world, step)
    world.calm()
    world.check()
    return world


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_nothing_is_lost_or_doubled(script: list[Step]) -> None:
    world = play(World(), script)
    assert world.log.acked == world.log.head().seq


@settings(max_examples=300, deadline=None)
@given(scripts(*RARE, *GIVEN_UP))
def test_nothing_is_lost_or_doubled_over_several_logs(script: list[Step]) -> None:
    play(World(), script)


# the same test must find out those who are careless


def fails(make: Callable[[], World], script: list[Step]) -> bool:
    """Whether the check finds something."""
    try:
        play(make(), script)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    "make",
    [
        lambda: World(stores_whatever_comes),
        lambda: World(acknowledges_before_it_stores),
        lambda: World(forgets_a_record),
    ],
    ids=["no-cursor", "early-ack", "forgets"],
)
def test_carelessness_is_found(make: Callable[[], World]) -> None:
    """Positive control: with a protection off, some script loses or doubles something."""
    quick = settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    try:
        script = find(STEPS, lambda script: fails(make, script), settings=quick, random=Random(1))
    except NoSuchExample:
        pytest.fail("a careless end went through the whole test unseen")
    assert not fails(World, script), "the script finds something with everybody careful, too"


# what the design says of each


def rewound(world: World) -> World:
    """A card is imaged, goes on, is put back, and goes on again with numbers that the office has seen."""
    world.append(20)
    world.calm()
    world.image_card()
    world.append(30)
    world.calm()
    world.put_card_back()
    world.append(30)
    world.calm()
    return world


def test_a_rewound_card_loses_no_new_record() -> None:
    world = rewound(World())
    world.check()
    assert len(world.office.logs) == 2
    assert world.office.logs[world.log.log_id].cursor == world.log.head()


def test_a_sender_that_compares_no_hashes_loses_them() -> None:
    """Positive control: 30 of 30, without a word."""
    world = rewound(World(make_sender=Believer))
    with pytest.raises(AssertionError):
        world.check()
    assert len(set(world.log.held()[-30:]) - set(world.office.bodies())) == 30


def test_a_rewound_card_sends_nothing_of_its_old_log() -> None:
    world = World()
    world.image_card()
    world.append(30)
    world.calm()
    old = world.log.log_id
    world.put_card_back()
    world.append(100)  # beyond what the office has: only the hash tells
    world.poll()
    (hello,) = world.up
    assert isinstance(decode_upward(hello), Hello)
    world.arrive(world.up, 0)
    world.arrive(world.down, 0)
    world.poll()
    assert [decode_upward(payload).log_id for payload in world.up] == [world.log.log_id]
    assert world.log.log_id != old


def test_an_office_that_steps_back_gets_everything_again() -> None:
    world = World()
    world.append(10)
    world.calm()
    world.back_up()
    world.append(10)
    world.calm()
    world.restore()
    assert len(world.office.bodies()) == 11
    world.wait(300_000)  # nobody writes, nobody reconnects: an idle sender asks
    world.calm()
    world.check()
    assert len(world.office.bodies()) == 21
    assert len(world.office.logs) == 1


def test_what_was_trimmed_is_told_as_gone() -> None:
    world = World()
    world.back_up()
    world.append(10)
    world.calm()
    world.trim()
    world.append(5)
    world.restore()
    world.calm()
    world.check()
    kept = world.office.logs[world.log.log_id]
    assert kept.missing == [(1, 11)]
    assert [record.seq for record in kept.records] == list(range(12, 17))
    assert kept.cursor == Head(16, chain(world.log.records)[-1])


# logs that were given up, and an office from before


def given_up(world: World, logs: int = 1) -> World:
    """The office has a backup; records arrive; the log is given up, so many times; the backup is put back."""
    world.append(3)
    world.calm()
    world.back_up()
    for _ in range(logs):
        world.append(4)
        world.calm()
        world.append(1)  # on its way: carried over
        world.give_up()
        world.calm()
    world.restore()
    return world


@pytest.mark.parametrize("logs", [1, 3])
def test_an_office_from_before_a_new_log_gets_the_old_ones_too(logs: int) -> None:
    world = given_up(World(), logs)
    world.calm()
    world.check()
    assert world.written == set(world.office.bodies()) & world.written
    assert not any(kept.missing for kept in world.office.logs.values())
    assert [len(world.office.bodies()), len(set(world.office.bodies()))] == [4 + 6 * logs] * 2, "none came twice"


def test_earlier_logs_wait_until_the_present_one_has_nothing_to_say() -> None:
    world = given_up(World())
    world.restart()
    order = []
    for _ in range(100):
        world.poll()
        while world.up:
            order.append(decode_upward(world.up[0]).log_id)
            world.arrive(world.up, 0)
            world.arrive(world.down, 0)
            world.poll()
        if world.due() is None:
            break
        world.wait(1_000)
    new, old = world.log.log_id, world.asides[0].log_id
    assert order == [new, new, old, old], "hello and batch, each"
    world.check()


def test_what_cannot_be_read_of_an_earlier_log_is_a_named_gap() -> None:
    world = given_up(World())
    world.asides[0].broken = frozenset({6})
    world.calm()
    world.check()
    kept = world.office.logs[world.asides[0].log_id]
    assert kept.missing == [(6, 7)], "the broken one, and the one that tells what the chain goes on from"
    assert [record.seq for record in kept.records] == [1, 2, 3, 4, 5, 8]


def test_an_earlier_log_that_somebody_removed_is_a_named_gap() -> None:
    world = given_up(World(), 2)
    world.remove_aside(0)
    world.calm()
    world.check()
    assert world.office.logs[world.asides[0].log_id].missing == [(5, 8)]
    assert not world.office.logs[world.asides[1].log_id].missing


def test_what_only_the_office_had_of_a_rewound_card_is_named_when_it_has_lost_it() -> None:
    world = World()
    world.append(50)
    world.calm()
    world.image_card()
    world.append(40)
    world.calm()
    world.back_up()
    world.append(5)
    world.calm()  # 96 are at the office
    world.put_card_back()
    world.append(2)
    world.calm()  # a new log, opened because the office has record 96
    world.restore()
    world.calm()
    world.check()
    assert world.office.logs[world.asides[0].log_id].missing == [(92, 96)]


def test_a_gate_that_offers_no_earlier_log_is_found_out() -> None:
    """Positive control: four records, in no range."""
    world = given_up(World())
    world.asides = []
    world.calm()
    with pytest.raises(AssertionError, match="in no range"):
        world.check()
