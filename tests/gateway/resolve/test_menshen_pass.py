"""The verdicts on passes: what the gate's site, clock, trust list, directory and policy make of what was shown."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.core.policy import CredentialPolicy, Policy, Unsure
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory, DirectoryFile, Holder
from gateway.resolve import Resolver, Trust
from sync.contract.colours import PassType
from sync.contract.keys import raw
from sync.contract.passes import STEP_S, Pass, compressed, present, sign_pass
from sync.contract.records import Step
from sync.contract.trust import PassKey, TrustList

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PHONE = derive_private_key(7, SECP256R1())
NOW = Moment(mono_ms=1_000, at_ms=1_800_000_015_000)
UNTRUSTED = replace(NOW, trusted=False)
NOW_S = NOW.at_ms // 1000
PAPER = Pass(
    pass_id=b"12345678",
    pass_type=PassType.RETURNEE,
    site="demo",
    not_before_s=NOW_S - 1000,
    expires_s=NOW_S + 1000,
    holder="h-9",
)
ON_PHONE = replace(PAPER, phone=compressed(PHONE.public_key()))
MakeGate = Callable[..., Resolver]


@pytest.fixture
def gate(tmp_path: Path) -> MakeGate:
    """A gate's resolver, with a directory that has been loaded unless told otherwise."""

    def make(unsure: Unsure = Unsure.GUARD, *, loaded: bool = True, **key: object) -> Resolver:
        directory = Directory(tmp_path / "directory.sqlite")
        if loaded:
            holders = (
                Holder(holder="h-1", pass_type=PassType.RESIDENT, registered=False, extended=True),
                Holder(holder="h-2", pass_type=PassType.RESIDENT),
            )
            directory.replace(DirectoryFile(version=7, holders=holders, revoked=(b"revoked!".hex(),)))
        pass_key = PassKey(key=raw(KEY.public_key()).hex(), **key)  # type: ignore[arg-type]  # a test's shorthand
        anchors = Anchors.of(TrustList(version=1, issued_s=NOW_S, pass_keys=(pass_key,)))
        policy = Policy(credentials=CredentialPolicy(when_clock_untrusted=unsure))
        return Resolver(
            Trust(site="demo", anchors=lambda: anchors, directory=directory, hash_key=b"k" * 32, policy=policy)
        )

    return make


def shown(content: Pass = ON_PHONE, steps: int = 0) -> str:
    return present(sign_pass(content, KEY), PHONE, NOW_S + steps * STEP_S)


def short(verdict: Verdict) -> tuple[Outcome, str]:
    return verdict.outcome, verdict.reason


def test_a_good_pass_on_paper(gate: MakeGate) -> None:
    verdict = gate().text(sign_pass(PAPER, KEY), NOW)
    assert verdict == Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind="pass",
        credential=b"12345678".hex(),
        serves=frozenset({Step.CREDENTIAL, Step.REGISTRATION}),
        holder="h-9",
        pass_type=PassType.RETURNEE,
        directory_version=7,
    )


def test_a_good_pass_on_a_phone_says_when_it_was_signed(gate: MakeGate) -> None:
    verdict = gate().text(shown(), NOW)
    assert (short(verdict), verdict.counter, verdict.credential) == (
        (Outcome.VALID, "ok"),
        NOW_S // STEP_S,
        b"12345678".hex(),
    )


@pytest.mark.parametrize(
    ("holder", "serves", "extended"),
    [
        ("h-1", {Step.CREDENTIAL}, True),
        ("h-2", {Step.CREDENTIAL, Step.REGISTRATION}, False),
        ("not-listed", {Step.CREDENTIAL, Step.REGISTRATION}, False),
    ],
)
def test_the_directory_knows_the_holder_better(gate: MakeGate, holder: str, serves: set[Step], extended: bool) -> None:
    verdict = gate().text(sign_pass(replace(PAPER, holder=holder), KEY), NOW)
    assert (verdict.outcome, verdict.serves, verdict.extended) == (Outcome.VALID, serves, extended)


