"""What one turn wants done, in order, gathered from all who have a part in it."""

from gateway.core.effects import Effect, Priority, Say, Show
from gateway.core.ledger import Ledger
from gateway.core.phrases import Phrase
from sync.contract.records import Body


class Outbox:
    """Effects in the order in which they were thought of; records carry what they changed in the durable state."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._effects: list[Effect] = []

    def add(self, effect: Effect) -> None:
        """One more."""
        self._effects.append(effect)

    def record(self, body: Body, token: int = 0) -> None:
        """Onto the record. Called after the machine has moved."""
        self.add(self._ledger.record(body, token))

    def say(self, phrase: Phrase, priority: Priority) -> None:
        """Say a phrase that carries no values."""
        self.add(Say(phrase, priority))

    def show(self, what: str, **values: str) -> None:
        """Tell whoever looks on."""
        self.add(Show(what, values))

    def take(self) -> tuple[Effect, ...]:
        """All of them; then it is empty."""
        taken, self._effects = tuple(self._effects), []
        return taken
