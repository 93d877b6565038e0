"""`menshen pass`, as it is typed."""

import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from menshen.cli import main
from menshen.passes import telling
from menshen.passes.times import begin, find_zone
from sync.contract.colours import PassType
from sync.contract.keys import raw
from sync.contract.passes import Pass, PassKeys, Shown, read_pass, verify_pass
from sync.contract.trust import PassKey, TrustList, seal_trust

DAYS = ("--begin", "2026-03-01", "--end", "2026-12-31")
SHANGHAI = find_zone("Asia/Shanghai")


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


def run(*arguments: str, stdin: str | bytes = "") -> Done:
    done = CliRunner().invoke(main, ["pass", *arguments], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def public() -> str:
    """Of a new key in passes.pem."""
    return run("keygen", "passes.pem").out.strip()


@pytest.fixture
def phone() -> str:
    """The file with the public half of a phone's key in phone.pem."""
    Path("phone.pub").write_text(run("keygen", "--phone", "phone.pem").out)
    return "phone.pub"


def issue(*more: str, days: Sequence[str] = DAYS) -> Done:
    return run(
        "issue", "--key", "passes.pem", "--type", "returnee", "--site", "demo", "--holder", "h-0101", *days, *more
    )


def keys(public: str) -> PassKeys:
    return PassKeys.of([PassKey(key=public)])


# keygen


def test_a_key_is_its_owner_s_alone_and_never_written_over(public: str) -> None:
    path = Path("passes.pem")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    assert raw(key.public_key()).hex() == public
    before = path.read_bytes()
    again = run("keygen", "passes.pem")
    assert (again.code, "is there already" in again.err) == (2, True)
    assert path.read_bytes() == before


def test_a_phone_s_key_is_its_owner_s_alone(phone: str) -> None:
    assert stat.S_IMODE(Path("phone.pem").stat().st_mode) == 0o600
    assert Path(phone).read_text().startswith("-----BEGIN PUBLIC KEY-----\n")


# issue


def test_what_is_issued_verifies(public: str) -> None:
    done = issue()
    assert done.code == 0
    content = verify_pass(done.out.removesuffix("\n"), keys(public)).content
    assert (content.pass_type, content.site, content.holder) == (PassType.RETURNEE, "demo", "h-0101")
    assert datetime.fromtimestamp(content.not_before_s, UTC).isoformat() == "2026-02-28T16:00:00+00:00"
    assert datetime.fromtimestamp(content.expires_s, UTC).isoformat() == "2026-12-31T16:00:00+00:00"
    assert content.pass_id.hex() in done.err and "QR version 9-Q, 53 × 53 modules" in done.err


def test_each_pass_has_an_id_of_its_own(public: str) -> None:
    assert len({read_pass(issue().out.removesuffix("\n")).content.pass_id for _ in range(3)}) == 3


def test_times_are_taken_to_the_minute_and_in_the_zone(public: str) -> None:
    days = ("--begin", "2026-03-01T08:30", "--end", "2026-03-01 18:00", "--zone", "Europe/Berlin")
    content = read_pass(issue(days=days).out.removesuffix("\n")).content
    assert (content.not_before_s, content.expires_s) == (1_772_350_200, 1_772_384_400)


@pytest.mark.parametrize("day", ["2026-06-05", "2026-6-5", " 2026-06-5 "])
def test_a_day_ends_with_the_day_however_it_is_written(public: str, day: str) -> None:
    content = read_pass(issue(days=("--begin", day, "--end", day)).out.removesuffix("\n")).content
    assert (content.not_before_s, content.expires_s) == (1_780_588_800, 1_780_675_200)


def test_it_begins_now_unless_told_otherwise(public: str) -> None:
    before = int(datetime.now(UTC).timestamp())
    content = read_pass(issue(days=("--end", "2105-12-31")).out.removesuffix("\n")).content
    assert before <= content.not_before_s <= int(datetime.now(UTC).timestamp())


def read_picture(picture: np.ndarray) -> str:
    (code,) = zxingcpp.read_barcodes(picture)
    return code.text


def terminal_picture(lines: Sequence[str]) -> np.ndarray:
    """What a dark terminal shows, a pixel a module, then enlarged."""
    halves = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
    rows = [[halves[character][half] for character in line] for line in lines for half in (0, 1)]
    return np.kron(np.array(rows, np.uint8), np.ones((6, 6), np.uint8))


@pytest.mark.parametrize("on_phone", [False, True])
def test_every_picture_is_read_again_as_exactly_the_text(public: str, phone: str, on_phone: bool) -> None:
    done = issue("--png", "pass.png", "--svg", "pass.svg", "--qr", *(["--phone-key", phone] if on_phone else []))
    text = done.out.removesuffix("\n")
    assert verify_pass(text, keys(public))
    _told, _described, *drawn = done.err.removesuffix("\n").split("\n")
    picture = cv2.imread("pass.png", cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert read_picture(picture) == text
    assert read_picture(terminal_picture(drawn)) == text
    svg = Path("pass.svg").read_text()
    assert re.search(r'width="[\d.]+mm"', svg)
    assert read_picture(svg_picture(svg)) == text


def svg_picture(svg: str) -> np.ndarray:
    """The dark strokes of segno's SVG, as it draws them: M and m move, h draws a line one module high."""
    (path,) = re.findall(r'class="qrline" stroke="#000" d="([^"]+)"', svg)
    canvas, x, y = np.full((120, 120), 255, np.uint8), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            canvas[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    return np.kron(canvas, np.ones((6, 6), np.uint8))


def key_files() -> None:
    """Files that are no key of the kind that is asked for."""
    bits = rsa.generate_private_key(65537, 2048)
    other = generate_private_key(SECP384R1())
    Path("rsa.pem").write_bytes(bits.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    Path("p384.pub").write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    Path("rsa.pub").write_bytes(bits.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    Path("empty").write_bytes(b"")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (("--end", "2026-13-01"), "'2026-13-01' is no time: write a day as 2026-12-31"),
        (("--end", "tomorrow"), "'tomorrow' is no time"),
        (("--begin", ""), "'' is no time"),
        (("--end", "2026-02-28"), "the pass would end before it begins"),
        (("--end", "2106-12-31"), "is too far away: passes are for 1971 to 2105"),
        (("--begin", "0001-01-01"), "is too far away"),
        (("--end", "9999-12-31"), "is too far away"),
        (("--zone", "Mars/Olympus"), "'Mars/Olympus' is no time zone"),
        (("--zone", "Asia"), "'Asia' is no time zone"),
        (("--zone", "../../etc/passwd"), "is no time zone"),
        (("--site", "my site"), "'my site' is no site: 1 to 32 letters"),
        (("--holder", "李雷"), "is no reference of a holder: 1 to 40 letters"),
        (("--holder", "\x1b[2Jx"), "is no reference of a holder: 1 to 40 letters"),
        (("--type", "owner"), "'owner' is not one of"),
        (("--key", "missing.pem"), "missing.pem: cannot be read: No such file"),
        (("--key", "."), ".: cannot be read: Is a directory"),
        (("--key", "empty"), "empty: holds no private key"),
        (("--key", "rsa.pem"), "rsa.pem: holds another kind of key"),
        (("--key", "phone.pem"), "phone.pem: holds another kind of key"),
        (("--phone-key", "phone.pem"), "phone.pem: holds no public key"),
        (("--phone-key", "p384.pub"), "p384.pub: a phone's key is of the curve P-256, not secp384r1"),
        (("--phone-key", "rsa.pub"), "rsa.pub: holds another kind of key: P-256 is needed"),
        (("--phone-key", "missing"), "missing: cannot be read"),
        (("--png", "no-folder/x.png"), "no-folder/x.png: cannot be written: No such file"),
        (("--svg", "."), ".: cannot be written: Is a directory"),
    ],
)
def test_bad_input_is_named_and_nothing_is_printed(
    public: str, phone: str, more: tuple[str, str], complaint: str
) -> None:
    key_files()
    done = issue(*more)
    assert (done.code, done.out) == (2, "")
    assert re.search(complaint.replace("(", r"\("), re.sub(r"\s+", " ", done.err)), done.err
    assert "Traceback" not in done.err and "\x1b" not in done.err


# show


def test_show_says_what_a_pass_says_and_that_nobody_looked_at_the_signature(public: str) -> None:
    text = issue().out
    done = run("show", "-", stdin=text)
    assert done.code == 0
    for words in (
        "returnee 近期返京 (red 红)",
        "demo",
        "h-0101",
        "2026-03-01 00:00",
        "2027-01-01 00:00 (Asia/Shanghai)",
    ):
        assert words in done.out
    assert "not looked at" in done.out
    assert run("show", text.removesuffix("\n")) == done


@pytest.mark.parametrize("end", ["\n", "\r\n", "", "\nmore\n"])
def test_a_file_s_first_line_counts(public: str, end: str) -> None:
    text = issue().out.removesuffix("\n")
    Path("pass.txt").write_bytes((text + end).encode())
    assert run("show", "pass.txt").out == run("show", text).out


def test_show_looks_at_the_signature_when_it_is_told_whom_to_believe(public: str) -> None:
    text, other = issue().out.removesuffix("\n"), run("keygen", "other.pem").out.strip()
    assert "signature   good\n" in run("show", text, "--key", public).out
    assert "signature   NOT GOOD: unknown-key\n" in run("show", text, "--key", other).out


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("hello", "'hello' is neither a pass .* nor a file that can be read: No such file"),
        ("\x1b[31mred\u202e", "is neither a pass"),
        ("a\0b", "holds no text of a pass"),
        (".", "can be read: Is a directory"),
        ("MP1:hello", "no pass: not-base45"),
        ("MP1:" + "0" * 5000, "no pass: too-long"),
        ("picture", "'picture' holds no text of a pass"),
        ("/dev/zero", "no pass: not-a-pass"),
        ("empty", "no pass: not-a-pass"),
    ],
)
def test_what_is_no_pass_is_said_without_repeating_it(source: str, complaint: str) -> None:
    Path("picture").write_bytes(b"\x89PNG\xff")
    Path("empty").write_bytes(b"")
    done = run("show", source)
    assert (done.code, done.out) == (2, "")
    assert re.search(complaint, re.sub(r"\s+", " ", done.err)), done.err
    assert not {"\x1b", "\u202e"} & set(done.err)


def test_whatever_a_pass_would_say_is_printed_harmless() -> None:
    nasty = Pass(
        pass_id=bytes(8),
        pass_type=PassType.VISITOR,
        site="\x1b[2J",
        not_before_s=1,
        expires_s=2,
        holder="\u202egnp.\nsite  north",
    )
    for told in (telling.tell(Shown(nasty), SHANGHAI), telling.in_brief(nasty, SHANGHAI)):
        assert not {"\x1b", "\u202e"} & set(told)
        assert "\nsite  north" not in told


# verify


def test_verify_answers_with_its_exit_code(public: str) -> None:
    text = issue().out.removesuffix("\n")

    def tried(*more: str, changed: str = text) -> tuple[int, str]:
        done = run("verify", changed, *more)
        return done.code, done.out.split(" (")[0].strip()

    good = ("--key", public, "--at", "2026-06-01")
    assert tried(*good)[0] == 0
    assert tried(*good, "--site", "demo")[1].startswith("valid: pass ")
    assert tried(*good, "--site", "north") == (1, "not valid: wrong-site")
    assert tried("--key", public, "--at", "2026-02-28T23:59") == (1, "not valid: not-yet-valid")
    assert tried("--key", public, "--at", "2026-12-31T23:59")[0] == 0
    assert tried("--key", public, "--at", "2027-01-01") == (1, "not valid: expired")
    assert tried(*good, changed=text[:-1])[0] == 1
    assert tried(*good, changed="MP1:%") == (1, "not valid: not-base45")


def test_verify_by_a_trust_list_that_revokes_a_key(public: str) -> None:
    office = Ed25519PrivateKey.generate()
    pinned = raw(office.public_key()).hex()
    text = issue().out.removesuffix("\n")
    for revoked, answer in ((False, (0, "valid:")), (True, (1, "not valid: key-revoked"))):
        listed = TrustList(version=1, issued_s=1, pass_keys=(PassKey(key=public, revoked=revoked),))
        Path("site.trust").write_bytes(seal_trust(listed, office))
        done = run("verify", text, "--trust", "site.trust", "--office-key", pinned, "--at", "2026-06-01")
        assert (done.code, done.out.startswith(answer[1])) == (answer[0], True)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "whom to believe"),
        (("--key", "abc"), "'abc' is no public Ed25519 key"),
        (("--key", "0" * 64), "is no public Ed25519 key"),
        (("--trust", "missing"), "who signed it\\? Give the office's public key"),
        (("--trust", "missing", "--office-key", "PUBLIC"), "missing: cannot be read"),
        (("--trust", "rubbish", "--office-key", "PUBLIC"), "rubbish: is not to be believed: no signed document"),
        (("--key", "PUBLIC", "--at", "noon"), "'noon' is no time"),
    ],
)
def test_verify_that_cannot_be_tried(public: str, arguments: tuple[str, ...], complaint: str) -> None:
    Path("rubbish").write_bytes(b"rubbish")
    done = run("verify", "MP1:x", *(public if each == "PUBLIC" else each for each in arguments))
    assert (done.code, done.out) == (2, "")
    assert re.search(complaint, re.sub(r"\s+", " ", done.err)), done.err


