"""A card seen for the first time has a record of its own: once, across restarts, whatever an attacker shows."""

import hashlib
from collections.abc import Iterable

import pytest

from gateway.core import durable
from gateway.core.events import CredentialResolved, Outcome, Verdict
from gateway.core.seen import Seen
from sync.contract.colours import PassType
from sync.contract.records import CardSeen, Direction, Visit
from tests.gateway.core.acting import Gate, bad, card, health


def reference(number: int) -> str:
    """A card's reference as resolvers make it."""
    return hashlib.blake2s(f"{number}".encode(), digest_size=8).hexdigest()


def known(number: int) -> Verdict:
    return card(f"h-{number}", credential=reference(number))


def stranger(number: int) -> Verdict:
    return bad(Outcome.UNKNOWN, "unknown-card", reference(-number - 1), kind="card")


def read(seen: Seen, verdict: Verdict) -> CardSeen | None:
    return seen.first_time(CredentialResolved(verdict, "reader", Direction.ENTRY, 0), "main")


def recorded(seen: Seen, verdicts: Iterable[Verdict]) -> list[CardSeen]:
    return [found for verdict in verdicts if (found := read(seen, verdict)) is not None]


def test_the_record_says_whose_card_where_and_what_became_of_it() -> None:
    gate = Gate()
    gate.read(card("h-1", PassType.TENANT, credential="00ff"), Direction.EXIT)
    lost = Verdict(
        outcome=Outcome.REVOKED, reason="lost-card", kind="card", credential="0a0b", holder="h-2"
    )  # fmt: skip
    gate.read(lost)
    assert gate.bodies(CardSeen) == [
        CardSeen(
            portal="main", card="00ff", reader="reader", direction=Direction.EXIT, outcome="valid", reason="ok",
            holder="h-1",
        ),
        CardSeen(
            portal="main", card="0a0b", reader="reader", direction=Direction.ENTRY, outcome="revoked",
            reason="lost-card", holder="h-2",
        ),
    ]  # fmt: skip
    assert gate.last.holder == "h-2" and gate.last.credential == "0a0b"


def test_it_stands_before_the_visit_and_comes_once_whatever_is_found_later() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(bad(Outcome.UNCHECKED, "directory-unavailable", "00ff", kind="card"))
    gate.leave()
    gate.arrive()
    gate.read(card(credential="00ff"))
    gate.measure()
    kinds = [type(body) for body, _ in gate.commits if isinstance(body, CardSeen | Visit)]
    assert kinds == [CardSeen, Visit, Visit]
    assert gate.bodies(CardSeen)[0].reason == "directory-unavailable"


@pytest.mark.parametrize("verdict", [health(), card(kind="pass"), bad(), card(credential="")])
def test_what_is_no_card_has_none(verdict: Verdict) -> None:
    gate = Gate()
    gate.read(verdict)
    assert gate.bodies(CardSeen) == []


def test_once_across_restarts_at_every_power_cut() -> None:
    gate = Gate()
    for number in range(30):
        gate.read(known(number % 20))
        gate.read(stranger(number % 20), Direction.EXIT)
    assert len(gate.bodies(CardSeen)) == 40
    told: set[str] = set()
    for body, state in gate.commits:
        told |= {body.card} if isinstance(body, CardSeen) else set()
        later = Seen(state)
        again = recorded(later, (make(number) for number in range(20) for make in (known, stranger)))
        assert {each.card for each in again}.isdisjoint(told) and len(again) + len(told) == 40


def test_a_hundred_thousand_cards_fit_and_a_new_one_rewrites_little() -> None:
    state: dict[str, bytes] = {}
    seen = Seen(state)
    assert len(recorded(seen, map(known, range(100_000)))) == 100_000
    state = seen.durable()
    assert recorded(Seen(state), map(known, range(0, 100_000, 37))) == []
    later = Seen(state)
    assert read(later, known(100_001)) is not None
    (changed,) = durable.differences(state, later.durable())
    assert changed.value is not None and len(changed.value) < 6_000
    assert sum(map(len, state.values())) < 1_200_000


def test_strangers_fill_their_own_book_and_displace_nobody() -> None:
    seen = Seen({}, listed=40, strangers=10)
    assert len(recorded(seen, map(known, range(20)))) == 20
    found = recorded(seen, map(stranger, range(1000)))
    assert [each.full for each in found] == [False] * 9 + [True]
    restarted = Seen(seen.durable(), listed=40, strangers=10)
    for book in (seen, restarted):
        assert recorded(book, map(known, range(20))) == []
        assert recorded(book, map(stranger, range(2000))) == []
    assert len(recorded(restarted, map(known, range(20, 40)))) == 20  # and cards of ours still have their record
    assert recorded(restarted, [known(41)]) == []


def test_a_state_that_is_no_list_of_cards_is_named() -> None:
    with pytest.raises(durable.StateError, match="cards-listed-07"):
        Seen({"cards-listed-07": durable.encode(b"123")})
