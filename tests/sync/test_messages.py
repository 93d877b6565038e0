"""The log's messages and its chain: what is encoded decodes, and nothing else gets through."""

import hashlib
import struct
import zlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.contract.topics import MAX_PACKET
from sync.errors import MessageError
from sync.log.messages import MAX_INFLATED, MAX_PAYLOAD, MAX_RECORDS, Ack, Batch, Fork, Gone, Hello, Message, encode
from sync.log.receiver import decode_upward
from sync.log.records import GENESIS, INT64, MAX_BODY, Record, body_hash, chain_hash
from sync.log.sender import MAX_DOWNWARD, decode_downward
from tests.sync.road import BOOT, SALT, a_record, log_id

LOG = log_id(1)
HASH = bytes(range(32))
HELLO = Hello(log_id=LOG, oldest=3, head=9, head_hash=HASH)
BATCH = Batch.of(LOG, 4, HASH, (a_record(5), a_record(6, None)))
GONE = Gone(log_id=LOG, after=0, upto=4, reason="trimmed", hash=HASH)
ACK = Ack(log_id=LOG, seq=6, hash=HASH)
FORK = Fork(log_id=LOG, seq=6, hash=HASH)


def packed(value: object) -> bytes:
    """Something else in the same wrapping."""
    return zlib.compress(msgspec.msgpack.encode(value))


def fields(message: Message, **changed: object) -> bytes:
    """A message with some of its fields changed, unchecked."""
    return packed({**msgspec.to_builtins(message, builtin_types=(bytes,)), **changed})


# the chain


def test_the_hash_is_the_one_in_the_docstring() -> None:
    record = Record(7, "visit", -5, True, BOOT, 11, b"{}", SALT, body_hash(SALT, b"{}"))
    header = struct.pack(">QqB16sQB", 7, -5, 1, BOOT, 11, 5) + b"visit"
    expected = hashlib.sha256(HASH + header + hashlib.sha256(SALT + b"{}").digest()).digest()
    assert chain_hash(HASH, record) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"seq": 8},
        {"kind": "visis"},
        {"at": 1},
        {"clock": False},
        {"boot": bytes(16)},
        {"mono": 1},
        {"body_hash": bytes(32)},
    ],
)
def test_every_field_counts(changed: dict[str, object]) -> None:
    record = a_record(7)
    assert chain_hash(HASH, msgspec.structs.replace(record, **changed)) != chain_hash(HASH, record)
    assert chain_hash(GENESIS, record) != chain_hash(HASH, record)


def test_an_erased_body_leaves_the_chain_as_it_was() -> None:
    record = a_record(7, b'{"holder":"h-1"}')
    erased = msgspec.structs.replace(record, body=None, salt=None)
    assert chain_hash(HASH, erased) == chain_hash(HASH, record)


# there and back


@pytest.mark.parametrize("message", [HELLO, BATCH, GONE, Hello(log_id=LOG, oldest=1, head=0, head_hash=GENESIS)])
def test_upward_messages_come_back(message: Message) -> None:
    assert decode_upward(encode(message)) == message


@pytest.mark.parametrize("message", [ACK, FORK])
def test_downward_messages_come_back(message: Message) -> None:
    assert decode_downward(encode(message)) == message


def test_the_largest_batch_fits_into_a_packet() -> None:
    assert MAX_PAYLOAD < MAX_PACKET


# bounds


@pytest.mark.parametrize(
    "changed",
    [
        {"t": "snapshot"},
        {"log_id": ""},
        {"log_id": "g" * 32},
        {"log_id": LOG + "\n"},
        {"log_id": "../../etc"},
        {"head": -1},
        {"head": INT64 + 1},
        {"head": 1.0},
        {"head": "1"},
        {"head_hash": HASH[:-1]},
        {"head_hash": HASH + b"\0"},
        {"head_hash": "x" * 32},
        {"oldest": 0},
        {"oldest": 11},
        {"oldest": 1, "head": 0},
    ],
)
def test_a_wrong_hello_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        decode_upward(fields(HELLO, **changed))


def a_list(**changed: object) -> list[object]:
    """A record as it stands in a batch."""
    return list(msgspec.to_builtins(msgspec.structs.replace(a_record(5), **changed), builtin_types=(bytes,)))


@pytest.mark.parametrize(
    "changed",
    [
        {"seq": 6},
        {"kind": ""},
        {"kind": "k" * 65},
        {"kind": "Visit"},
        {"kind": "中"},
        {"kind": "a\0"},
        {"at": INT64 + 1},
        {"at": -INT64 - 1},
        {"boot": bytes(15)},
        {"mono": -1},
        {"mono": 2**64 - 1},
        {"body": b"{ }"},
        {"body": None},
        {"salt": None},
        {"salt": b""},
        {"salt": bytes(65)},
        {"body_hash": HASH},
        {"body_hash": HASH[:31]},
        {"body": b"x" * (MAX_BODY + 1), "body_hash": body_hash(SALT, b"x" * (MAX_BODY + 1))},
        {"clock": 1},
    ],
)
def test_a_wrong_record_is_refused(changed: dict[str, object]) -> None:
    batch = fields(BATCH, upto=5, records=[a_list(**changed)])
    with pytest.raises(MessageError):
        decode_upward(batch)
    assert decode_upward(fields(BATCH, upto=5, records=[a_list()]))


