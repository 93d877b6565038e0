"""A pass on a phone, really signed, resolved and decided: what it showed lets in once, also by a clock that was set back."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.findings import Decision, replay
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory, DirectoryFile
from gateway.resolve import Resolver, Trust
from sync.contract.colours import PassType
from sync.contract.keys import raw
from sync.contract.passes import STEP_S, Pass, compressed, present, sign_pass
from sync.contract.records import VisitOutcome
from sync.contract.trust import PassKey, TrustList
from tests.gateway.core.acting import Gate, at

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PHONE, OTHER = (derive_private_key(number, SECP256R1()) for number in (7, 8))
BEGAN_S = at().at_ms // 1000
HOUR_MS = 3_600_000
GRANTED = (VisitOutcome.GRANTED, ("ok",))


def issued(pass_id: bytes, phone: bytes) -> str:
    return sign_pass(
        Pass(
            pass_id=pass_id, pass_type=PassType.RESIDENT, site="demo", not_before_s=BEGAN_S - 9_000,
            expires_s=BEGAN_S + 90_000, holder=pass_id.decode(), phone=phone,
        ),
        KEY,
    )  # fmt: skip


HERS = issued(b"h-000001", compressed(PHONE.public_key()))
HIS = issued(b"h-000002", compressed(OTHER.public_key()))


class Door:
    """A gate with its resolver."""

    def __init__(self, folder: Path, gate: Gate) -> None:
        directory = Directory(folder / "directory.sqlite")
        directory.replace(DirectoryFile(version=1))
        anchors = Anchors.of(
            TrustList(version=1, issued_s=BEGAN_S, pass_keys=(PassKey(key=raw(KEY.public_key()).hex()),))
        )
        self.gate = gate
        self.resolver = Resolver(Trust(site="demo", anchors=lambda: anchors, directory=directory, hash_key=b"k" * 32))

    def visit(self, text: str) -> tuple[VisitOutcome, tuple[str, ...]]:
        """Somebody shows a text and has their temperature taken."""
        self.gate.arrive()
        self.gate.read(self.resolver.text(text, self.gate.now))
        self.gate.measure()
        if self.gate.released:
            self.gate.go_through()
        self.gate.leave()
        return self.gate.decided

    def live(self) -> str:
        """What her phone shows now."""
        return present(HERS, PHONE, self.gate.now.at_ms // 1000)

    def set_clock(self, by_ms: int) -> None:
        """The wall clock is set; the monotonic one is not."""
        self.gate.now = replace(self.gate.now, at_ms=self.gate.now.at_ms + by_ms)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path, Gate())


def test_a_picture_of_a_code_that_was_used_lets_nobody_in(door: Door) -> None:
    picture = door.live()
    assert door.visit(picture) == GRANTED
    assert door.visit(picture) == (VisitOutcome.DENIED, ("code-used",))
    assert door.gate.last.credential == b"h-000001".hex() and door.gate.last.holder == "h-000001"
    assert replay(door.gate.last, door.gate.policy) == Decision(VisitOutcome.DENIED, ("code-used",))
    door.gate.wait(STEP_S)
    assert door.visit(door.live()) == GRANTED


@pytest.mark.parametrize("later_s", [60, 3_600])
def test_setting_the_clock_back_makes_it_no_better(door: Door, later_s: int) -> None:
    picture = door.live()
    assert door.visit(picture) == GRANTED
    door.gate.wait(later_s)
    assert door.visit(picture) == (VisitOutcome.DENIED, ("screenshot",))
    assert door.visit(present(HIS, OTHER, door.gate.now.at_ms // 1000)) == GRANTED
    door.set_clock(-later_s * 1000)
    assert door.resolver.text(picture, door.gate.now).reason == "ok"  # the clock would have it
    assert door.visit(picture) == (VisitOutcome.DENIED, ("code-used",))


def test_an_old_picture_that_was_never_used_here_is_refused_by_what_others_used_since(door: Door) -> None:
    picture = door.live()
    door.gate.wait(600)
    for _ in range(2):
        assert door.visit(present(HIS, OTHER, door.gate.now.at_ms // 1000)) == GRANTED
        door.gate.wait(400)
        assert door.visit(door.live()) == GRANTED
    door.set_clock(-HOUR_MS // 2)
    assert door.visit(present(HERS, PHONE, door.gate.now.at_ms // 1000)) == (VisitOutcome.DENIED, ("code-used",))
    assert door.visit(picture)[0] is VisitOutcome.DENIED


def test_a_restart_in_between_makes_it_no_better(door: Door, tmp_path: Path) -> None:
    picture = door.live()
    assert door.visit(picture) == GRANTED
    later = Door(tmp_path, Gate(state=door.gate.durable, now=replace(door.gate.now, mono_ms=5)))
    assert later.visit(picture) == (VisitOutcome.DENIED, ("code-used",))
