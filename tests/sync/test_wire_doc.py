"""docs/wire.md is what the code does: every example in it is decoded, and made again from the same inputs."""

import json
import re
import textwrap
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import base45
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract.alarms import (
    Alarm,
    AlarmAction,
    AlarmKind,
    AlarmMessage,
    Answer,
    CommandOutcome,
    DeviceReport,
    StateMessage,
)
from sync.contract.colours import HealthCode, PassType
from sync.contract.commands import (
    MAX_LIFE_MS,
    MAX_SEALED,
    SAYABLE,
    Acknowledge,
    Command,
    Release,
    Say,
    read_command,
    seal_command,
    unseal_command,
)
from sync.contract.directory import (
    Booking,
    Card,
    Code,
    CountOrder,
    Duty,
    Elsewhere,
    Holder,
    HolderStatus,
    ModeOrder,
    Status,
    Table,
    Wording,
)
from sync.contract.encoding import decode_base45
from sync.contract.keys import raw
from sync.contract.office_time import When, decode_told, decode_when, encode_told
from sync.contract.passes import MAX_TEXT, Pass, PassKeys, Shown, compressed, present, read_pass, sign_pass, verify_pass
from sync.contract.post import (
    AHEAD_MS,
    BEAT_MS,
    MAX_HEARTBEAT,
    SILENT_MS,
    Heartbeat,
    Question,
    read_heartbeat,
    read_question,
    seal_heartbeat,
    seal_question,
    unseal_heartbeat,
    unseal_said,
)
from sync.contract.records import (
    KINDS,
    AlarmRecord,
    Body,
    Calibration,
    CardSeen,
    ClockChange,
    CommandRecord,
    Count,
    Device,
    Direction,
    Door,
    Drill,
    DrillStage,
    Dropped,
    Evidence,
    LogOpened,
    Mode,
    Passage,
    Refused,
    Round,
    Shift,
    ShiftAction,
    Started,
    Step,
    StepResult,
    Vehicle,
    Visit,
    VisitOutcome,
    decode_body,
    encode_body,
    kind_of,
)
from sync.contract.sealed import seal, unseal
from sync.contract.standing_orders import (
    StandingOrders,
    decode_orders,
    encode_orders,
    read_orders,
    seal_orders,
    standing,
    unseal_orders,
)
from sync.contract.topics import MAX_PACKET, Channel, parse_topic, topic
from sync.contract.trust import PassKey
from sync.log.keyed import Mark, Row, digest_of
from sync.log.messages import MAX_INFLATED, MAX_RECORDS, Ack, Batch, Fork, Gone, Hello, Message, encode
from sync.log.parts import (
    MAX_HAVE,
    MAX_PART,
    MAX_PARTS,
    MAX_ROWS,
    MAX_TITLE,
    PART_BYTES,
    Have,
    Staged,
    decode_have,
    open_part,
    pack,
)
from sync.log.receiver import ForkFound, Reply, Store, StoreGap, decode_upward, receive
from sync.log.records import GENESIS, MAX_BODY, Record, body_hash, chain_hash, header_of
from sync.log.sender import MAX_DOWNWARD, decode_downward
from sync.log.view import Head
from sync.log.window import LEAST_WINDOW, MAX_WINDOW, MIN_WINDOW

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "wire.md"
GATE, LOG = "north-1", "000102030405060708090a0b0c0d0e0f"
BOOT = bytes(range(16, 32))
AT = 1_700_000_000_000


def a_record(seq: int, body: Body, salt: bytes | None) -> Record:
    """A record of the example log; without a salt it was erased."""
    encoded, known = encode_body(body), salt or bytes(16)
    erased = salt is None
    return Record(
        seq,
        kind_of(body),
        AT + seq,
        True,
        BOOT,
        5000 + seq,
        None if erased else encoded,
        salt,
        body_hash(known, encoded),
    )


RECORDS = (
    a_record(1, LogOpened(reason="new"), bytes(range(16))),
    a_record(2, Mode(mode="lockdown", before="normal", by="guard"), bytes(range(16, 32))),
    a_record(3, Passage(portal="north", direction=Direction.ENTRY, visit="v-1", inside=1), None),
)
HASHES = [chain_hash(GENESIS, RECORDS[0])]
for _record in RECORDS[1:]:
    HASHES.append(chain_hash(HASHES[-1], _record))

