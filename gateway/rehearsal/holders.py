"""Who lives here, and who of them is inside; what they hold up to the readers."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.events import Outcome, Verdict
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Step

CARD_SERVES = frozenset({Step.CREDENTIAL, Step.REGISTRATION})
CODE_SERVES = frozenset({Step.HEALTH_CODE})


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with a pass of this colour; `holder` "": none, as the guard registered them."""

    holder: str
    who: PassType


def pass_of(holder: Holder, *, stays_home: bool = False) -> Verdict:
    """Their card or pass, as it is resolved."""
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind="pass" if holder.who is PassType.VISITOR else "card",
        credential=f"c-{holder.holder}",
        serves=CARD_SERVES,
        holder=holder.holder,
        pass_type=holder.who,
        stays_home=stays_home,
    )


def code_of(holder: Holder, colour: HealthCode) -> Verdict:
    """Their health code."""
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind="health-code",
        credential=f"code-{colour}-{holder.holder}",
        serves=CODE_SERVES,
        holder=holder.holder,
        health_code=colour,
    )


def unknown_card(number: int) -> Verdict:
    """A card that the directory does not list."""
    return Verdict(outcome=Outcome.UNKNOWN, reason="unknown-card", kind="card", credential=f"stranger-{number}")


class Holders:
    """Everybody with a pass for long, and the visitors who have come. `chance` picks."""

    def __init__(self, chance: random.Random, shares: Mapping[PassType, float], count: int, inside: int) -> None:
        self._chance = chance
        self._made = 0
        self._outside: dict[PassType, list[Holder]] = {who: [] for who in PassType}
        self._inside: list[Holder] = []
        long = [who for who in PassType if who is not PassType.VISITOR and shares.get(who)] or [PassType.RESIDENT]
        weights = [shares.get(who) or 1.0 for who in long]
        for who in chance.choices(long, weights, k=count):
            self._outside[who].append(self._new(who))
        for _ in range(inside):
            everywhere = [who for who in long if self._outside[who]]
            self.went_in(self.outside(chance.choice(everywhere)))

    def outside(self, who: PassType) -> Holder:
        """Somebody of this colour who is outside; they are on their way now."""
        kept = self._outside[who]
        if who is PassType.VISITOR or not kept:
            return self._new(who)
        return _taken(kept, self._chance)

    def inside(self) -> Holder | None:
        """Somebody who is inside, and is on the way now; None where nobody is."""
        return _taken(self._inside, self._chance) if self._inside else None

    @property
    def last_in(self) -> Holder | None:
        """Who came in last, and is still there."""
        return self._inside[-1] if self._inside else None

    def went_in(self, holder: Holder) -> None:
        """They are inside now."""
        self._inside.append(holder)

    def went_out(self, holder: Holder) -> None:
        """They are outside now, or were turned away there."""
        if holder.who is not PassType.VISITOR:
            self._outside[holder.who].append(holder)

    def _new(self, who: PassType) -> Holder:
        self._made += 1
        return Holder(f"h-{self._made:05d}", who)


def _taken(among: list[Holder], chance: random.Random) -> Holder:
    """One of them, who is no more among them. The last takes their place: nobody counts the order."""
    at = chance.randrange(len(among))
    among[at], among[-1] = among[-1], among[at]
    return among.pop()
