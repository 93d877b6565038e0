"""Resolvers: text or UID in, verdict out, and nothing scanned leaves."""

import queue
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.events import CredentialResolved, Outcome, Verdict
from gateway.core.moment import Moment
from gateway.credentials.anchors import Anchors
from gateway.directory import Card, Code, Directory, DirectoryFile, Holder, code_digest, read_directory_file
from gateway.errors import DirectoryError
from gateway.resolve import Resolver, ResolveWorkers, Scheme, Trust
from sync.contract.colours import HealthCode, PassType
from sync.contract.keys import raw
from sync.contract.passes import Pass, PassKeys, sign_pass
from sync.contract.records import Direction, Step
from sync.contract.trust import PassKey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PASS_KEYS = PassKeys.of([PassKey(key=raw(KEY.public_key()).hex())])
NOW = Moment(mono_ms=1_000, at_ms=1_800_000_000_000)
NOW_S = NOW.at_ms // 1000
MARK = "☃"  # in no word of ours


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    directory = Directory(tmp_path / "directory.sqlite")
    directory.replace(
        DirectoryFile(
            version=7,
            holders=(
                Holder(holder="h-1", pass_type=PassType.RESIDENT, extended=True),
                Holder(holder="h-2", pass_type=PassType.RETURNEE, valid_until_s=NOW_S),
                Holder(holder="h-3", pass_type=PassType.VISITOR, registered=False, valid_from_s=NOW_S - 1),
                Holder(holder="h-4", pass_type=PassType.TENANT, valid_from_s=NOW_S + 1),
            ),
            cards=(
                Card(uid="000414CD7E", holder="h-1"),
                Card(uid="1F00644BB6", holder="h-2"),
                Card(uid="0D00319CD0", holder="h-1", lost=True),
                Card(uid="01C8F00800", holder="h-4"),
            ),
            codes=(
                Code(sha256=code_digest("green"), health_code=HealthCode.GREEN),
                Code(sha256=code_digest("old"), health_code=HealthCode.GREEN, valid_until_s=NOW_S),
                Code(sha256=code_digest("hers"), health_code=HealthCode.GREEN, holder="h-2"),
            ),
            revoked=(b"revoked!".hex(),),
        )
    )
    return Trust(site="demo", anchors=lambda: Anchors(pass_keys=PASS_KEYS), directory=directory, hash_key=b"k" * 32)


def a_pass(**changes: object) -> str:
    content = {
        "pass_id": b"12345678",
        "pass_type": PassType.VISITOR,
        "site": "demo",
        "not_before_s": NOW_S,
        "expires_s": NOW_S + 60,
        "holder": "h-9",
    }
    return sign_pass(Pass(**(content | changes)), KEY)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("uid", "outcome", "reason"),
    [
        ("000414CD7E", Outcome.VALID, "ok"),
        ("1F00644BB6", Outcome.EXPIRED, "expired"),
        ("0D00319CD0", Outcome.REVOKED, "lost-card"),
        ("01C8F00800", Outcome.INVALID, "not-yet-valid"),
        ("FFFFFFFFFF", Outcome.UNKNOWN, "unknown-card"),
    ],
)
def test_cards(trust: Trust, uid: str, outcome: Outcome, reason: str) -> None:
    verdict = Resolver(trust).card(uid, NOW)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert uid not in verdict.credential


def test_a_card_brings_its_holder(trust: Trust) -> None:
    verdict = Resolver(trust).card("000414CD7E", NOW)
    assert (verdict.holder, verdict.pass_type, verdict.extended) == ("h-1", PassType.RESIDENT, True)
    assert verdict.serves == {Step.CREDENTIAL, Step.REGISTRATION}
    assert verdict.directory_version == 7


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({}, Outcome.VALID, "ok"),
        ({"site": "elsewhere"}, Outcome.INVALID, "wrong-site"),
        ({"pass_id": b"revoked!"}, Outcome.REVOKED, "revoked"),
        ({"not_before_s": NOW_S + 1}, Outcome.INVALID, "not-yet-valid"),
        ({"expires_s": NOW_S}, Outcome.EXPIRED, "expired"),
    ],
)
def test_passes(trust: Trust, changes: dict[str, object], outcome: Outcome, reason: str) -> None:
    verdict = Resolver(trust).text(a_pass(**changes), NOW)
    assert (verdict.outcome, verdict.reason, verdict.kind) == (outcome, reason, "pass")


