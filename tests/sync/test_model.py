"""All interleavings of the road to a depth (tests/sync/model.py), and careless ends that the same search must find out."""

from collections.abc import Callable

import pytest

from tests.sync.careless import (
    Believer,
    NeverAsksAgain,
    acknowledges_before_it_stores,
    forgets_a_record,
    sees_no_fork,
    stores_whatever_comes,
)
from tests.sync.model import (
    BEGINNINGS,
    PATIENCE,
    DeletesWhenSent,
    Explored,
    OffersNoEarlier,
    Seen,
    explore,
    fresh,
    make,
    replaced,
    restored,
    rewound,
    streaming,
)

Begin = Callable[[Explored], Explored]


def tell(what: str, seen: Seen, record: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]) -> None:
    """The figures belong to the test's output, whether it passes or not."""
    record("seen", str(seen))
    with capsys.disabled():
        print(f"\nroad model, {what}: {seen}")  # noqa: T201  a figure of the test


@pytest.mark.parametrize(("begin", "depth"), [(fresh, 7), (streaming, 5), (restored, 6), (rewound, 6), (replaced, 5)])
def test_everything_that_may_happen(
    begin: Begin,
    depth: int,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Any number of faults, in any order, within so many moves."""
    seen = explore(begin(Explored()), depth)
    tell(f"{begin.__name__}, any faults", seen, record_property, capsys)
    assert not seen.wrong, f"{seen.wrong} after {seen.script}"
    assert seen.depth == depth
    assert seen.worlds > 1000
    assert 0 < seen.longest < PATIENCE


@pytest.mark.parametrize(("records", "faults"), [(0, 1), (1, 0)])
def test_everything_to_the_end(
    records: int,
    faults: int,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """However many moves: there is no world left that was not looked at."""
    seen = explore(fresh(Explored()), 1000, faults, records=records)
    tell(f"{records + 1} record(s), at most {faults} fault(s), any length", seen, record_property, capsys)
    assert not seen.wrong, f"{seen.wrong} after {seen.script}"
    assert seen.ended


CARELESS: dict[str, tuple[Callable[[], Explored], Begin, int]] = {
    "no-cursor": (lambda: Explored(stores_whatever_comes), fresh, 5),
    "early-ack": (lambda: Explored(acknowledges_before_it_stores), fresh, 5),
    "forgets": (lambda: Explored(forgets_a_record), fresh, 5),
    "deletes-when-sent": (DeletesWhenSent, fresh, 5),
    "offers-no-earlier": (OffersNoEarlier, replaced, 1),
    "never-asks-again": (lambda: Explored(make_sender=NeverAsksAgain), fresh, 5),
    "no-fork-receiver": (lambda: Explored(sees_no_fork), rewound, 6),
    "no-fork-sender": (lambda: Explored(make_sender=Believer), rewound, 6),
}


@pytest.mark.parametrize("name", CARELESS)
def test_carelessness_is_found(name: str) -> None:
    """Positive control: with a protection off the search ends at something that must not be, and does not with it on."""
    careless, begin, depth = CARELESS[name]
    seen = explore(begin(careless()), depth)
    assert seen.wrong, "a careless end went through the whole search unseen"
    world = begin(Explored())
    world.keep_order()
    for move in seen.script:
        make(world, move)


def test_each_move_goes_its_own_way() -> None:
    """A world is not changed by what happens to its twin; else the search would miss what it seems to see."""
    for begin in BEGINNINGS.values():
        world = begin(Explored())
        world.keep_order()
        before = world.key()
        for move in (("append", 0), ("tick", 0), ("back-up", 0), ("restart", 0), ("put-back", 0), ("restore", 0)):
            make(world.twin(), move)
            assert world.key() == before, move
        twin = world.twin()
        make(twin, ("append", 0))
        assert twin.key() != before