MESSAGES: dict[str, Message] = {
    "hello": Hello(log_id=LOG, oldest=1, head=3, head_hash=HASHES[2]),
    "batch": Batch.of(LOG, 1, HASHES[0], RECORDS[1:]),
    "gone": Gone(log_id=LOG, after=0, upto=1, reason="trimmed", hash=HASHES[0]),
    "ack": Ack(log_id=LOG, seq=3, hash=HASHES[2]),
    "fork": Fork(log_id=LOG, seq=3, hash=bytes(range(32))),
}
ALARM = Alarm(
    id="00112233445566778899aabbccddeeff",
    kind=AlarmKind.DOOR_FORCED,
    portal="north",
    since_ms=AT,
    count=2,
    acknowledged=True,
    acknowledged_by="guard",
    detail="contact",
)
STATE = StateMessage(
    online=True,
    boot=BOOT.hex(),
    connection=42,
    mono_ms=86_400_000,
    at_ms=AT,
    clock_trusted=True,
    version="0.1.0",
    mode="normal",
    door="locked",
    inside=17,
    log_id=LOG,
    head=3,
    acked=2,
    directory_epoch=1,
    directory_version=7,
    directory_at_ms=AT,
    devices_lost=("thermometer",),
    alarms=(ALARM,),
    commands=(Answer(id="0f" * 16, outcome=CommandOutcome.REFUSED, reason="lockdown"),),
    devices=(
        DeviceReport(
            name="thermometer", state="lost", valid_at_ms=AT - 60_000, frames=864_003, bad=2, noise=17, reopens=1
        ),
        DeviceReport(name="card-reader", state="ok", valid_at_ms=AT - 900_000, frames=412),
    ),
)
PLAIN: dict[str, msgspec.Struct] = {
    "alarm": AlarmMessage(action=AlarmAction.RAISED, alarm=ALARM, at_ms=AT, boot=BOOT.hex(), mono_ms=86_400_000),
    "state": STATE,
    "will": StateMessage(online=False, boot=BOOT.hex(), connection=42),
}
BODIES: tuple[Body, ...] = (
    Visit(
        visit="v-1",
        portal="north",
        direction=Direction.ENTRY,
        outcome=VisitOutcome.GRANTED,
        reasons=("all-steps-passed",),
        started_ms=AT,
        duration_ms=6_400,
        mode="drill",
        night=True,
        credential="3132333435363738",
        credential_kind="pass",
        holder="h-0101",
        pass_type=PassType.RESIDENT,
        health_code=HealthCode.GREEN,
        object_c=36.5,
        ambient_c=21.0,
        steps=(StepResult(step=Step.TEMPERATURE, passed=True, reason="normal", mono_ms=5_100),),
        evidence=(Evidence(event="measured", mono_ms=5_100, data={"object_c": 36.5}),),
        directory_version=7,
        policy_version="3f2a",
        facts={"statement": "vaccination"},
        lane="card-reader",
        plate="京A12345",
        bay="bay 2",
        calibration=Calibration(raw_c=36.3, offset_c=0.2, factor=0.0, reference_c=20.0),
    ),
    CardSeen(
        portal="north",
        card="0f1e2d3c4b5a6978",
        reader="card-reader",
        direction=Direction.ENTRY,
        outcome="revoked",
        reason="lost-card",
        holder="h-0301",
        full=True,
    ),
    Passage(portal="north", direction=Direction.ENTRY, visit="v-1", inside=18),
    Door(portal="north", state="released", cause="grant", visit="v-1", by="guard", note="a pram"),
    AlarmRecord(action=AlarmAction.NOTED, alarm=ALARM, by="guard", note="the wind", what="done"),
    Mode(mode="lockdown", before="normal", by="li", drill=True, order="0a" * 16),
    Count(inside=12, before=14, by="li", order="0b" * 16),
    Started(version="0.1.0", config_sha256="3f2a", recovered=("journal-replaced",)),
    LogOpened(
        reason="rewound",
        predecessor="f" * 32,
        predecessor_head=51,
        carried=((47, 48), (50, 51)),
        detail="the office has another record 51",
    ),
    Dropped(reason="disk-nearly-full", log="f" * 32, kinds={"door": 3}, first=40, last=51, sent=200, bytes=110_592),
    Device(device="thermometer", state="lost", detail="/dev/serial0 is gone"),
    ClockChange(step_ms=-3_600_000, trusted=True),
    CommandRecord(
        command="0f" * 16,
        action="release",
        by="li",
        outcome=CommandOutcome.REFUSED,
        reason="lockdown",
        target="north",
        note="the lift is out of order",
    ),
    Refused(what="command", reason="late", detail=f"release {'0f' * 16}", count=3),
    Round(round="lobby", what="disinfection", due_ms=AT, outcome="done", by="h-0902"),
    Shift(action=ShiftAction.HANDED_OVER, by="Wang", to="Li", note="the lift is out of order"),
    Drill(stage=DrillStage.ORDERED, mode="lockdown", by="li", order="0a" * 16),
    Vehicle(plate="京A12345", by="Wang", visit="v-1", bay="bay 2"),
)
PASS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PASS = Pass(
    pass_id=b"12345678",
    pass_type=PassType.RESIDENT,
    site="demo",
    not_before_s=1_700_000_000,
    expires_s=1_900_000_000,
    holder="h-0101",
)
COMMAND: dict[str, Any] = {"gate": GATE, "id": "0f" * 16, "boot": BOOT.hex(), "not_after_mono": 86_405_000, "by": "li"}
COMMANDS: dict[str, Command] = {
    "release": Release(portal="north", reason="the lift is out of order", **COMMAND),
    "say": Say(phrase="guard-comes", **COMMAND),
    "acknowledge": Acknowledge(alarm=ALARM.id, note="the wind", **COMMAND),
}
HEARTBEAT = Heartbeat(gate=GATE, post="lodge", boot=BOOT.hex(), mono_ms=86_401_000, sequence=7)
QUESTION = Question(gate=GATE, post="lodge", number="5a" * 16)
PHONE = derive_private_key(7, SECP256R1())
ON_PHONE = replace(PASS, phone=compressed(PHONE.public_key()))
SHOWN_S = 1_800_000_000
PAPER_TEXT, ON_PHONE_TEXT = sign_pass(PASS, PASS_KEY), sign_pass(ON_PHONE, PASS_KEY)
SHOWN_TEXT = present(ON_PHONE_TEXT, PHONE, SHOWN_S)


