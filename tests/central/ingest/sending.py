"""A gate's log as the office is sent it, message by message."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from django.db import connection

from central.ingest.reading import Incoming, Message
from central.ingest.refusals import Refusals
from central.ingest.writer import Answer, Writer
from central.registry.models import Gate
from sync.contract.records import Body, Direction, Visit, VisitOutcome, encode_body, kind_of
from sync.log.messages import Ack, Batch, Downward, encode
from sync.log.records import GENESIS, Record, body_hash, chain_hash

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
BOOT = bytes(range(16))
SALT = bytes(16)
NORTH = "north-gate"


def log_id(number: int = 1) -> str:
    """An id as logs have it."""
    return f"{number:032x}"


def raw(kind: str, body: bytes | None, seq: int = 1, *, at: int = NOW_MS, clock: bool = True) -> Record:
    """A record of any content."""
    salt = None if body is None else SALT
    return Record(seq, kind, at, clock, BOOT, 1000 * seq, body, salt, body_hash(SALT, body or b"erased"))


def record(body: Body, seq: int = 1) -> Record:
    """A record of a body of ours."""
    return raw(kind_of(body), encode_body(body), seq)


def visit(number: int = 1) -> Visit:
    """A granted visit that can be told from others."""
    return Visit(
        visit=f"visit-{number}",
        portal="main",
        direction=Direction.ENTRY,
        outcome=VisitOutcome.GRANTED,
        reasons=("ok",),
        started_ms=0,
        duration_ms=4000,
    )


def visits(first: int, last: int) -> list[Record]:
    """Records of visits with these numbers."""
    return [record(visit(number), number) for number in range(first, last + 1)]


def hashes(records: Sequence[Record], previous: bytes = GENESIS) -> list[bytes]:
    """Their hashes."""
    out = []
    for one in records:
        previous = chain_hash(previous, one)
        out.append(previous)
    return out


def batch(*records: Record, previous: bytes = GENESIS, log: str = "") -> Batch:
    """A batch of these records."""
    return Batch.of(log or log_id(), records[0].seq - 1, previous, records)


def ack(seq: int, digest: bytes, log: str = "") -> Ack:
    """An acknowledgement."""
    return Ack(log_id=log or log_id(), seq=seq, hash=digest)


class Desk:
    """Where messages are handed in."""

    def __init__(self, *, admit: bool = True) -> None:
        self.refusals = Refusals()
        self.writer = Writer(self.refusals, admit=admit)

    def take(self, *messages: Message, gate: str = NORTH, at: datetime = NOW) -> list[Downward]:
        """Hand in messages of a gate, in one transaction; what it is told."""
        answers: list[Answer] = self.writer.write(
            [Incoming(gate, message, at, encode(message)) for message in messages]
        )
        assert {answer.gate for answer in answers} <= {gate}
        return [answer.message for answer in answers]


def admitted(gate: str = NORTH) -> Gate:
    """A gate that the office knows."""
    return Gate.objects.create(pk=gate, admitted=True)


as_json = msgspec.json.encode


_REFUSING = {
    "sqlite": """
        CREATE TRIGGER refuse BEFORE INSERT ON ingest_record WHEN NEW.seq = {seq} BEGIN SELECT RAISE(ABORT, 'refused'); END
    """,
    "postgresql": """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON ingest_record FOR EACH ROW WHEN (NEW.seq = {seq}) EXECUTE FUNCTION refuse();
    """,
}
_AGAIN = {
    "sqlite": "DROP TRIGGER refuse",
    "postgresql": "DROP TRIGGER refuse ON ingest_record; DROP FUNCTION refuse()",
}


def refuse_record(seq: int) -> None:
    """Have the database refuse records with this number."""
    with connection.cursor() as cursor:
        cursor.execute(_REFUSING[connection.vendor].format(seq=seq))


def refuse_no_more() -> None:
    """Have it take them again."""
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN[connection.vendor])
