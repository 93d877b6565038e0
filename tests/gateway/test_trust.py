"""The trust list of a gate: imported, believed as far as the office has signed it, revoked at once, never back, with an age."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.clock import Clock
from gateway.config import load
from gateway.core.events import DeviceChanged, Event, Outcome, Verdict
from gateway.core.moment import Moment
from gateway.core.policy import CredentialPolicy, Policy, Unsure
from gateway.directory import Card, Directory, DirectoryFile, Edition, Holder, read_directory_file
from gateway.errors import DirectoryError, TrustError
from gateway.parts import trust_list_of
from gateway.resolve import Resolver, Trust
from gateway.trust import TrustStore, import_trust
from sync.contract.alarms import AlarmKind
from sync.contract.colours import PassType
from sync.contract.keys import raw
from sync.contract.passes import Pass, sign_pass
from sync.contract.sealed import seal
from sync.contract.trust import PassKey, TrustList, seal_trust
from tests.gateway.config.files import devices, sections
from tests.gateway.core.acting import Gate

OFFICE, OTHER, PASSES, NEWER = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in range(1, 5))
KEYS = [OFFICE.public_key()]
NOW_S = 1_800_000_000
DAY_S = 86_400
PEOPLE = DirectoryFile(
    version=7,
    issued_s=NOW_S - DAY_S,
    holders=(Holder(holder="h-1", pass_type=PassType.VISITOR),),
    cards=(Card(uid="000414CD7E", holder="h-1"),),
)


def a_list(version: int = 1, issued_s: int = NOW_S, **revoked: bool) -> TrustList:
    keys = tuple(
        PassKey(key=raw(key.public_key()).hex(), name=name, revoked=revoked.get(name, False))
        for name, key in (("passes", PASSES), ("newer", NEWER))
    )
    return TrustList(version=version, issued_s=issued_s, pass_keys=keys)


def a_pass(key: Ed25519PrivateKey = PASSES) -> str:
    content = Pass(
        pass_id=b"12345678",
        pass_type=PassType.VISITOR,
        site="s",
        not_before_s=NOW_S - 1000 * DAY_S,
        expires_s=NOW_S + 1000 * DAY_S,
        holder="h-1",
    )
    return sign_pass(content, key)


@dataclass
class At:
    """A gate's directory, its trust list, and its clock, which stands still."""

    folder: Path
    policy: CredentialPolicy = field(default_factory=CredentialPolicy)
    now: Moment = field(default_factory=lambda: Moment(mono_ms=1_000, at_ms=NOW_S * 1000))
    told: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / "directory.sqlite"
        self.directory = Directory(self.path)
        self.directory.replace(PEOPLE, NOW_S)
        self.store = self.started()

    def started(self, *keys: Ed25519PrivateKey) -> TrustStore:
        """The store as after a start; with other keys pinned."""
        pinned = [key.public_key() for key in keys] or KEYS
        days = self.policy.trust_max_age_days
        return TrustStore(
            Directory(self.path),
            pinned,
            max_age_days=days,
            now=lambda: self.now,
            tell=lambda *told: self.told.append(told),
        )

    def take(self, content: TrustList, key: Ed25519PrivateKey = OFFICE) -> TrustList | None:
        """As another process imports it."""
        return import_trust(Directory(self.path), seal_trust(content, key), [key.public_key()], NOW_S)

    def scan(self, text: str) -> Verdict:
        """The verdict of a real resolver."""
        trust = Trust(
            site="s",
            anchors=self.store.anchors,
            directory=self.directory,
            hash_key=b"k" * 32,
            policy=Policy(credentials=self.policy),
        )
        return Resolver(trust).text(text, self.now)

    @property
    def states(self) -> list[str]:
        return [state for state, _ in self.told]


@pytest.fixture
def at(tmp_path: Path) -> At:
    return At(tmp_path)


def test_without_a_list_passes_are_for_the_guard(at: At) -> None:
    verdict = at.scan(a_pass())
    assert (verdict.outcome, verdict.reason) == (Outcome.UNCHECKED, "trust-empty")
    assert verdict.credential and not verdict.serves
    assert at.scan("MP1:000").outcome is Outcome.INVALID  # bad by itself
    at.store.look()
    assert at.told == []