ROWS = (
    Row("holder", "h-0101", msgspec.json.encode({"pass_type": "resident", "valid_from_s": 0, "valid_until_s": 1_900_000_000,
        "registered": True, "extended": False, "sites": ["demo"]})),
    Row("card", "04A1B2C3D4", msgspec.json.encode({"holder": "h-0101", "lost": False})),
    Row("code", "1f" * 32, msgspec.json.encode({"health_code": "green", "holder": "-", "valid_until_s": 0})),
    Row("revoked", "3132333435363738", b""),
    Row("status", "h-0101", msgspec.json.encode({"status": "home-observation", "until_s": 1_800_000_000})),
    Row("policy", "north-1/temperature.threshold_c", b"37.5"),
    Row("phrase", "en/welcome", msgspec.json.encode({"text": "Good morning."})),
    Row("mode", "*", msgspec.json.encode({"id": "0a" * 16, "mode": "lockdown", "by": "li", "at_ms": AT, "drill": False})),
    Row("count", "north-1", msgspec.json.encode({"id": "0b" * 16, "inside": 12, "by": "li", "at_ms": AT})),
    Row("booking", "h-0101", msgspec.json.encode({"slots": [{"begins_s": 1_700_000_000, "ends_s": 1_700_003_600}]})),
    Row("duty", "night-1", msgspec.json.encode({"name": "Wang", "role": "leader", "phone": "010-5550100",
        "begins_s": 1_700_000_000, "ends_s": 1_700_028_800})),
    Row("elsewhere", "north-1", msgspec.json.encode({"inside": -3, "at_ms": AT})),
)  # fmt: skip
ROW_TYPES: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "holder": ("holder", Holder),
    "card": ("uid", Card),
    "code": ("sha256", Code),
    "status": ("holder", Status),
    "phrase": ("", Wording),
    "mode": ("", ModeOrder),
    "count": ("", CountOrder),
    "booking": ("", Booking),
    "duty": ("", Duty),
    "elsewhere": ("", Elsewhere),
}
BASE = Mark(1, 6, digest_of(ROWS[:1]))
UPTO = Mark(1, 7, digest_of(ROWS[:3]))
CHANGED = (*ROWS[1:3], Row("card", "04FFFFFFFF", None))
HAVE = Have(site="demo", seen=BASE, title=b"", whole=True, staged=Staged(BASE, UPTO, 2, 1), room=4)
NONCE = bytes(range(16, 32))
SMALL: dict[str, Any] = {"have": HAVE, "when": When(nonce=NONCE)}


