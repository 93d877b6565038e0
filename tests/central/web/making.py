"""A gate at work, as far as the office can tell: its messages go the way of all messages, through the ingest's writer."""

import hashlib
import secrets
from typing import Any

from django.utils.timezone import now as office_now

from central.ingest.reading import Incoming, Message
from central.ingest.refusals import Refusals
from central.ingest.writer import Writer
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, StateMessage
from sync.contract.records import Body, Direction, LogOpened, Passage, Visit, VisitOutcome, encode_body, kind_of
from sync.log.messages import Batch, Gone
from sync.log.records import GENESIS, Record, body_hash, chain_hash

BOOT = bytes(range(16))


class GateAtWork:
    """One gate with one log."""

    def __init__(self, gate: str = "north-gate", *, admit: bool = True) -> None:
        self.gate = gate
        self.log_id = hashlib.md5(gate.encode(), usedforsecurity=False).hexdigest()
        self.seq, self.hash = 0, GENESIS
        self.boot, self.mono_ms = BOOT, 1000
        self._writer = Writer(Refusals(), admit=admit)

    def reboot(self) -> None:
        """The machine was off, and is on again."""
        self.boot, self.mono_ms = secrets.token_bytes(16), 1000

    def begin_log(self, reason: str, predecessor: str) -> None:
        """Another log, as the gate opens it for this reason."""
        self.log_id, self.seq, self.hash = secrets.token_hex(16), 0, GENESIS
        self.record(LogOpened(reason=reason, predecessor=predecessor))

    def send(self, message: Message) -> None:
        """Let the office take a message."""
        self._writer.write([Incoming(self.gate, message, office_now())])

    def record(self, body: Body, *, clock: bool = True, at_ms: int | None = None) -> None:
        """Write a record and send it."""
        encoded, salt = encode_body(body), secrets.token_bytes(16)
        self.mono_ms += 1000
        row = Record(
            seq=self.seq + 1,
            kind=kind_of(body),
            at=int(office_now().timestamp() * 1000) if at_ms is None else at_ms,
            clock=clock,
            boot=self.boot,
            mono=self.mono_ms,
            body=encoded,
            salt=salt,
            body_hash=body_hash(salt, encoded),
        )
        self.send(Batch.of(self.log_id, self.seq, self.hash, (row,)))
        self.seq, self.hash = row.seq, chain_hash(self.hash, row)

    def visit(self, *, clock: bool = True, at_ms: int | None = None, passed: bool = False, **values: Any) -> None:
        """A visit, granted unless `values` say otherwise."""
        given: dict[str, Any] = {
            "visit": secrets.token_hex(8),
            "portal": "main",
            "direction": Direction.ENTRY,
            "outcome": VisitOutcome.GRANTED,
            "reasons": ("ok",),
            "started_ms": 0,
            "duration_ms": 4000,
        } | values
        self.record(Visit(**given), clock=clock, at_ms=at_ms)
        if passed:
            self.record(Passage(portal="main", direction=given["direction"], visit=given["visit"]), at_ms=at_ms)

    def alarm(self, kind: AlarmKind, action: AlarmAction = AlarmAction.RAISED, **values: Any) -> str:
        """An alarm's message. Returns the alarm's id."""
        self.mono_ms += 1000
        at_ms = int(office_now().timestamp() * 1000)
        given: dict[str, Any] = {
            "id": secrets.token_hex(16),
            "kind": kind,
            "portal": "main",
            "since_ms": at_ms,
        } | values
        alarm = Alarm(**given)
        self.send(AlarmMessage(action=action, alarm=alarm, at_ms=at_ms, boot=self.boot.hex(), mono_ms=self.mono_ms))
        return alarm.id

    def state(self, **values: Any) -> None:
        """A state message."""
        self.mono_ms += 1000
        given: dict[str, Any] = {
            "online": True,
            "boot": self.boot.hex(),
            "connection": 1,
            "mono_ms": self.mono_ms,
            "at_ms": int(office_now().timestamp() * 1000),
            "clock_trusted": True,
            "version": "0.1.0",
            "mode": "normal",
            "door": "locked",
            "inside": 3,
            "log_id": self.log_id,
            "head": self.seq,
        } | values
        self.send(StateMessage(**given))

    def lose(self, count: int, reason: str = "trimmed") -> None:
        """Records that are gone for good."""
        digest = secrets.token_bytes(32)
        upto = self.seq + count
        self.send(Gone(log_id=self.log_id, after=self.seq, upto=upto, reason=reason, hash=digest))
        self.seq, self.hash = upto, digest

    def contradict(self) -> None:
        """Another past than the office has."""
        self.send(Gone(log_id=self.log_id, after=self.seq - 1, upto=self.seq, reason="x", hash=bytes(32)))
