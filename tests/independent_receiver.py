"""The office's receiver of one gate's log: a second implementation, written from docs/wire.md alone.

It imports nothing of Menshen: what it can read and answer, anybody's can. `tests/e2e/test_independent_receiver.py` puts it in the
place of the office.
"""

import argparse
import fcntl
import hashlib
import json
import os
import re
import signal
import ssl
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import paho.mqtt.client as mqtt
from msgspec import Meta
from msgspec.structs import asdict
from paho.mqtt.enums import CallbackAPIVersion

TOP, MAX_PAYLOAD, MAX_INFLATED, ZERO = 2**63 - 1, 262_144, 2_097_152, bytes(32)
Number = Annotated[int, Meta(ge=1, le=TOP)]
Natural = Annotated[int, Meta(ge=0, le=TOP)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Cursor = tuple[int, bytes]


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Record(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    seq: Number
    kind: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
    at: Annotated[int, Meta(ge=-TOP, le=TOP)]
    clock: bool
    boot: Annotated[bytes, Meta(min_length=16, max_length=16)]
    mono: Natural
    body: Annotated[bytes, Meta(max_length=65_536)] | None
    salt: Annotated[bytes, Meta(min_length=16, max_length=64)] | None
    body_hash: Hash

    def __post_init__(self) -> None:  # msgspec makes a ValidationError of a ValueError
        if self.body is None or self.salt is None:
            if self.body is not self.salt:
                raise ValueError("body and salt: one without the other")
        elif self.body_hash != sha256(self.salt, self.body):
            raise ValueError(f"body_hash of record {self.seq} is another")

    def chained(self, before: bytes) -> bytes:
        head = struct.pack(">QqB16sQB", self.seq, self.at, self.clock, self.boot, self.mono, len(self.kind))
        return sha256(before, head, self.kind.encode(), self.body_hash)


class Message(msgspec.Struct, tag_field="t", tag=str.lower):
    log_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]


class Hello(Message):
    oldest: Number
    head: Natural
    head_hash: Hash

    def __post_init__(self) -> None:
        if self.oldest > self.head + 1:
            raise ValueError("oldest is above head + 1")


class Batch(Message):
    after: Natural
    upto: Number
    prev_hash: Hash
    hash: Hash
    records: Annotated[list[Record], Meta(min_length=1, max_length=1000)]

    def __post_init__(self) -> None:
        gap = any(record.seq != number for number, record in enumerate(self.records, self.after + 1))
        if gap or self.records[-1].seq != self.upto:
            raise ValueError("the numbers do not run without a gap from after + 1 to upto")
        last = self.prev_hash
        for record in self.records:
            last = record.chained(last)
        if last != self.hash:
            raise ValueError(f"the hash of record {self.upto} is another")


class Gone(Message):
    after: Natural
    upto: Number
    reason: Annotated[str, Meta(max_length=64)]
    hash: Hash

    def __post_init__(self) -> None:
        if self.upto <= self.after:
            raise ValueError("upto is not above after")


DECODER = msgspec.msgpack.Decoder(Hello | Batch | Gone)


def opened(payload: bytes) -> Hello | Batch | Gone:
    """The message in a payload. Whatever is wrong with it is a ValueError."""
    try:
        inflater = zlib.decompressobj()
        plain = inflater.decompress(payload[: MAX_PAYLOAD + 1], MAX_INFLATED + 1)
        if len(payload) > MAX_PAYLOAD or len(plain) > MAX_INFLATED or not inflater.eof or inflater.unused_data:
            raise ValueError("too large, cut off, or with bytes after its end")
        message: Hello | Batch | Gone = DECODER.decode(plain)
    except (msgspec.MsgspecError, zlib.error, RecursionError, MemoryError) as error:
        raise ValueError(str(error)) from error
    return message


class Receiver:
    """The page's rules without I/O: `store` makes durable what it is given, or raises; `tell` hears what is refused."""

    def __init__(
        self, cursors: dict[str, Cursor], store: Callable[[Batch | Gone, Cursor], None], tell: Callable[[str], None]
    ) -> None:
        self._cursors, self._store, self._tell, self.dropped = cursors, store, tell, 0

    def answer(self, payload: bytes) -> bytes | None:
        """What goes down for what came up; None for what is refused."""
        try:
            message = opened(payload)
        except ValueError as error:
            self.dropped += 1
            self._tell(f"refused (no. {self.dropped}): {str(error)[:200]!r}")
            return None
        cursor, kind = self._cursors.get(message.log_id, (0, ZERO)), "ack"
        match message:
            case Hello(head=seq, head_hash=other) | Batch(after=seq, prev_hash=other) | Gone(upto=seq, hash=other):
                if seq == cursor[0] and other != cursor[1]:
                    kind = "fork"
                    self._tell(f"ALARM fork: {message.log_id}: another hash at {seq} in a {type(message).__name__}")
                elif not isinstance(message, Hello):
                    cursor = self._take(message, cursor)
        answer = {"t": kind, "log_id": message.log_id, "seq": cursor[0], "hash": cursor[1]}
        return zlib.compress(msgspec.msgpack.encode(answer))

    def _take(self, message: Batch | Gone, cursor: Cursor) -> Cursor:
        """Store it where it begins at the cursor, and only then move the cursor."""
        if message.after != cursor[0]:
            self._tell(f"not taken: {type(message).__name__} after {message.after}, the cursor is {cursor[0]}")
            return cursor
        self._store(message, (message.upto, message.hash))
        if isinstance(message, Gone):
            self._tell(f"ALARM gone: log {message.log_id}, {message.after + 1}-{message.upto}: {message.reason!r}")
        self._cursors[message.log_id] = (message.upto, message.hash)
        return self._cursors[message.log_id]


class LogFile:
    """What is held, as JSON Lines, for one writer at a time.

    One line is one batch with all its records (or one `gone`) and the new cursor: the unit that is there whole or not
    at all. A line is synced before the next is begun, so only the last can be torn; a torn line before it is damage.
    """

    def __init__(self, path: Path) -> None:
        self.cursors: dict[str, Cursor] = {}
        self._file, end = path.open("a+b"), 0
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.seek(0)
        for line in self._file:
            if not self._whole(line):
                break
            end += len(line)
        if self._file.read(1):
            raise SystemExit(f"{path} is damaged after byte {end}, and not only in its last line")
        self._file.truncate(end)
        os.fsync(self._file.fileno())
        folder = os.open(path.absolute().parent, os.O_RDONLY)  # a new file's name has to be durable too
        os.fsync(folder)
        os.close(folder)

    def _whole(self, line: bytes) -> bool:
        """Take over the cursor of a line that is not torn."""
        try:
            unit = json.loads(line) if line.endswith(b"\n") else {}
        except ValueError:
            unit = {}
        if unit:
            self.cursors[unit["log_id"]] = (unit["upto"], bytes.fromhex(unit["hash"]))
        return bool(unit)

    def store(self, message: Batch | Gone, cursor: Cursor) -> None:
        """One line, synced. An OSError ends the program: the next start finds out what is on the disk."""
        unit: dict[str, Any] = {"log_id": message.log_id, "upto": cursor[0], "hash": cursor[1]}
        if isinstance(message, Batch):
            unit["records"] = [asdict(record) for record in message.records]
        else:
            unit["gone"] = asdict(message)
        self._file.write(json.dumps(unit, separators=(",", ":"), default=bytes.hex).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  a program of its own


def connected(options: argparse.Namespace, receiver: Receiver) -> mqtt.Client:
    """A client that answers on `down` what comes on `up`; it subscribes again after each connection."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, clean_session=True)
    up, down = f"menshen/1/{options.gate}/up", f"menshen/1/{options.gate}/down"

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic != up or message.retain:
            say(f"refused: on {message.topic!r}, retained {message.retain}")
        elif (answer := receiver.answer(bytes(message.payload))) is not None:
            client.publish(down, answer, qos=1)

    def on_connect(*_: object) -> None:
        client.subscribe(up, qos=1)

    client.on_message, client.on_connect = on_message, on_connect
    client.on_subscribe = lambda _client, _data, _mid, codes, _properties: say(f"{up}: {codes}")
    if options.user:
        client.username_pw_set(options.user, options.password)
    if options.cafile:
        client.tls_set_context(ssl.create_default_context(cafile=options.cafile))  # TLS 1.2 or later, name checked
    client.connect_async(options.host, options.port, keepalive=20)
    return client


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--host", "--gate", "--file"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", required=True, type=int)
    for name in ("--user", "--password", "--cafile"):
        parser.add_argument(name)
    options = parser.parse_args()
    if not re.fullmatch("[a-z0-9-]{1,32}", options.gate):
        parser.error("a gate's id is 1 to 32 of a-z, 0-9 and -")
    log = LogFile(Path(options.file))
    client = connected(options, Receiver(log.cursors, log.store, say))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # in the middle of a unit it is no worse than kill -9
    try:
        client.loop_forever(retry_first_connection=True)
    finally:
        client.disconnect()


if __name__ == "__main__":
    main()
