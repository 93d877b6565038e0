"""The office's momentary commands: each is carried out once, and the office learns what became of it.

Theory of operation. Who signed a command, and for which gate and boot, was judged before (`gateway.orders`); here is judged
what only the deciding thread knows. What is late, lives too long or was here before is turned away. Everything else has its
answer, *executed* or *refused*, in a record and in the state.

An id is kept as long as its command could be good, and written with the first record that the command made: a gate that
starts again within the boot knows it, and in another boot the command is good for nothing. When `MOST` of them are kept,
no further command is taken: an id is never given up early.
"""

from collections.abc import Mapping

import msgspec

from gateway.core import durable
from gateway.core.alarms import AlarmBook
from gateway.core.equipment import Equipment
from gateway.core.findings import FIRE, LOCKDOWN, SEALED
from gateway.core.mode import ModeMachine, Order
from gateway.core.policy import PortalKind, PortalPolicy
from sync.contract.alarms import Answer, CommandOutcome
from sync.contract.commands import MAX_LIFE_MS, SAYABLE, Acknowledge, Command, Release, Say, action_of
from sync.contract.records import CommandRecord

MOST = 64  # commands within `MAX_LIFE_MS`
TOLD = 8  # answers in the state
_KEY = "commands"


class _Done(msgspec.Struct, frozen=True, array_like=True):
    answer: Answer
    until_ms: int


class _Kept(msgspec.Struct, frozen=True):
    boot: str = ""
    done: tuple[_Done, ...] = ()


class Commanded:
    """The commands of this boot that were answered, the oldest first."""

    def __init__(self, portal: PortalPolicy, has: Equipment, state: Mapping[str, bytes]) -> None:
        self._portal = portal
        self._has = has
        self._kept = durable.read(state, _KEY, _Kept, _Kept())

    def adopt(self, portal: PortalPolicy) -> None:
        """Go by this from now on."""
        self._portal = portal

    def turned_away(self, command: Command, now_ms: int) -> str:
        """Why it is none to answer: `late`, `life-too-long`, `replayed`, `too-many-commands`; "" when it is one."""
        if now_ms > command.not_after_mono:
            return "late"
        if command.not_after_mono - now_ms > MAX_LIFE_MS:
            return "life-too-long"
        done = self._of(command.boot)
        if any(each.answer.id == command.id for each in done):
            return "replayed"
        return "too-many-commands" if len(_good(done, now_ms)) >= MOST else ""

    def against(self, command: Command, mode: ModeMachine, alarms: AlarmBook) -> str:
        """Why the gate, as it stands, does not carry it out; "" when nothing speaks against it."""
        match command:
            case Release(portal=portal):
                return self._against_release(portal, mode.order)
            case Say(phrase=phrase) if phrase not in SAYABLE:
                return "unknown-phrase"
            case Say() if not self._has.has("speaker"):
                return "no-speaker"
            case Say() if mode.fire:
                return FIRE  # nothing is said but to leave
            case Acknowledge(alarm=alarm) if not alarms.can_acknowledge(alarm):
                return "nothing-to-acknowledge"
        return ""

    def _against_release(self, portal: str, order: Order) -> str:
        if portal not in ("", self._portal.name):
            return "other-portal"
        if self._portal.kind is PortalKind.SEALED:
            return SEALED
        return LOCKDOWN if order is Order.LOCKDOWN else ""  # who is not there has to lift it first

    def answer(self, command: Command, refused: str, now_ms: int) -> CommandRecord:
        """Keep what becomes of it, `refused` being why it is not carried out; the record of that."""
        outcome = CommandOutcome.REFUSED if refused else CommandOutcome.EXECUTED
        done = self._of(command.boot)
        forgotten = {each.answer.id for each in done[: 1 - TOLD] if each.until_ms < now_ms}
        still = tuple(each for each in done if each.answer.id not in forgotten)
        answer = Answer(id=command.id, outcome=outcome, reason=refused)
        self._kept = _Kept(command.boot, (*still, _Done(answer, command.not_after_mono)))
        target, note = _about(command)
        return CommandRecord(
            command=command.id,
            action=action_of(command),
            by=command.by,
            outcome=outcome,
            reason=refused,
            target=target,
            note=note,
        )

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The last few, for the state."""
        return tuple(each.answer for each in self._kept.done[-TOLD:])

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {_KEY: durable.encode(self._kept)} if self._kept.done else {}

    def _of(self, boot: str) -> tuple[_Done, ...]:
        return self._kept.done if self._kept.boot == boot else ()


def _good(done: tuple[_Done, ...], now_ms: int) -> list[_Done]:
    return [each for each in done if each.until_ms >= now_ms]


def _about(command: Command) -> tuple[str, str]:
    match command:
        case Release(portal=portal, reason=reason):
            return portal, reason
        case Say(phrase=phrase):
            return phrase, ""
        case Acknowledge(alarm=alarm, note=note):
            return alarm, note
