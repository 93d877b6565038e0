"""What is personal stays out: of the journal, the directory, every log, the feed, the broker and the office."""

import json
import logging
import queue
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from gateway.core.events import CredentialResolved, Outcome, Verdict
from gateway.directory import Code, DirectoryFile, Holder, code_digest
from gateway.resolve import Resolver, ResolveWorkers, Scheme
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, VisitOutcome
from tests.gateway.resolve.service import says, serving
from tests.hostile import forge
from tests.hostile.gates import draw, trusting, visits
from tests.installation import Installation

FAMILY, GIVEN, BORN, UVCI = "Xqfamilie", "Xqvorname", "1931-12-29", "URN:UVCI:01:AT:XQUVCI000111222333444#7"
CARD_NAME, CARD_BORN = "Xqsmart", "1932-11-28"
LISTED, ASKED, UNKNOWN = "XQLISTED-0001", "JKM:XQASKED-0001", "https://example.org/?who=XQUNKNOWN"
NAMES = (FAMILY, GIVEN, CARD_NAME)


def certificate() -> str:
    """An EU certificate full of marks."""
    content = forge.eu_content(fn=FAMILY, gn=GIVEN, fnt=FAMILY.upper(), gnt=GIVEN.upper())
    content["dob"] = BORN
    content["v"][0]["ci"] = UVCI
    return forge.hc1(forge.eu_claims(content=content))


def card() -> str:
    """A health card full of marks."""
    payload = forge.shc_payload(CARD_NAME)
    payload["vc"]["credentialSubject"]["fhirBundle"]["entry"][0]["resource"]["birthDate"] = CARD_BORN
    return forge.shc(payload)


