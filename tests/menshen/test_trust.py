"""`menshen trust`: from the office's key to a gate that believes."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding

from menshen.cli import main
from menshen.keys import read_key_file
from sync.contract.sealed import seal
from sync.contract.trust import Issuer, IssuerKey, PassKey, TrustList, seal_trust, unseal_trust
from tests.central.trust.test_certificates import made
from tests.gateway.config.files import devices, sections

DAY_S = 86_400
PEOPLE = {"version": 4, "holders": [{"holder": "h-1", "pass_type": "resident"}]}


def run(*arguments: object) -> tuple[int, str]:
    """A command's exit code, and all that it says."""
    done = CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False)
    return done.exit_code, done.output


@dataclass
class Office:
    """An office's folder with its key and one that signs passes, and the file of a gate that pins it."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = self.folder / "office.pem"
        self.public = run("trust", "keygen", self.key)[1].strip()
        self.pass_key = run("pass", "keygen", self.folder / "passes.pem")[1].strip()
        self.gate = self.folder / "gate.toml"
        self.configure()

    def configure(self, *keys: str, policy: str = "") -> None:
        """The gate's file, with these keys pinned: by default the office's."""
        pinned = ", ".join(f'"{key}"' for key in keys or (self.public,))
        text = sections() + f"[trust]\noffice_keys = [{pinned}]\n[policy.credentials]\n{policy}\n" + devices()
        self.gate.write_text(text, "utf-8")

    def make(self, name: str, *arguments: object) -> tuple[int, str]:
        """`menshen trust make`."""
        return run("trust", "make", "--key", self.key, "--out", self.folder / name, *arguments)

    def read(self, name: str) -> TrustList:
        """A list that was made."""
        return unseal_trust((self.folder / name).read_bytes(), [read_key_file(self.key).public_key()])

    def bring(self, name: str) -> tuple[int, str]:
        """`menshen trust import`."""
        return run("trust", "import", "--config", self.gate, self.folder / name)

    def write(self, name: str, content: TrustList) -> Path:
        """A list as another program of the office would make it."""
        path = self.folder / name
        path.write_bytes(seal_trust(content, read_key_file(self.key)))
        return path


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def shown(text: str) -> str:
    """What a table says, without its lines."""
    return re.sub(r"[\s│┃]+", " ", text)


def test_a_key_is_for_its_owner_only_and_never_written_over(office: Office) -> None:
    assert office.key.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}", office.public)
    before = office.key.read_bytes()
    code, said = run("trust", "keygen", office.key)
    assert code == 1 and "is there already" in said
    assert office.key.read_bytes() == before
    assert run("trust", "keygen", office.folder / "no" / "folder.pem")[0] == 1


def test_from_a_key_to_a_gate(office: Office) -> None:
    assert office.make("1.trust", "--pass-key", f"{office.pass_key}:2026") == (
        0,
        f"{office.folder}/1.trust: version 1: 1 pass key, 0 signers of 0 countries, 0 issuers, 0 revoked certificates\n",
    )
    assert office.read("1.trust").pass_keys == (PassKey(key=office.pass_key, name="2026"),)
    code, said = office.bring("1.trust")
    assert code == 0 and "version 1: 1 pass key" in said and "issued today" in said
    code, said = run("trust", "show", "--config", office.gate)
    assert code == 0
    assert "directory: none was ever loaded" in said
    assert "received 20" in said and "TOO OLD" not in said
    assert "2026 at any time believed" in shown(said)
    assert office.bring("1.trust") == (0, f"{office.folder}/1.trust: is the list that this gate has already\n")


def test_each_new_list_changes_the_old_one(office: Office) -> None:
    newer = run("pass", "keygen", office.folder / "newer.pem")[1].strip()
    pem = office.folder / "dsc.pem"
    pem.write_bytes(made(usages=()).public_bytes(Encoding.PEM))
    revoked = office.folder / "revoked"
    revoked.write_text("0f" * 16)
    office.make("1", "--pass-key", office.pass_key, "--eu", pem, "--revoked", revoked, "--version", 7)
    old = office.folder / "1"
    retire = f"{office.pass_key}:2026-12-31"
    assert office.make("2", "--from", old, "--pass-key", f"{newer}:new", "--retire-pass-key", retire)[0] == 0
    first, second = office.read("1"), office.read("2")
    assert (first.version, second.version) == (7, 8)
    assert (second.signers, second.revoked_certificates) == (first.signers, first.revoked_certificates)
    assert second.pass_keys == (
        PassKey(key=office.pass_key, not_after_s=1_798_761_599),
        PassKey(key=newer, name="new"),
    )
    short = shown(run("trust", "show", old)[1]).split(" state ")[1].split()[1]
    assert re.fullmatch(r"[0-9a-f]{8}", short)
    office.make("3", "--from", office.folder / "2", "--revoke-pass-key", short.upper(), "--without", "eu")
    third = office.read("3")
    assert [key.revoked for key in third.pass_keys] == [True, False]
    assert (third.signers, third.revoked_certificates) == ((), first.revoked_certificates)
    code, said = office.make("4", "--from", office.folder / "3", "--pass-key", office.pass_key)
    assert code == 1 and "was revoked" in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--pass-key", "ab"], 2, "64 hexadecimal digits"),
        (["--pass-key", "00" * 32], 2, "placeholder"),
        (["--revoke-pass-key", "0011223344"], 2, "short name"),
        (["--revoke-pass-key", "00112233"], 1, "not in the list; there are: none"),
        (["--retire-pass-key", "00112233:tomorrow"], 2, "HEX:2026-12-31"),
        (["--version", "0"], 2, "0 is not in the range"),
        (["--from", "{folder}/nothing"], 1, "cannot be read: No such file"),
        (["--from", "{folder}/office.pem"], 1, "no signed document"),
        (["--key", "{folder}/gate.toml"], 1, "no private key in PEM"),
        (["--key", "{folder}/nothing"], 1, "cannot be read"),
        (["--out", "{folder}/no/folder"], 1, "cannot be written"),
        (["--eu", "{folder}/nothing"], 1, "No such file"),
        (["--eu", "{folder}/gate.toml"], 1, "not one usable certificate"),
        (["--issuer", "https://a.example"], 1, "no key set for it"),
        (["--revoked", "{folder}/gate.toml", "--without", "revoked"], 2, "contradict"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(office: Office, arguments: list[str], code: int, words: str) -> None:
    found = office.make("out", *(each.format(folder=office.folder) for each in arguments))
    assert found[0] == code and words in " ".join(found[1].split())
    assert not (office.folder / "out").exists()
    assert [each.name for each in office.folder.iterdir() if each.name.startswith(".")] == []


def test_a_source_with_something_unusable(office: Office) -> None:
    folder = office.folder / "certificates"
    folder.mkdir()
    (folder / "good.pem").write_bytes(made().public_bytes(Encoding.PEM))
    (folder / "bad\x1b[2J.pem").write_bytes(b"nothing")
    code, said = office.make("1", "--eu", folder)
    assert code == 3 and "1 signer of 1 country" in said
    assert "left out: " in said and ".pem: no certificate" in said and "\x1b" not in said
    assert len(office.read("1").signers) == 1
    code, said = office.make("2", "--eu", folder, "--strict")
    assert code == 1 and "nothing was written" in said
    assert not (office.folder / "2").exists()


def test_an_old_list_by_a_key_that_is_no_longer_used(office: Office) -> None:
    office.make("1", "--pass-key", office.pass_key)
    before, office.key = office.public, office.folder / "next.pem"
    office.public = run("trust", "keygen", office.key)[1].strip()
    code, said = office.make("2", "--from", office.folder / "1")
    assert code == 1 and "--old-key" in said
    assert office.make("2", "--from", office.folder / "1", "--old-key", before)[0] == 0
    assert office.read("2").pass_keys == (PassKey(key=office.pass_key),)
    office.configure(before, office.public)  # a gate pins both for a while
    assert [office.bring(name)[0] for name in ("1", "2")] == [0, 0]


def changed(data: bytes) -> bytes:
    return data[:100] + bytes([data[100] ^ 1]) + data[101:]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (changed, "not to be believed"),
        (lambda data: data[:-1], "not to be believed"),
        (lambda _: b"", "not to be believed"),
        (lambda _: b"{}", "not to be believed"),
    ],
)
def test_what_the_office_has_not_signed_is_not_imported(
    office: Office, make: Callable[[bytes], bytes], words: str
) -> None:
    office.make("1", "--pass-key", office.pass_key)
    bad = office.folder / "bad"
    bad.write_bytes(make((office.folder / "1").read_bytes()))
    code, said = office.bring("bad")
    assert code == 1 and words in said
    assert run("trust", "show", "--config", office.gate)[0] == 1


def test_a_gate_does_not_go_back(office: Office) -> None:
    office.make("1", "--pass-key", office.pass_key)
    office.make("2", "--from", office.folder / "1")
    office.bring("2")
    code, said = office.bring("1")
    assert code == 1 and "never goes back" in said
    office.make("other", "--version", 2)
    code, said = office.bring("other")
    assert code == 1 and "same version" in said


def test_a_gate_that_pins_nothing_or_another(office: Office) -> None:
    office.make("1", "--pass-key", office.pass_key)
    office.gate.write_text(sections() + devices())
    code, said = office.bring("1")
    assert code == 1 and "office_keys" in said
    office.configure(office.pass_key)
    code, said = office.bring("1")
    assert code == 1 and "not pinned" in said
    office.gate.write_text("[gate]\n")
    assert office.bring("1")[0] == 2


def test_how_old_it_is(office: Office) -> None:
    import time

    office.configure(policy='trust_max_age_days = 10\nwhen_trust_is_old = "guard"')
    office.write("old", TrustList(version=1, issued_s=int(time.time()) - 11 * DAY_S))
    code, said = office.bring("old")
    assert code == 0 and "11 days old" in said and "older than" in said
    code, said = run("trust", "show", "--config", office.gate)
    assert code == 0 and "TOO OLD: 10 days are allowed; meanwhile: guard" in said
    office.write("ahead", TrustList(version=2, issued_s=int(time.time()) + 3 * DAY_S))
    code, said = office.bring("ahead")
    assert code == 0 and "ahead of the clock here" in said
    assert "TOO OLD" not in run("trust", "show", "--config", office.gate)[1]


def test_what_a_list_says_is_shown_harmless(office: Office) -> None:
    nasty = "\x1b[31mred\x1b[0m \u202egnp.exe [bold]"
    office.write(
        "1",
        TrustList(
            version=1,
            issued_s=10**25,
            pass_keys=(PassKey(key=office.pass_key, name=nasty),),
            issuers=(Issuer(iss=f"https://{nasty}", name=nasty, keys=(IssuerKey(kid=nasty, x="", y=""),)),),
        ),
    )
    for arguments in ([], ["--all"], ["--key", office.public]):
        code, said = run("trust", "show", office.folder / "1", *arguments)
        assert code == 0
        assert "\x1b" not in said and "\u202e" not in said
        assert "[bold]" in said


def test_a_list_in_a_file_says_whether_it_was_verified(office: Office) -> None:
    office.make("1", "--pass-key", office.pass_key)
    assert "NOT VERIFIED" in run("trust", "show", office.folder / "1")[1]
    assert "signed by the key" in run("trust", "show", office.folder / "1", "--key", office.public)[1]
    code, said = run("trust", "show", office.folder / "1", "--key", office.pass_key)
    assert code == 1 and "not pinned" in said
    for bad in (b"", b"{}", seal(b"{}", "trust", read_key_file(office.key))):
        (office.folder / "bad").write_bytes(bad)
        assert run("trust", "show", office.folder / "bad")[0] == 1
    assert run("trust", "show")[0] == 2
    assert run("trust", "show", office.folder / "1", "--config", office.gate)[0] == 2


def test_a_gate_with_nothing_or_a_damaged_list(office: Office) -> None:
    code, said = run("trust", "show", "--config", office.gate)
    assert code == 1 and "does not exist" in said
    office.make("1", "--pass-key", office.pass_key)
    office.bring("1")
    with closing(sqlite3.connect(office.folder / "data" / "directory.sqlite")) as connection, connection:
        connection.execute("UPDATE trust SET sealed = x'00'")
    code, said = run("trust", "show", "--config", office.gate)
    assert code == 1 and "cannot be believed" in said and "guard" in said


def test_a_directory_is_sealed_and_loaded(office: Office) -> None:
    people = office.folder / "people.json"
    people.write_text(json.dumps(PEOPLE | {"issued_s": 1_700_000_000}))
    load = ("gate", "directory", "load", "--config", office.gate)
    code, said = run(*load, people)
    assert code == 1 and "--unsigned" in said
    assert run(*load, people, "--unsigned")[0] == 0
    code, said = run("trust", "seal", people, "--key", office.key)
    assert (code, said) == (0, f"{people}.sealed: version 4, signed\n")
    code, said = run(*load, f"{people}.sealed")
    assert code == 0 and "version 4: 1 holders" in said
    said = run("trust", "show", "--config", office.gate)[1]
    assert "directory: version 4, issued 2023-11-14, " in said and "days old, received 20" in said
    office.make("1", "--pass-key", office.pass_key)
    code, said = run(*load, office.folder / "1")
    assert code == 1 and "something else" in said


def test_a_signed_directory_never_goes_back(office: Office) -> None:
    card, path = {"uid": "000414CD7E", "holder": "-"}, office.folder / "people.json"
    load = ("gate", "directory", "load", "--config", office.gate)
    for version, lost in ((4, False), (5, True)):
        path.write_bytes(msgspec.json.encode({"version": version, "cards": [{**card, "lost": lost}]}))
        assert run("trust", "seal", path, "--key", office.key, "--out", office.folder / str(version))[0] == 0
        assert run(*load, office.folder / str(version))[0] == 0
    code, said = run(*load, office.folder / "4")
    assert code == 1 and "version 4, and the gate has 5" in said
    assert "directory: version 5" in run("trust", "show", "--config", office.gate)[1]
    assert run(*load, office.folder / "5")[0] == 0  # the same once more
    assert run(*load, office.folder / "4", "--unsigned")[0] == 0  # whoever may take any file


@pytest.mark.parametrize("content", [b"", b"[]", b'{"holders": []}', b'{"version": "1"}'])
def test_what_is_no_directory_is_not_sealed(office: Office, content: bytes) -> None:
    path = office.folder / "people.json"
    path.write_bytes(content)
    assert run("trust", "seal", path, "--key", office.key)[0] == 1
    assert not path.with_name("people.json.sealed").exists()


def test_a_signed_directory_that_is_none_is_refused_by_the_gate(office: Office) -> None:
    path = office.folder / "sealed"
    path.write_bytes(seal(msgspec.json.encode({"version": 1, "cardz": []}), "directory", read_key_file(office.key)))
    code, said = run("gate", "directory", "load", "--config", office.gate, path)
    assert code == 1 and "cardz" in said


@pytest.mark.parametrize(
    ("strangers", "arguments"),
    [
        (
            ("peewee", "serial", "gpiozero", "cv2", "numpy", "zxingcpp", "pyzbar", "urllib3"),
            ["make", "--key", "{folder}/office.pem", "--out", "{folder}/x", "--eu", "{folder}/dsc.pem"],
        ),
        (("django", "gunicorn", "whitenoise"), ["import", "--config", "{folder}/gate.toml", "{folder}/1"]),
    ],
)
def test_each_side_needs_only_its_own_packages(
    office: Office, strangers: tuple[str, ...], arguments: list[str]
) -> None:
    (office.folder / "dsc.pem").write_bytes(made().public_bytes(Encoding.PEM))
    office.make("1", "--pass-key", office.pass_key)
    given = ["trust", *(each.format(folder=office.folder) for each in arguments)]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({strangers!r})); from menshen.cli import main; main({given!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_list_is_not_written_over_unawares(office: Office) -> None:
    assert office.make("1.trust", "--pass-key", office.pass_key)[0] == 0
    (office.folder / "2.trust").write_bytes(b"the only copy of a revocation")
    code, said = office.make("2.trust", "--from", office.folder / "1.trust", "--version", "2")
    assert code == 1 and "is there already" in said
    assert (office.folder / "2.trust").read_bytes() == b"the only copy of a revocation"
    assert office.make("2.trust", "--from", office.folder / "1.trust", "--version", "2", "--replace")[0] == 0
    assert office.read("2.trust").version == 2