def test_a_holder_not_yet_registered_still_has_that_step_to_do(trust: Trust) -> None:
    assert Resolver(trust).text(a_pass(holder="h-3"), NOW).serves == {Step.CREDENTIAL}
    assert Resolver(trust).text(a_pass(), NOW).serves == {Step.CREDENTIAL, Step.REGISTRATION}


def test_health_codes(trust: Trust) -> None:
    green = Resolver(trust).text("green", NOW)
    assert (green.outcome, green.health_code, green.serves) == (Outcome.VALID, HealthCode.GREEN, {Step.HEALTH_CODE})
    assert Resolver(trust).text("old", NOW).outcome is Outcome.EXPIRED
    assert (green.holder, Resolver(trust).text("hers", NOW).holder) == ("", "h-2")


FOR_THE_GUARD = [("card", "000414CD7E"), ("card", "FFFFFFFFFF"), ("text", "green"), ("text", "any"), ("text", a_pass())]


@pytest.mark.parametrize(("what", "value"), FOR_THE_GUARD)
def test_with_nothing_ever_loaded_it_is_for_the_guard(trust: Trust, tmp_path: Path, what: str, value: str) -> None:
    bare = Resolver(replace(trust, directory=Directory(tmp_path / "empty.sqlite")))
    verdict = getattr(bare, what)(value, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNCHECKED, "directory-empty")
    assert verdict.credential and not verdict.serves


@pytest.mark.parametrize(("what", "value"), FOR_THE_GUARD)
def test_without_its_directory_it_is_for_the_guard(trust: Trust, tmp_path: Path, what: str, value: str) -> None:
    away = Resolver(replace(trust, directory=Directory(tmp_path / "no-folder" / "directory.sqlite")))
    verdict = getattr(away, what)(value, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNCHECKED, "directory-unavailable")
    assert verdict.credential and not verdict.serves


@pytest.mark.parametrize(
    ("changes", "reason"), [({"expires_s": NOW_S}, "expired"), ({"site": "elsewhere"}, "wrong-site")]
)
def test_a_pass_that_is_bad_by_itself_is_refused_without_a_directory(
    trust: Trust, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    away = Resolver(replace(trust, directory=Directory(tmp_path / "no-folder" / "directory.sqlite")))
    assert away.text(a_pass(**changes), NOW).reason == reason


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=5000))
def test_any_other_text_is_refused_with_a_reason_and_never_kept(trust: Trust, text: str) -> None:
    marked = text + MARK
    verdict = Resolver(trust).text(marked, NOW)
    assert verdict.outcome in {Outcome.UNKNOWN, Outcome.INVALID}
    assert verdict.reason and not verdict.serves
    assert len(verdict.credential) == 16 and MARK not in repr(verdict)


def test_an_empty_text_says_so(trust: Trust) -> None:
    assert Resolver(trust).text("", NOW).reason == "empty"


def test_a_directory_is_swapped_whole(trust: Trust) -> None:
    assert Resolver(trust).card("000414CD7E", NOW).outcome is Outcome.VALID
    trust.directory.replace(DirectoryFile(version=8))
    assert trust.directory.version == 8
    assert Resolver(trust).card("000414CD7E", NOW).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "truncated"),
        ('{"version": 0}', "version"),
        ('{"version": 1, "cardz": []}', "cardz"),
        ('{"version": 1, "cards": [{"uid": "000414CD7E", "holder": "nobody"}]}', "nobody"),
        ('{"version": 1, "cards": [{"uid": "x\'; DROP", "holder": "h"}]}', "uid|pattern|matching"),
    ],
)
def test_a_bad_directory_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(DirectoryError, match=complaint) as caught:
        read_directory_file(path)
    assert "bad.json" in str(caught.value)


def test_a_resolver_that_fails_is_for_the_guard_and_the_next_scan_is_read(trust: Trust) -> None:
    def fails(*_: object) -> Verdict:
        raise RuntimeError("a fault of ours")

    answers: queue.Queue[CredentialResolved] = queue.Queue()
    green = Resolver(trust).text("green", NOW)
    schemes = [Scheme("bad", lambda text: text == "bad", fails), Scheme("good", lambda _: True, lambda *_: green)]
    resolver = Resolver(trust, schemes)
    workers = ResolveWorkers(resolver, answers.put, threads=1)
    workers.start()
    workers.text("bad", "camera", Direction.ENTRY, NOW)
    workers.text("good", "camera", Direction.ENTRY, NOW)
    first, second = answers.get(timeout=5), answers.get(timeout=5)
    workers.stop()
    assert (first.verdict.outcome, first.verdict.reason) == (Outcome.UNCHECKED, "resolver-failed")
    assert second.verdict == green and second.read_mono_ms == NOW.mono_ms