# how an example is written


def hexadecimal(data: bytes) -> str:
    """Hexadecimal digits, 96 a line."""
    return "\n".join(textwrap.wrap(data.hex(), 96))


def readable(value: object) -> str:
    """JSON; bytes as hexadecimal digits."""
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return json.dumps(plain, indent=2, ensure_ascii=False, default=bytes.hex)


def cbor(text: str) -> str:
    """The bytes of a pass."""
    return hexadecimal(decode_base45(text.removeprefix("MP1:")))


(PART_PAYLOAD,) = pack(
    (BASE, UPTO), CHANGED, site="demo", at_ms=AT, seal=lambda title: seal(title, "directory-part", PASS_KEY)
)
PART = open_part(PART_PAYLOAD, "demo", lambda sealed: unseal(sealed, "directory-part", [PASS_KEY.public_key()]))
ORDERS = standing(GATE, "demo", UPTO, {"*": ROWS[7].value or b""}, ROWS[8].value)
ORDERS_PAYLOAD = encode_orders(seal_orders(ORDERS, PASS_KEY))
TIME_PAYLOAD = encode_told(GATE, When(nonce=NONCE), AT, PASS_KEY)


def row_told(row: Row) -> str:
    """One row as the page shows it."""
    return f"{row.table:8} {row.key:32} {'nil' if row.value is None else row.value.decode() or '(empty)'}"


def decoded(payload: bytes) -> str:
    """Any payload of the envelope, as it is before its types are known."""
    return readable(msgspec.msgpack.decode(zlib.decompress(payload)))