class Eavesdropper:
    """Somebody at the broker who listens to everything."""

    def __init__(self, port: int) -> None:
        self.heard: queue.Queue[bytes] = queue.Queue()
        listening = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("#")
        self._client.on_subscribe = lambda *_: listening.set()
        self._client.on_message = lambda _client, _data, message: self.heard.put(bytes(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert listening.wait(15)

    def stop(self) -> bytes:
        """Everything heard, inflated where it was compressed."""
        self._client.disconnect()
        self._client.loop_stop()
        payloads = [self.heard.get() for _ in range(self.heard.qsize())]
        return b"\n".join(zlib.decompress(each) if each[:1] == b"\x78" else each for each in payloads)


@contextmanager
def overheard(port: int) -> Iterator[list[bytes]]:
    """What was said at the broker meanwhile."""
    heard: list[bytes] = []
    listener = Eavesdropper(port)
    try:
        yield heard
    finally:
        heard.append(listener.stop())


def everything(day: Installation) -> dict[str, bytes]:
    """All that gate and office have written anywhere, by where."""
    folders = (day.journal.parent, day.office.parent)
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".wav"]
    logs = sorted(day.folder.glob("*.log"))
    assert {file.name for file in (*files, *logs)} >= {
        "journal.sqlite",
        "directory.sqlite",
        "office.sqlite3",
        "gate.log",
    }
    return {str(file.relative_to(day.folder)): file.read_bytes() for file in (*files, *logs)}


def places(mark: str, where: dict[str, bytes]) -> list[str]:
    """Where a mark is found, in whatever case and in hexadecimal too."""
    needle = mark.lower().encode()
    return [name for name, data in where.items() if needle in (low := data.lower()) or needle.hex().encode() in low]


@pytest.mark.parametrize("keep", [(), ("name",)])
def test_nothing_but_what_the_policy_names_is_kept(
    tmp_path: Path, install: Callable[[Path], Installation], monkeypatch: pytest.MonkeyPatch, keep: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MENSHEN_LOG", "DEBUG")  # for the gate; the office's is set by the installation
    people = [forge.menshen_pass(pass_id=bytes([number]) * 8, pass_type=PassType.RETURNEE) for number in range(4)]
    codes = [certificate(), card(), LISTED, ASKED]
    shown = [each for pair in zip(codes, people, strict=True) for each in pair]
    day = install(draw(tmp_path / "pictures", [UNKNOWN, *shown]))
    listed = Code(sha256=code_digest(LISTED), health_code=HealthCode.GREEN)
    content = DirectoryFile(version=1, holders=(Holder(holder="h-1", pass_type=PassType.RETURNEE),), codes=(listed,))
    with serving(says({"state": "green"})) as service:
        # held for so long that no code of one visit overtakes one of another on a busy machine
        trusting(day, content, f"keep = {json.dumps(keep)}\n\n{resolver(service.port)}", hold_s=0.5)
        day.start("broker")
        with overheard(day.port) as heard:
            day.start("ingest")
            day.start("gate")
            for _ in range(len(codes) + 1):
                day.hear_until("decision")
            day.wait_until_told()
            day.stop("gate")
            day.stop("ingest")
        assert [json.loads(body) for body in service.bodies] == [{"code": "XQASKED-0001"}]
    granted = [visit for visit in visits(day) if visit.outcome is VisitOutcome.GRANTED]
    assert [visit.health_code for visit in granted] == [HealthCode.GREEN] * 4
    where = everything(day) | {"feed": json.dumps(day.lines).encode(), "broker": heard[0]}
    assert b"granted" in where["feed"] and b'"visit"' in where["broker"] and b"DEBUG" in where["gate.log"]

    texts = [text[at : at + 24] for text in (*codes, *people, UNKNOWN) for at in (len(text) // 3, 2 * len(text) // 3)]
    never = [
        BORN,
        UVCI[-20:-2],
        CARD_BORN,
        "XQASKED",
        "XQUNKNOWN",
        "XQLISTED",
        *(text for text in texts if len(text) > 12),
    ]
    assert {mark: found for mark in never if (found := places(mark, where))} == {}
    kept = {name: places(name, where) for name in NAMES}
    if keep:
        assert [visit.facts for visit in granted[:2]] == [{"name": f"{GIVEN} {FAMILY}"}, {"name": f"J. {CARD_NAME}"}]
        allowed = {
            "gate/journal.sqlite",
            "gate/journal.sqlite-wal",
            "office/office.sqlite3",
            "office/office.sqlite3-wal",
            "broker",
        }
        assert set().union(*kept.values()) <= allowed
        assert all(kept.values())
    else:
        assert kept == {name: [] for name in NAMES}
        assert [visit.facts for visit in granted] == [{}] * len(granted)


def resolver(port: int) -> str:
    """The section of a service."""
    lines = ("[resolvers.province]", 'pattern = "JKM:{code}"', f'endpoint = "http://127.0.0.1:{port}/v"')
    return "\n".join((*lines, 'request_field = "code"', 'answer_field = "state"'))


def test_a_fault_of_ours_tells_nothing_of_what_was_scanned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a resolver raises: its message, its causes and what it was doing when it failed are not in the log."""
    caplog.set_level(logging.DEBUG)

    def fails(text: str, *_: object) -> Verdict:
        try:
            int(text)
        except ValueError as error:
            raise RuntimeError(f"cannot read {text}") from error
        raise AssertionError

    answers: queue.Queue[CredentialResolved] = queue.Queue()
    workers = ResolveWorkers(Resolver(forge.trust(tmp_path), [Scheme("bad", lambda _: True, fails)]), answers.put)
    workers.start()
    workers.text(UNKNOWN, "camera", Direction.ENTRY, forge.NOW)
    verdict = answers.get(timeout=15).verdict
    workers.stop()
    assert (verdict.outcome, verdict.reason) == (Outcome.UNCHECKED, "resolver-failed")
    assert "RuntimeError" in caplog.text
    assert "XQUNKNOWN" not in caplog.text + "".join(str(record.exc_info) for record in caplog.records)
