"""Targets: what a code scanner or a card reader says, or whatever else is at the end of its wire."""

import re
from collections.abc import Iterable
from typing import Any

from drivers.errors import BadFrame
from drivers.protocols import gm65, hid_keys, identity_card, pn532, rdm6300, wiegand
from drivers.protocols.frames import FrameReader
from drivers.protocols.packets import Packet, PacketReader
from tests.fuzz.target import Target, assert_bounded

WANTED = identity_card.Wanted("a key of this site", tuple(identity_card.Field))


def _packets(packet: Packet[Any], data: bytes) -> None:
    """In two pieces and in one: the same messages; nothing piles up, and a pause leaves nothing behind."""
    whole, halves = PacketReader(packet), PacketReader(packet)
    messages = whole.feed(data)
    assert halves.feed(data[: len(data) // 2]) + halves.feed(data[len(data) // 2 :]) == messages
    assert whole.good_bytes + whole.noise + whole.pending == len(data)
    assert whole.pending < packet.longest
    whole.give_up()
    assert whole.pending == 0
    assert whole.good_bytes + whole.noise == len(data)


def _polled(link: Any, data: bytes) -> list[Any]:
    """A link that asks is answered with these bytes, in a few pieces, time going by; what it gave."""
    readings: list[Any] = []
    size = max(1, len(data) // 8)
    for number in range(9):
        now_ms = number * 400
        assert len(link.ask(now_ms)) <= 64
        readings += link.feed(data[number * size : (number + 1) * size], now_ms)
        link.health(now_ms)
    return readings


def gm65_scanner(data: bytes) -> None:
    """A line that a scanner module should be at; and one that its host should be at."""
    _packets(gm65.MODULE_PACKET, data)
    _packets(gm65.HOST_PACKET, data)
    assert_bounded([read.data for read in _polled(gm65.Gm65Link(0), data)])


def pn532_reader(data: bytes) -> None:
    """A line that a PN532 should be at."""
    _packets(pn532.PACKET, data)
    for read in _polled(pn532.Pn532Link(0), data):
        assert re.fullmatch(r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}", read.uid)
    try:
        assert len(pn532.decode_targets(data)) <= 2
    except BadFrame:
        return


def identity_card_reader(data: bytes) -> None:
    """A line that a reader of identity cards should be at; and what may be on a card."""
    _packets(identity_card.MODULE_PACKET, data)
    _packets(identity_card.HOST_PACKET, data)
    for read in _polled(identity_card.IdentityCardLink(0, WANTED), data):
        assert re.fullmatch(r"[0-9A-F]{20}", read.uid)
    try:
        card = WANTED.card(data)
    except BadFrame:
        return
    assert all(value.isprintable() for _, value in card.facts)
    assert_bounded(list(card.facts), 4096)


def id12_reader(data: bytes) -> None:
    """A line that an ID-12 should be at."""
    reader = FrameReader(rdm6300.ID12_FRAME)
    for uid in reader.feed(data):
        assert re.fullmatch(r"[0-9A-F]{10}", uid)
    assert reader.good * 16 + reader.noise + reader.pending == len(data)


def typing_scanner(data: bytes) -> None:
    """What a keyboard's device says."""
    whole, halves = hid_keys.HidKeys(0), hid_keys.HidKeys(0)
    codes = whole.feed(data, 0)
    assert halves.feed(data[: len(data) // 2], 0) + halves.feed(data[len(data) // 2 :], 0) == codes
    assert all(code.data.isascii() and code.text for code in codes)


def wiegand_reader(data: bytes) -> None:
    """Pulses: a bit, and how long it came after the one before, in steps of 0.1 ms."""
    pulses, at_s = [], 0.0
    for byte in data:
        at_s += (byte >> 1) / 10_000
        pulses.append(wiegand.Pulse(byte & 1, at_s))
    for bits in wiegand.frames(pulses):
        try:
            assert re.fullmatch(r"[0-9A-F]{8}", wiegand.decode(bits))
        except BadFrame:
            continue


def _gm65_seeds() -> Iterable[bytes]:
    replies = b"".join(gm65.encode_reply(bytes((value,))) for value in (0x65, 0x02, 0xA0, 0x81, 0xD6, 0x05, 0x00))
    yield replies + gm65.encode_code("MP1:门神".encode()) + gm65.BEAT
    yield gm65.read(3) + gm65.write(0x60, 0x81) + gm65.SAVE


def _pn532_seeds() -> Iterable[bytes]:
    found = pn532.encode(pn532.CHIP, 0x4B, pn532.encode_targets(["24D34F59"]))
    version = pn532.encode(pn532.CHIP, 0x03, bytes.fromhex("32 01 06 07"))
    yield b"".join(pn532.ACK + each for each in (pn532.encode(pn532.CHIP, 0x15), version, found, pn532.NACK))
    yield pn532.encode_targets(["24D34F59", "04A1B2C3D4E5F6"])


def _identity_seeds() -> Iterable[bytes]:
    card = identity_card.encode_card(
        {identity_card.Field.NUMBER: "11010519491231002X", identity_card.Field.NAME: "门神"}
    )
    done = identity_card.Status.DONE
    yield identity_card.encode(done) + identity_card.encode(identity_card.Status.FOUND, bytes(4))
    yield identity_card.encode(done, card)
    yield card


def _id12_seeds() -> Iterable[bytes]:
    yield rdm6300.encode_id12("1F00644BB6") * 2 + rdm6300.encode("1F00644BB6")


def _typing_seeds() -> Iterable[bytes]:
    yield hid_keys.encode("MP1:a#") + hid_keys.encode("门")


def _wiegand_seeds() -> Iterable[bytes]:
    for uid, length in (("007BB26E", 26), ("0414CD7E", 34)):
        yield bytes(20 << 1 | int(bit) for bit in wiegand.encode(uid, length))


TARGETS = (
    Target("gm65", gm65_scanner, _gm65_seeds),
    Target("pn532", pn532_reader, _pn532_seeds),
    Target("identity-card", identity_card_reader, _identity_seeds),
    Target("id-12", id12_reader, _id12_seeds),
    Target("hid-scanner", typing_scanner, _typing_seeds),
    Target("wiegand", wiegand_reader, _wiegand_seeds),
)
