"""Every attack of the table against the real resolver: its own reason, little memory, and the next code is read at once."""

import base64
import json
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import base45
import cbor2
import pytest

from gateway.core.events import Outcome
from gateway.core.moment import Moment
from gateway.resolve import Resolver
from gateway.resolve.scheme import OUTCOMES
from tests.hostile import forge
from tests.hostile.attacks import P256_ORDER, Attack, attacks, good, ordinary

MB = 1024 * 1024
MAX_MEMORY = 10 * MB
NOW = forge.NOW
ATTACKS = attacks()
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "dcc" / "_attacks"


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Resolver:
    return forge.resolver(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def clean() -> str:
    return forge.menshen_pass()


@contextmanager
def counted_memory() -> Iterator[list[int]]:
    """The most that Python had taken at once inside, in bytes. What C libraries take by themselves (zlib's window of 32 kB,
    OpenSSL's numbers) it does not see; `bench/hostile.py` measures the process."""
    peak: list[int] = []
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield peak
    finally:
        peak.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()


@pytest.mark.parametrize(("kind", "text"), good().items())
def test_what_the_attacks_are_made_of_is_good(resolver: Resolver, kind: str, text: str) -> None:
    verdict = resolver.text(text, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.VALID, "ok"), kind


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_it_is_refused_with_its_own_reason(resolver: Resolver, clean: str, attack: Attack) -> None:
    with counted_memory() as peak:
        verdict = resolver.text(attack.text, attack.now)
    assert (verdict.reason, verdict.kind) == (attack.reason, attack.kind)
    assert verdict.outcome is OUTCOMES.get(attack.reason, Outcome.INVALID) is not Outcome.VALID
    assert verdict.credential and not verdict.serves and not verdict.facts
    assert len(attack.text) < 9 or attack.text[-8:] not in repr(verdict)
    assert peak[0] < MAX_MEMORY
    assert resolver.text(clean, NOW).outcome is Outcome.VALID


def test_the_document_names_every_reason() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "hostile.md").read_text("utf-8")
    assert {attack.reason for attack in ATTACKS if f"`{attack.reason}`" not in text} == set()
    assert f"{len(ATTACKS)} attacks" in text


def test_names_are_given_once() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("text", ordinary().values(), ids=ordinary())
def test_an_ordinary_code_is_merely_unknown(resolver: Resolver, text: str) -> None:
    verdict = resolver.text(text, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "unknown-code")


def test_nothing_scanned_is_executed_opened_or_fetched(resolver: Resolver, clean: str) -> None:
    """Python tells of every file, connection, name look-up, process and piece of code before it is opened or run."""
    refused = (
        "open",
        "socket.",
        "subprocess.",
        "os.system",
        "os.exec",
        "exec",
        "compile",
        "import",
        "ctypes.",
        "urllib.",
    )
    told: list[str] = []
    watching = False

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event.startswith(refused):
            told.append(f"{event} {arguments!r}")

    for text in (*(attack.text for attack in ATTACKS), *good().values()):
        resolver.text(text, NOW)  # what is loaded at its first use
    sys.addaudithook(watch)  # for good: Python has no way to take it away
    watching = True
    try:
        for attack in ATTACKS:
            resolver.text(attack.text, attack.now)
        verdict = resolver.text(clean, NOW)
        eval("1")  # noqa: S307  that the watch is awake
    finally:
        watching = False
    assert verdict.outcome is Outcome.VALID
    assert [each for each in told if not each.startswith(("compile (b'1'", "exec (<code object <module>"))] == []
    assert len(told) == 2


def test_a_copy_that_is_written_another_way_is_the_same_credential(resolver: Resolver) -> None:
    """n-s is a second good signature of every certificate, and packing anew changes every letter: both are the same one."""
    text = forge.hc1()
    cbor = cbor2.loads(forge.hc1_unpacked(text)).value
    r, s = cbor[3][:32], int.from_bytes(cbor[3][32:], "big")
    twin = cbor2.dumps([*cbor[:3], r + (P256_ORDER - s).to_bytes(32, "big")])
    packed = "HC1:" + base45.b45encode(zlib.compress(forge.hc1_unpacked(text), 1)).decode()
    first, *others = (resolver.text(each, NOW) for each in (text, packed, forge.hc1_packed(twin)))
    assert {each.outcome for each in (first, *others)} == {Outcome.VALID}
    assert {each.credential for each in others} == {first.credential}

    card = forge.shc()
    digits = card.removeprefix("shc:/")
    jws = "".join(chr(int(digits[at : at + 2]) + 45) for at in range(0, len(digits), 2))
    signed, _, written = jws.rpartition(".")
    signature = base64.urlsafe_b64decode(written + "==")
    s = int.from_bytes(signature[32:], "big")
    other = base64.urlsafe_b64encode(signature[:32] + (P256_ORDER - s).to_bytes(32, "big")).rstrip(b"=").decode()
    verdicts = [resolver.text(each, NOW) for each in (card, forge.shc_digits(f"{signed}.{other}"))]
    assert [each.outcome for each in verdicts] == [Outcome.VALID] * 2
    assert len({each.credential for each in verdicts}) == 1


@pytest.mark.parametrize(
    "name",
    ["\u202eMusterfrau", "\x1b[31mred", "two\nlines", "=HYPERLINK(1)", "<b>bold</b>", "a\u200bb", "\ue000"],
)
def test_a_name_that_is_kept_is_made_harmless(tmp_path: Path, name: str) -> None:
    policy = forge.keeping("name")
    texts = (forge.hc1(forge.eu_claims(content=forge.eu_content(fn=name))), forge.shc(forge.shc_payload(name)))
    for text in texts:
        verdict = Resolver(forge.trust(tmp_path, policy)).text(text, NOW)
        assert verdict.outcome is Outcome.VALID
        assert verdict.facts["name"].isprintable()
        assert set(verdict.facts) == {"name"}


def shared_attacks() -> list[dict[str, str]]:
    """Those of the shared data, when it is there."""
    file = SHARED / "hc1_attacks.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else []


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data/dcc/_attacks is not there")
def test_the_shared_attacks(tmp_path: Path) -> None:
    resolver = Resolver(forge.shared_trust(tmp_path, SHARED / "trust.json"))
    for attack in shared_attacks():
        now = Moment(1, forge.at_ms(attack["clock"]))
        with counted_memory() as peak:
            verdict = resolver.text(attack["text"], now)
        genuine = verdict.outcome is Outcome.VALID or verdict.reason.startswith(("vaccin", "test-", "recovery"))
        assert genuine is (attack["expect"] == "accept"), (attack["id"], verdict.reason)
        assert peak[0] < MAX_MEMORY