def test_what_a_list_says_is_believed(at: At) -> None:
    assert at.take(a_list(revoked=True)) is not None
    assert at.scan(a_pass()).outcome is Outcome.VALID
    assert at.scan(a_pass(OTHER)).reason == "unknown-key"
    anchors = at.store.anchors()
    assert (anchors.version, anchors.issued_s) == (1, NOW_S)


def test_a_key_revoked_by_another_process_is_refused_at_the_next_scan(at: At, tmp_path: Path) -> None:
    at.take(a_list())
    assert at.scan(a_pass()).outcome is Outcome.VALID
    config = tmp_path / "gate.toml"
    pinned = f'[trust]\noffice_keys = ["{raw(OFFICE.public_key()).hex()}"]\n'
    config.write_text(sections().replace('"data"', f'"{tmp_path}"') + pinned + devices())
    new = tmp_path / "new.trust"
    new.write_bytes(seal_trust(a_list(2, passes=True), OFFICE))
    command = [sys.executable, "-m", "menshen", "trust", "import", "--config", str(config), str(new)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verdict = at.scan(a_pass())
    assert (verdict.outcome, verdict.reason) == (Outcome.REVOKED, "key-revoked")
    assert at.scan(a_pass(NEWER)).outcome is Outcome.VALID


def test_asking_again_reads_nothing_anew(at: At) -> None:
    at.take(a_list())
    before = at.store.anchors()
    assert at.store.anchors() is before
    at.directory.replace(msgspec.structs.replace(PEOPLE, version=8))  # another table of the same file
    assert at.store.anchors() is before
    at.take(a_list(2))
    assert at.store.anchors() is not before


# what is taken


def test_a_list_never_goes_back(at: At) -> None:
    at.take(a_list(5))
    with pytest.raises(TrustError, match="version 4, and this gate has 5"):
        at.take(a_list(4))
    assert at.store.anchors().version == 5
    assert at.take(a_list(6)) is not None


def test_another_list_of_the_same_version_is_refused(at: At) -> None:
    at.take(a_list(5))
    with pytest.raises(TrustError, match="same version 5"):
        at.take(a_list(5, passes=True))
    assert at.take(a_list(5)) is None  # the very same
    assert at.scan(a_pass()).outcome is Outcome.VALID


def test_a_list_of_nobody_that_is_pinned_is_refused(at: At) -> None:
    sealed = seal_trust(a_list(), OTHER)
    with pytest.raises(TrustError, match="not pinned"):
        import_trust(at.directory, sealed, KEYS, NOW_S)
    with pytest.raises(TrustError, match="office_keys"):
        import_trust(at.directory, sealed, [], NOW_S)
    with pytest.raises(TrustError, match="something else"):
        import_trust(at.directory, seal(msgspec.json.encode(a_list()), "directory", OFFICE), KEYS, NOW_S)
    assert at.store.anchors().version == 0 and at.directory.trust_list() is None


def test_when_the_offices_key_has_changed_the_old_list_is_nothing(at: At) -> None:
    at.take(a_list(9))
    at.store = at.started(OTHER)
    assert at.scan(a_pass()).reason == "trust-empty"
    assert at.states == ["lost"] and "not pinned" in at.told[0][1]
    at.take(a_list(1), OTHER)
    assert at.scan(a_pass()).outcome is Outcome.VALID
    assert at.states == ["lost", "ok"]


# where it lies


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE trust SET version = 2, sealed = substr(sealed, 1, 40)",
        "UPDATE trust SET version = 2, sealed = 'text'",
        "UPDATE trust SET version = 2, sealed = NULL",
        "UPDATE trust SET version = 2, sealed = CAST(substr(sealed, 1, 99) || x'00' || substr(sealed, 101) AS BLOB)",
        "UPDATE trust SET version = 'x', issued_s = NULL, received_s = x'00', sealed = 7",
    ],
)
def test_a_damaged_list_is_as_good_as_none_and_is_told(at: At, damage: str) -> None:
    at.take(a_list())
    assert at.scan(a_pass()).outcome is Outcome.VALID
    with closing(sqlite3.connect(at.path)) as connection, connection:
        connection.execute(damage)
    assert at.scan(a_pass()).reason == "trust-empty"
    assert at.states == ["lost"] and "import" in at.told[0][1]
    assert at.scan("000414CD7E").reason == "unknown-code"  # everything else goes on
    assert at.take(a_list(1)) is not None
    assert at.scan(a_pass()).outcome is Outcome.VALID
    assert at.states == ["lost", "ok"]