# phones


def test_a_phone_s_pass_counts_only_while_the_phone_shows_it(public: str, phone: str) -> None:
    Path("pass.txt").write_text(issue("--phone-key", phone).out)
    at_s = begin("2026-06-01T08:00", SHANGHAI)
    done = run("present", "pass.txt", "--phone-key", "phone.pem", "--at", "2026-06-01T08:00", "--png", "now.png")
    assert done.code == 0
    text = done.out.removesuffix("\n")
    picture = cv2.imread("now.png", cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert read_picture(picture) == text
    assert verify_pass(text, keys(public)).counter == at_s // 30
    told = run("show", text).out
    assert f"counter {at_s // 30}" in told and "2026-06-01 08:00" in told

    def verified(source: str, at: str) -> str:
        return run("verify", source, "--key", public, "--at", at).out.split(" (")[0].split(": pass")[0].strip()

    assert verified(text, "2026-06-01T08:00:59") == "valid"
    assert verified(text, "2026-06-01T08:01") == "not valid: screenshot"
    assert verified(text, "2026-06-01T07:59") == "not valid: phone-clock"
    assert verified("pass.txt", "2026-06-01T08:00") == "not valid: proof-missing"


def test_present_wants_the_phone_that_it_was_issued_for(public: str, phone: str) -> None:
    run("keygen", "--phone", "stranger.pem")
    on_phone, paper = issue("--phone-key", phone).out.removesuffix("\n"), issue().out.removesuffix("\n")
    for text, key, complaint in (
        (on_phone, "stranger.pem", "not issued for this phone"),
        (paper, "phone.pem", "not issued for this phone"),
        (on_phone, "passes.pem", "holds another kind of key"),
        (on_phone, "phone.pub", "holds no private key"),
        (on_phone, "missing", "cannot be read"),
        ("MP1:x", "phone.pem", "no pass: not-base45"),
    ):
        done = run("present", text, "--phone-key", key)
        assert (done.code, done.out, complaint in re.sub(r"\s+", " ", done.err)) == (2, "", True), done.err


@pytest.mark.parametrize("command", ["", "keygen", "issue", "show", "verify", "present"])
def test_every_command_teaches(command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.code == 0
    assert "menshen pass" in done.out