REFUSED: dict[str, tuple[str, Outcome, str]] = {
    "of another site": (sign_pass(replace(PAPER, site="else"), KEY), Outcome.INVALID, "wrong-site"),
    "too early": (sign_pass(replace(PAPER, not_before_s=NOW_S + 1), KEY), Outcome.INVALID, "not-yet-valid"),
    "too late": (sign_pass(replace(PAPER, expires_s=NOW_S), KEY), Outcome.EXPIRED, "expired"),
    "revoked": (sign_pass(replace(PAPER, pass_id=b"revoked!"), KEY), Outcome.REVOKED, "revoked"),
    "revoked, on a phone": (shown(replace(ON_PHONE, pass_id=b"revoked!")), Outcome.REVOKED, "revoked"),
    "printed": (sign_pass(ON_PHONE, KEY), Outcome.INVALID, "proof-missing"),
    "a screenshot": (shown(steps=-2), Outcome.INVALID, "screenshot"),
    "from the future": (shown(steps=2), Outcome.INVALID, "phone-clock"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_still_known_by_its_id(gate: MakeGate, name: str) -> None:
    text, outcome, reason = REFUSED[name]
    verdict = gate().text(text, NOW)
    assert short(verdict) == (outcome, reason)
    assert (len(verdict.credential), verdict.holder, verdict.serves) == (16, "h-9", frozenset())
    assert bytes.fromhex(verdict.credential) in {b"12345678", b"revoked!"}


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_one_step_of_drift_is_let_in(gate: MakeGate, steps: int) -> None:
    assert gate().text(shown(steps=steps), NOW).counter == NOW_S // STEP_S + steps


def test_a_screenshot_is_dead_within_two_steps(gate: MakeGate) -> None:
    resolver, text = gate(), shown()
    reasons = [resolver.text(text, NOW.after(1000 * seconds)).reason for seconds in (0, 44, 45, 900)]
    assert reasons == ["ok", "ok", "screenshot", "screenshot"]


@pytest.mark.parametrize(
    ("unsure", "outcome", "reason"),
    [
        (Unsure.ACCEPT, Outcome.VALID, "ok"),
        (Unsure.GUARD, Outcome.UNCHECKED, "clock-untrusted"),
        (Unsure.REFUSE, Outcome.UNCHECKED, "clock-untrusted"),
    ],
)
@pytest.mark.parametrize("steps", [0, -1_000_000])
def test_by_a_clock_that_is_not_trusted_the_policy_decides(
    gate: MakeGate, unsure: Unsure, outcome: Outcome, reason: str, steps: int
) -> None:
    verdict = gate(unsure).text(shown(steps=steps), UNTRUSTED)
    assert short(verdict) == (outcome, reason)
    assert verdict.denied is (unsure is Unsure.REFUSE)
    assert (verdict.credential, verdict.holder) == (b"12345678".hex(), "h-9")
    assert bool(verdict.serves) is (outcome is Outcome.VALID)


@pytest.mark.parametrize("unsure", Unsure)
def test_a_pass_on_paper_and_what_is_bad_anyway_are_the_same_by_any_clock(gate: MakeGate, unsure: Unsure) -> None:
    resolver = gate(unsure)
    assert resolver.text(sign_pass(PAPER, KEY), UNTRUSTED).outcome is Outcome.VALID
    for name in ("of another site", "too late", "revoked, on a phone", "printed"):
        text, outcome, reason = REFUSED[name]
        assert short(resolver.text(text, UNTRUSTED)) == (outcome, reason)


def test_without_directory_and_clock_a_policy_that_refuses_refuses(gate: MakeGate) -> None:
    assert gate(Unsure.ACCEPT, loaded=False).text(shown(), UNTRUSTED).reason == "directory-empty"
    assert gate(Unsure.GUARD, loaded=False).text(shown(), UNTRUSTED).outcome is Outcome.UNCHECKED
    assert gate(Unsure.REFUSE, loaded=False).text(shown(), UNTRUSTED).denied


@pytest.mark.parametrize("text", [sign_pass(PAPER, KEY), shown()])
def test_a_revoked_key(gate: MakeGate, text: str) -> None:
    assert short(gate(revoked=True).text(text, NOW)) == (Outcome.REVOKED, "key-revoked")


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"not_after_s": NOW_S}, "ok"),
        ({"not_after_s": NOW_S - 1001}, "key-not-in-force"),
        ({"not_before_s": NOW_S}, "key-not-in-force"),
    ],
)
def test_a_key_counts_for_passes_that_begin_in_its_time(gate: MakeGate, bounds: dict[str, object], reason: str) -> None:
    assert gate(**bounds).text(sign_pass(PAPER, KEY), NOW).reason == reason


def test_what_does_not_verify_is_known_by_a_hash_only(gate: MakeGate) -> None:
    text = sign_pass(PAPER, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    verdict = gate().text(text, NOW)
    assert short(verdict) == (Outcome.UNKNOWN, "unknown-key")
    assert (len(verdict.credential), verdict.holder) == (16, "")
    assert verdict.credential != b"12345678".hex()