def test_out_of_reach_the_verified_list_still_holds_and_another_is_not_invented(at: At) -> None:
    at.take(a_list())
    held = at.store.anchors()
    at.path.rename(at.path.with_name("away"))
    at.path.mkdir()
    fresh = at.started()
    at.store._directory._let_go()  # as after a read that failed
    assert at.store.anchors() is held
    fresh.look()
    with pytest.raises(DirectoryError):
        fresh.anchors()
    assert at.told == []  # the directory tells its own troubles


def test_the_list_and_the_directory_are_replaced_apart(at: At) -> None:
    at.take(a_list(3))
    at.directory.replace(msgspec.structs.replace(PEOPLE, version=8), NOW_S + 5)
    kept = at.directory.trust_list()
    assert kept is not None and (kept.version, kept.issued_s, kept.received_s) == (3, NOW_S, NOW_S)
    assert at.directory.edition() == Edition(8, NOW_S - DAY_S, NOW_S + 5)
    assert at.directory.card("000414CD7E") is not None


def test_a_file_of_an_earlier_version_is_brought_up_in_place(tmp_path: Path) -> None:
    path = tmp_path / "directory.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            CREATE TABLE holder (holder TEXT PRIMARY KEY, pass_type TEXT, valid_from_s INT, valid_until_s INT,
                registered INT, extended INT) WITHOUT ROWID;
            CREATE TABLE card (uid TEXT PRIMARY KEY, holder TEXT, lost INT) WITHOUT ROWID;
            CREATE TABLE edition (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INT) WITHOUT ROWID;
            INSERT INTO holder VALUES ('h-1', 'resident', 0, 0, 1, 0);
            INSERT INTO card VALUES ('000414CD7E', 'h-1', 0);
            INSERT INTO edition VALUES (1, 4);
        """)
    directory = Directory(path)
    directory.open()
    card = directory.card("000414CD7E")
    assert card is not None and card.holder == "h-1"
    assert (directory.edition(), directory.trust_list()) == (Edition(4, 0, 0), None)
    import_trust(directory, seal_trust(a_list(), OFFICE), KEYS, NOW_S)
    directory.replace(PEOPLE, NOW_S)
    assert directory.edition() == Edition(7, NOW_S - DAY_S, NOW_S)
    assert directory.trust_list() is not None


# how old it is


def test_an_old_list_is_told_once_until_a_newer_one_is_there(at: At) -> None:
    at.take(a_list(1, NOW_S - 30 * DAY_S))
    at.store.look()
    assert at.told == []
    at.now = at.now.after(1000)
    for _ in range(3):
        at.store.look()
        assert at.scan(a_pass()).outcome is Outcome.VALID  # when_trust_is_old = accept
    assert at.told == [("stale", "version 1 is 30 days old, 30 are allowed: import a newer one")]
    at.take(a_list(2, NOW_S - DAY_S))
    at.store.look()
    assert at.states == ["stale", "ok"]


@pytest.mark.parametrize(
    ("when_old", "outcome", "reason"),
    [
        (Unsure.ACCEPT, Outcome.VALID, "ok"),
        (Unsure.GUARD, Outcome.UNCHECKED, "trust-old"),
        (Unsure.REFUSE, Outcome.UNCHECKED, "trust-old"),
    ],
)
def test_what_is_good_by_an_old_list_is_so_by_the_policy(
    tmp_path: Path, when_old: Unsure, outcome: Outcome, reason: str
) -> None:
    at = At(tmp_path, CredentialPolicy(when_trust_is_old=when_old, trust_max_age_days=10))
    at.take(a_list(1, NOW_S - 11 * DAY_S))
    verdict = at.scan(a_pass())
    assert (verdict.outcome, verdict.reason, verdict.holder) == (outcome, reason, "h-1")
    assert verdict.denied is (when_old is Unsure.REFUSE)
    assert bool(verdict.serves) is (outcome is Outcome.VALID)
    assert at.scan(a_pass(OTHER)).reason == "unknown-key"  # what is bad is bad by an old list too
    at.take(a_list(2, NOW_S - 10 * DAY_S))
    assert at.scan(a_pass()).outcome is Outcome.VALID


def test_of_two_doubts_the_stricter_policy_counts(tmp_path: Path) -> None:
    old = CredentialPolicy(when_trust_is_old=Unsure.REFUSE, trust_max_age_days=10)  # and no directory: for the guard
    at = At(tmp_path, old)
    at.take(a_list(1, NOW_S - 11 * DAY_S))
    at.directory = Directory(tmp_path / "another.sqlite")
    verdict = at.scan(a_pass())
    assert (verdict.outcome, verdict.reason, verdict.denied) == (Outcome.UNCHECKED, "trust-old", True)
    at.policy = replace(old, when_trust_is_old=Unsure.GUARD)
    verdict = at.scan(a_pass())
    assert (verdict.outcome, verdict.reason, verdict.denied) == (Outcome.UNCHECKED, "directory-empty", False)


@pytest.mark.parametrize(("trusted", "states"), [(True, ["stale"]), (False, [])])
def test_a_list_from_ahead_of_the_clock_is_taken_and_told_where_the_clock_is_trusted(
    at: At, trusted: bool, states: list[str]
) -> None:
    at.now = replace(at.now, trusted=trusted)
    at.take(a_list(1, NOW_S + DAY_S))
    at.store.look()
    assert at.told == []  # a day is what clocks may differ by
    at.take(a_list(2, NOW_S + 2 * DAY_S))
    assert at.scan(a_pass()).outcome is Outcome.VALID
    assert at.states == states
    assert all("ahead of the clock" in detail for _, detail in at.told)


def test_an_old_list_is_an_alarm_of_the_gate_until_a_newer_one_is_there(at: At, tmp_path: Path) -> None:
    path, clock, posted, gate = tmp_path / "gate.toml", Clock(), list[Event](), Gate()
    path.write_text(sections() + f'[trust]\noffice_keys = ["{raw(OFFICE.public_key()).hex()}"]\n' + devices())
    now_s = clock.now().at_ms // 1000
    at.take(a_list(1, now_s - 31 * DAY_S))
    store = trust_list_of(load(path, {}), at.directory, clock, posted.append)
    (stale,) = posted
    assert isinstance(stale, DeviceChanged) and (stale.device, stale.state) == ("trust-list", "stale")
    gate.send(stale)
    assert gate.open_alarms == [AlarmKind.DEVICE_LOST]
    at.take(a_list(2, now_s))
    store.look()
    assert posted[1:] == [DeviceChanged("trust-list", "ok")]
    gate.send(*posted[1:])
    assert gate.open_alarms == []


# signed directories


def people(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "people"
    path.write_bytes(data)
    return path


JSON = msgspec.json.encode(PEOPLE)


def test_a_signed_directory_is_taken_from_the_office_only(tmp_path: Path) -> None:
    assert read_directory_file(people(tmp_path, seal(JSON, "directory", OFFICE)), KEYS) == PEOPLE
    for sealed, words in (
        (seal(JSON, "directory", OTHER), "not pinned"),
        (seal(JSON, "trust", OFFICE), "something else"),
        (seal(JSON, "directory", OFFICE)[:-1], "no signed document"),
    ):
        with pytest.raises(DirectoryError, match=words):
            read_directory_file(people(tmp_path, sealed), KEYS)
        with pytest.raises(DirectoryError):
            read_directory_file(people(tmp_path, sealed), KEYS, unsigned=True)
    with pytest.raises(DirectoryError, match="not pinned"):
        read_directory_file(people(tmp_path, seal(JSON, "directory", OFFICE)))


def test_a_plain_directory_needs_a_word_once_the_office_is_known(tmp_path: Path) -> None:
    path = people(tmp_path, JSON)
    assert read_directory_file(path) == PEOPLE
    assert read_directory_file(path, KEYS, unsigned=True) == PEOPLE
    with pytest.raises(DirectoryError, match="--unsigned"):
        read_directory_file(path, KEYS)
