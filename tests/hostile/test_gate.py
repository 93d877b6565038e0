"""Attacks held up to the camera of a real gate: each is in the journal with its reason, and the next good code is read."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.directory import DirectoryFile
from gateway.resolve.workers import WAITING
from sync.contract.records import VisitOutcome
from tests.hostile import forge
from tests.hostile.attacks import attacks
from tests.hostile.gates import draw, trusting, visits
from tests.installation import Installation

HELD_UP = (
    "4,296 alphanumeric characters of nonsense",
    "7,089 digits",
    "NUL",
    "terminal escape",
    "bidirectional override",
    "looks like HC1: (Cyrillic)",
    "looks like HC1: (zero width space)",
    "looks like MP1: (lower case)",
    "MP1: CBOR nested 190 deep",
    "MP1: a string of 1 TiB",
    "MP1: a key of its own under a trusted id",
    "MP1: a revoked key",
    "HC1: 4,292 characters of nonsense",
    "HC1: 2.8 MB of zeros",
    "HC1: 2.7 MB of nested arrays",
    "HC1: its end is NaN",
    "HC1: r = s = 0",
    "shc:/ algorithm none",
    "shc:/ JSON nested in the header",
    "shc:/ a key that travels along",
    "code: a template",
)
"""One of every class, of those that fit into a QR as they are."""
NO_TEXT = b"\xff\xfe\xfd no text"


@pytest.mark.parametrize("held_up", [HELD_UP[::2], HELD_UP[1::2]], ids=["one half", "the other"])
def test_each_is_recorded_and_the_next_code_is_read(
    tmp_path: Path, install: Callable[[Path], Installation], held_up: tuple[str, ...]
) -> None:
    table = {attack.name: attack for attack in attacks()}
    bad = [(table[name].text, table[name].reason) for name in held_up]
    phone = forge.phone_pass()  # the clock of a gate in a container is not trusted, so its time is not judged here
    # the second time well behind the first: next to it, it may overtake what stands between, and is then the same code held up on
    pairs: list[tuple[str | bytes, str]] = [(phone, "ok"), *bad, (NO_TEXT, "unknown-code"), (phone, "code-used")]
    passes = [forge.menshen_pass(pass_id=number.to_bytes(8, "big")) for number in range(len(pairs))]
    shown = [each for (text, _), good in zip(pairs, passes, strict=True) for each in (text, good)]
    # a busy machine may hand the gate all pictures at once: each has a place, so that none is for the guard as `too-many`
    assert len(shown) <= WAITING
    day = install(draw(tmp_path / "pictures", shown))
    trusting(day, DirectoryFile(version=1), 'when_clock_untrusted = "accept"')
    day.start("gate")
    for _ in shown:
        day.hear_until("decision")
    assert day.stop("gate") == 0

    recorded = Counter((visit.outcome, visit.reasons) for visit in visits(day))
    granted, denied = VisitOutcome.GRANTED, VisitOutcome.DENIED
    expected = Counter((granted if reason == "ok" else denied, (reason,)) for _, reason in pairs)
    # not by their order: two workers resolve, and a machine that is busy may let the second of two codes overtake
    assert recorded == expected + Counter({(granted, ("ok",)): len(passes)})
    assert {visit.credential for visit in visits(day)} >= {
        number.to_bytes(8, "big").hex() for number in range(len(pairs))
    }
    assert "Traceback" not in day.log("gate")
    assert [text for text, _ in bad if text in day.log("gate")] == []