EXAMPLES: dict[str, str] = {
    **{f"{name}, decoded": decoded(encode(message)) for name, message in SMALL.items()},
    **{f"{name}, MessagePack": hexadecimal(zlib.decompress(encode(message))) for name, message in SMALL.items()},
    "part, decoded": decoded(PART_PAYLOAD),
    "part, MessagePack": hexadecimal(zlib.decompress(PART_PAYLOAD)),
    "directory title": json.dumps(json.loads(unseal(PART.sealed, "directory-part", [PASS_KEY.public_key()])), indent=2),
    "directory rows": "\n".join(map(row_told, CHANGED)),
    "rows": "\n".join(map(row_told, ROWS)),
    "orders, decoded": decoded(ORDERS_PAYLOAD),
    "orders, MessagePack": hexadecimal(zlib.decompress(ORDERS_PAYLOAD)),
    "standing orders": json.dumps(json.loads(msgspec.json.encode(ORDERS)), indent=2),
    "time, decoded": decoded(TIME_PAYLOAD),
    "time, MessagePack": hexadecimal(zlib.decompress(TIME_PAYLOAD)),
    "office time": readable(decode_told(TIME_PAYLOAD, [PASS_KEY.public_key()])),
    **{f"{name}, decoded": readable(message) for name, message in MESSAGES.items()},
    **{f"{name}, MessagePack": hexadecimal(zlib.decompress(encode(message))) for name, message in MESSAGES.items()},
    **{name: readable(message) for name, message in PLAIN.items()},
    **{f"command {name}": readable(command) for name, command in COMMANDS.items()},
    "heartbeat": readable(HEARTBEAT),
    "heartbeat, sealed": hexadecimal(seal_heartbeat(HEARTBEAT, PASS_KEY)),
    "question": readable(QUESTION),
    "question, sealed": hexadecimal(seal_question(QUESTION, PASS_KEY)),
    "command, sealed": hexadecimal(seal_command(COMMANDS["release"], PASS_KEY)),
    **{f"record {kind_of(body)}": readable(body) for body in BODIES},
    "chain": "\n".join(
        (
            f"salt(1)      {(RECORDS[0].salt or b'').hex()}",
            f"body(1)      {(RECORDS[0].body or b'').decode()}",
            f"header(1)    {header_of(RECORDS[0]).hex()}",
            f"body_hash(1) {RECORDS[0].body_hash.hex()}",
            *(f"hash({number})      {digest.hex()}" for number, digest in enumerate(HASHES, 1)),
        )
    ),
    "pass": PAPER_TEXT,
    "pass, CBOR": cbor(PAPER_TEXT),
    "pass key": raw(PASS_KEY.public_key()).hex(),
    "phone pass": ON_PHONE_TEXT,
    "phone pass, CBOR": cbor(ON_PHONE_TEXT),
    "phone pass, shown": SHOWN_TEXT,
    "phone pass, shown, CBOR": cbor(SHOWN_TEXT),
}
_BLOCK: Final = re.compile(r"^<!-- example: (.+?) -->\n```\w*\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def blocks(page: str) -> dict[str, str]:
    return dict(_BLOCK.findall(page))


def test_every_example_is_there_and_no_other(blocks: dict[str, str]) -> None:
    assert sorted(blocks) == sorted(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_as_the_code_makes_it(blocks: dict[str, str], name: str) -> None:
    assert blocks[name] == EXAMPLES[name]


# and the way back: from what the page says, to what the code reads


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_decoded(blocks: dict[str, str], name: str) -> None:
    payload = zlib.compress(bytes.fromhex(blocks[f"{name}, MessagePack"]))
    decode: Callable[[bytes], Message] = decode_downward if name in {"ack", "fork"} else decode_upward
    message = decode(payload)
    assert message == MESSAGES[name]
    assert json.loads(readable(message)) == json.loads(blocks[f"{name}, decoded"])


def test_the_directory_is_decoded_from_the_page(blocks: dict[str, str]) -> None:
    def payload(name: str) -> bytes:
        return zlib.compress(bytes.fromhex(blocks[f"{name}, MessagePack"]))

    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(blocks["pass key"]))
    assert decode_have(payload("have")) == HAVE
    part = open_part(payload("part"), "demo", lambda sealed: unseal(sealed, "directory-part", [key]))
    assert (part.title.base, part.title.upto, part.rows) == (BASE, UPTO, CHANGED)
    orders = unseal_orders(decode_orders(payload("orders")), [key])
    assert orders == ORDERS == read_orders(blocks["standing orders"].encode())
    assert set(json.loads(blocks["standing orders"])) == set(StandingOrders.__struct_fields__)
    assert decode_when(payload("when")).nonce == NONCE
    assert readable(decode_told(payload("time"), [key])) == blocks["office time"]


@pytest.mark.parametrize("table", Table)
def test_a_row_is_read_as_its_type_and_shows_every_field(table: Table) -> None:
    (row,) = (row for row in ROWS if row.table == table.value)
    if table.value not in ROW_TYPES:
        assert table in {Table.REVOKED, Table.POLICY}
        return
    key, kind = ROW_TYPES[table.value]
    value = json.loads(row.value or b"")
    msgspec.convert(value | ({key: row.key} if key else {}), kind)
    assert {*value, *([key] if key else [])} == set(kind.__struct_fields__)


@pytest.mark.parametrize(("name", "kind"), [("alarm", AlarmMessage), ("state", StateMessage), ("will", StateMessage)])
def test_a_plain_message_is_decoded_and_shows_every_field(
    blocks: dict[str, str], name: str, kind: type[msgspec.Struct]
) -> None:
    assert msgspec.json.decode(blocks[name], type=kind) == PLAIN[name]
    assert set(json.loads(blocks[name])) == set(kind.__struct_fields__) - ({"devices"} if name == "will" else set())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_decoded_and_shows_every_field(blocks: dict[str, str], name: str) -> None:
    text = blocks[f"command {name}"]
    assert read_command(text.encode()) == COMMANDS[name]
    assert set(json.loads(text)) == {"action", *type(COMMANDS[name]).__struct_fields__}


def test_the_sealed_command_is_the_one_above_it(blocks: dict[str, str]) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(blocks["pass key"]))
    assert unseal_command(bytes.fromhex(blocks["command, sealed"]), [key]) == COMMANDS["release"]


def test_the_heartbeat_is_decoded_and_shows_every_field(blocks: dict[str, str]) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(blocks["pass key"]))
    assert read_heartbeat(blocks["heartbeat"].encode()) == HEARTBEAT
    assert unseal_heartbeat(bytes.fromhex(blocks["heartbeat, sealed"]), [key]) == HEARTBEAT
    assert set(json.loads(blocks["heartbeat"])) == set(Heartbeat.__struct_fields__)


def test_the_question_is_decoded_and_shows_every_field(blocks: dict[str, str]) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(blocks["pass key"]))
    assert read_question(blocks["question"].encode()) == QUESTION
    assert unseal_said(bytes.fromhex(blocks["question, sealed"]), [key]) == QUESTION
    assert unseal_said(bytes.fromhex(blocks["heartbeat, sealed"]), [key]) == HEARTBEAT
    assert set(json.loads(blocks["question"])) == set(Question.__struct_fields__)