@pytest.mark.parametrize(
    "changed",
    [
        {"records": []},
        {"upto": 4, "records": []},
        {"upto": 7},
        {"after": 5},
        {"after": 0, "upto": 2},
        {"after": 0, "upto": 1, "records": [a_list(seq=1)]},  # the hash before the first must be zero
        {"records": [a_list(), a_list()]},
        {"records": [a_list()[:-1], a_list()]},
        {"records": 5},
    ],
)
def test_a_wrong_batch_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        decode_upward(fields(BATCH, **changed))


@pytest.mark.parametrize("changed", [{"upto": 0}, {"after": 4}, {"reason": "r" * 65}, {"hash": b""}])
def test_a_wrong_gone_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        decode_upward(fields(GONE, **changed))


@pytest.mark.parametrize("changed", [{"seq": -1}, {"seq": INT64 + 1}, {"hash": b"x"}, {"log_id": "x"}, {"t": "hello"}])
@pytest.mark.parametrize("message", [ACK, FORK])
def test_a_wrong_answer_is_refused(message: Message, changed: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        decode_downward(fields(message, **changed))


def test_too_many_records_are_refused() -> None:
    records = tuple(a_record(seq, b"") for seq in range(1, MAX_RECORDS + 2))
    batch = Batch.of(LOG, 0, GENESIS, records[:-1])
    assert decode_upward(encode(batch)) == batch
    with pytest.raises(MessageError, match="length"):
        decode_upward(encode(msgspec.structs.replace(batch, upto=MAX_RECORDS + 1, records=records)))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        encode(HELLO)[:-1],
        encode(HELLO) + b"\0",
        zlib.compress(bytes(MAX_INFLATED + 1)),
        zlib.compress(bytes(50_000_000)),  # 50 kB that would become 50 MB
        zlib.compress(b"\x91" * 1_000_000),
        zlib.compress(b"\xdd\xff\xff\xff\xff"),
        zlib.compress(b"\xc6\xff\xff\xff\xff"),
        zlib.compress(b""),
        zlib.compress(msgspec.msgpack.encode(HELLO) + b"\xc0"),
    ],
    ids=["empty", "json", "cut", "tail", "long", "bomb", "nested", "huge array", "huge bytes", "nothing", "inner tail"],
)
@pytest.mark.parametrize("decode", [decode_upward, decode_downward])
def test_what_is_no_message_is_refused(decode: Callable[[bytes], Message], payload: bytes) -> None:
    with pytest.raises(MessageError):
        decode(payload)


def test_an_answer_is_small() -> None:
    with pytest.raises(MessageError, match=f"more than {MAX_DOWNWARD}"):
        decode_downward(packed({**msgspec.to_builtins(ACK, builtin_types=(bytes,)), "more": bytes(MAX_DOWNWARD)}))


def test_a_field_of_a_later_version_is_passed_over() -> None:
    assert decode_upward(fields(HELLO, later=[1, {"2": 3}])) == HELLO


# whatever comes


@given(st.binary(max_size=300))
@pytest.mark.parametrize("decode", [decode_upward, decode_downward])
@pytest.mark.parametrize("wrap", [bytes, zlib.compress])
def test_random_bytes_raise_nothing_else(
    wrap: Callable[[bytes], bytes], decode: Callable[[bytes], Message], data: bytes
) -> None:
    with pytest.raises(MessageError):
        decode(wrap(data))


@given(st.data())
def test_changed_bytes_raise_nothing_else(data: st.DataObject) -> None:
    message = data.draw(st.sampled_from([HELLO, BATCH, GONE, ACK, FORK]))
    raw = bytearray(msgspec.msgpack.encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    decode = decode_upward if isinstance(message, Hello | Batch | Gone) else decode_downward
    try:
        decoded = decode(zlib.compress(bytes(raw)))
    except MessageError:
        return
    assert decode(encode(decoded)) == decoded  # what got through is sound: it may be another hash, never another shape


plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=40)
)
nested = st.recursive(plain, lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=9), inner))


@given(st.sampled_from([HELLO, BATCH, GONE, ACK, FORK]), st.data())
def test_wrong_types_raise_nothing_else(message: Message, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(message.__struct_fields__))
    payload = fields(message, **{name: data.draw(nested)})
    for decode in (decode_upward, decode_downward):
        try:
            assert encode(decode(payload))
        except MessageError:
            continue