def test_what_may_be_said_is_told(page: str) -> None:
    assert [phrase for phrase in SAYABLE if f"`{phrase}`" not in page] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_decoded_and_shows_every_field(blocks: dict[str, str], kind: str) -> None:
    text = blocks[f"record {kind}"]
    body = decode_body(kind, text.encode())
    assert body in BODIES
    assert set(json.loads(text)) == set(KINDS[kind].__struct_fields__)


def test_the_chain_is_as_the_page_computes_it(blocks: dict[str, str]) -> None:
    values: dict[str, str] = dict(line.split(maxsplit=1) for line in blocks["chain"].splitlines())
    assert body_hash(bytes.fromhex(values["salt(1)"]), values["body(1)"].encode()).hex() == values["body_hash(1)"]
    previous = GENESIS
    for record in RECORDS:
        previous = chain_hash(previous, record)
        assert previous.hex() == values[f"hash({record.seq})"]


def test_the_passes_verify(blocks: dict[str, str]) -> None:
    keys = PassKeys.of([PassKey(key=blocks["pass key"])])
    assert verify_pass(blocks["pass"], keys) == Shown(PASS)
    assert verify_pass(blocks["phone pass"], keys) == Shown(ON_PHONE)
    shown = verify_pass(blocks["phone pass, shown"], keys)
    assert shown == Shown(ON_PHONE, SHOWN_S // 30)
    assert shown.why_not(site="demo", at_s=SHOWN_S) == ""


@pytest.mark.parametrize("name", ["pass", "phone pass", "phone pass, shown"])
def test_a_pass_is_decoded_from_its_bytes(blocks: dict[str, str], name: str) -> None:
    data = bytes.fromhex(blocks[f"{name}, CBOR"])
    assert read_pass("MP1:" + base45.b45encode(data).decode()) == read_pass(blocks[name])


def test_the_dialogue_happens_as_told() -> None:
    """What the page says a receiver answers, for each row of its table."""
    batch, gone, hello = MESSAGES["batch"], MESSAGES["gone"], MESSAGES["hello"]
    assert isinstance(batch, Batch)
    assert isinstance(gone, Gone)
    assert isinstance(hello, Hello)
    assert isinstance(receive(batch, Head(1, HASHES[0])), Store)
    assert isinstance(receive(batch, Head(0, GENESIS)), Reply)
    assert isinstance(receive(batch, Head(1, GENESIS)), ForkFound)
    assert isinstance(receive(gone, Head(0, GENESIS)), StoreGap)
    assert receive(hello, Head(3, HASHES[2])) == Reply(MESSAGES["ack"])  # type: ignore[arg-type]  # it is an Ack
    assert receive(hello, Head(3, bytes(range(32)))) == ForkFound(MESSAGES["fork"])  # type: ignore[arg-type]  # a Fork


@pytest.mark.parametrize("channel", Channel)
def test_topics_are_as_told(page: str, channel: Channel) -> None:
    written = topic(GATE, channel)
    assert f"`{written}`" in page
    assert parse_topic(written) == (GATE, channel)


@pytest.mark.parametrize(
    "number",
    [
        MAX_PACKET,
        MAX_INFLATED,
        MAX_RECORDS,
        MAX_BODY,
        MAX_DOWNWARD,
        MAX_TEXT,
        MAX_SEALED,
        MAX_LIFE_MS,
        MAX_HEARTBEAT,
        BEAT_MS,
        SILENT_MS,
        AHEAD_MS,
        MAX_HAVE,
        MAX_PART,
        MAX_PARTS,
        MAX_ROWS,
        MAX_TITLE,
        PART_BYTES,
        MIN_WINDOW,
        LEAST_WINDOW,
        MAX_WINDOW,
    ],
)
def test_bounds_are_as_told(page: str, number: int) -> None:
    assert f"{number:,}" in page


@pytest.mark.parametrize(
    "words",
    [AlarmKind, AlarmAction, PassType, HealthCode, Step, VisitOutcome, Direction, CommandOutcome, Table, HolderStatus],
)
def test_every_word_is_told(page: str, words: Any) -> None:
    missing = [word.value for word in words if f"`{word.value}`" not in page]
    assert missing == []
