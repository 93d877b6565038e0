"""`menshen office authority`, `gate-bundle` and the others, as they are used; and what they leave on disk."""

import re
import stat
import tarfile
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from central.authority.certificates import common_name
from central.authority.folder import OFFICE, Authority
from central.commands import office as commands
from gateway.config import check, load
from menshen.keys import read_key_file
from sync.keyfiles import public_hex
from tests.central.test_commands import Office
from tests.gateway.config.files import devices

NEW = ["authority", "authority init", "authority show", "authority renew-office", "broker-certificate", "gate-bundle",
       "gate-revoke", "tail-certificate", "command-certificate", "post-certificate"]  # fmt: skip
OTHER_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """With an authority, and a certificate for its broker."""
    made = Office(tmp_path_factory.mktemp("secure") / "office")
    assert made("migrate").returncode == 0
    done = made("authority", "init")
    assert done.returncode == 0, done.stderr
    out = made.folder.parent / "broker"
    assert made("broker-certificate", "localhost", "mqtt.example", "--out", str(out)).returncode == 0
    return made


def private(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def told_nothing_secret(office: Office, *texts: str) -> None:
    """No key of any file of this office is in what was printed."""
    keys = [file.read_text() for file in office.folder.parent.rglob("*.key")]
    assert keys
    for line in (line for key in keys for line in key.splitlines() if "PRIVATE" not in line):
        assert all(line not in text for text in texts)
    assert all("PRIVATE" not in text for text in texts)


@pytest.mark.parametrize("command", NEW)
def test_every_command_teaches_by_an_example(command: str) -> None:
    shown = CliRunner().invoke(commands, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert f"menshen office {command}" in shown.output


def test_what_init_makes(office: Office) -> None:
    folder = office.folder / "authority"
    assert private(folder)
    assert {file.name for file in folder.glob("*.key")} == {
        "authority.key",
        "entrance.key",
        "office.key",
        "signing.key",
    }
    assert all(private(file) for file in folder.glob("*.key"))
    again = office("authority", "init")
    assert again.returncode == 1
    assert "holds an authority already" in again.stderr
    shown = office("authority", "show")
    assert re.search(r"menshen-broker\tuntil 20\d\d-\d\d-\d\d\tlocalhost, mqtt.example\n", shown.stdout)
    assert f"public key: {public_hex(read_key_file(folder / 'signing.key'))}\n" in shown.stdout
    told_nothing_secret(office, again.stderr, shown.stdout)


def test_what_the_broker_gets(office: Office) -> None:
    out = office.folder.parent / "broker"
    assert {file.name for file in out.iterdir()} == {
        "authority.pem",
        "entrance.pem",
        "broker.pem",
        "broker.key",
        "revoked.crl",
    }
    assert private(out) and private(out / "broker.key")
    config = (Path(__file__).parents[3] / "config" / "mosquitto" / "mosquitto.conf").read_text("utf-8")
    named = set(re.findall(r"^\w+ /etc/mosquitto/menshen/(\S+)$", config, re.MULTILINE))
    assert named == {file.name for file in out.iterdir()} | {"menshen.acl"}


def test_a_bundle_lacks_only_the_devices(office: Office, tmp_path: Path) -> None:
    out = tmp_path / "north"
    name = '北门 "N" \\'
    done = office(
        "gate-bundle", "north-1", "--site", "court", "--name", name, "--office-key", OTHER_KEY, "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert "north-1: admitted" in done.stdout and done.stderr == ""
    assert {file.name for file in out.iterdir()} == {"authority.pem", "gate.pem", "gate.key", "gate.toml"}
    assert private(out) and private(out / "gate.key")
    told_nothing_secret(office, done.stdout)
    assert (out / "gate.key").read_text() not in done.stdout
    assert {problem.key.split(".")[0] for problem in check(out / "gate.toml", {})} == {"policy"}  # needs devices
    with (out / "gate.toml").open("a") as file:
        file.write(devices())
    config = load(out / "gate.toml", {})
    assert (config.gate.id, config.gate.site, config.gate.name) == ("north-1", "court", name)
    assert (config.broker.host, config.broker.tcp_port) == ("mqtt.example", 8883)  # the first that is not this machine
    signing = read_key_file(office.folder / "authority" / "signing.key")
    assert config.trust.office_keys == (public_hex(signing), OTHER_KEY)
    certificate = x509.load_pem_x509_certificate((out / "gate.pem").read_bytes())
    assert common_name(certificate) == "north-1"
    key = load_pem_private_key((out / "gate.key").read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    assert f"north-1\t{name}\toffline\tlast heard: never" in office("gate", "list").stdout


def test_a_bundle_again_renews_and_revoking_ends_them_all(office: Office, tmp_path: Path) -> None:
    for number in (1, 2):
        out = tmp_path / f"{number}.tar"
        assert (
            office("gate-bundle", "south-1", "--site", "s", "--broker", "localhost:9000", "--out", str(out)).returncode
            == 0
        )
        assert private(out)
        with tarfile.open(out) as archive:
            modes = {entry.name: entry.mode for entry in archive}
            config = archive.extractfile("gate.toml")
            assert config is not None
            assert tomllib.load(config)["broker"]["port"] == 9000
        assert modes == {"gate.toml": 0o644, "authority.pem": 0o644, "gate.pem": 0o644, "gate.key": 0o600}
    assert "south-1\tuntil" in office("authority", "show").stdout
    done = office("gate-revoke", "south-1")
    assert "south-1: 2 certificate(s) revoked" in done.stdout
    assert f"copy {office.folder}/authority/revoked.crl to the broker" in done.stdout
    assert "south-1" not in office("authority", "show").stdout
    unknown = office("gate-revoke", "west-1")
    assert unknown.returncode == 1
    assert "west-1: no certificate was ever issued" in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["North"], "1 to 32 of a-z"),
        (["menshen-office"], "the office's own"),
        (["menshen-tail"], "the office's own"),
        (["../g"], "1 to 32 of a-z"),
        (["g", "--site", "a b"], "1 to 32 of letters"),
        (["g", "--name", "a\x1b[31m"], "nothing that cannot be printed"),
        (["g", "--name", "x" * 65], "at most 64 characters"),
        (["g", "--broker", 'a"b'], "is not HOST or HOST:PORT"),
        (["g", "--broker", "a:0"], "is not HOST or HOST:PORT"),
        (["g", "--office-key", "00" * 32], "is no public key"),
        (["g", "--office-key", "zz"], "is no public key"),
    ],
)
def test_what_no_bundle_is_made_from(arguments: list[str], words: str, tmp_path: Path) -> None:
    site = [] if "--site" in arguments else ["--site", "s"]
    done = CliRunner().invoke(commands, ["gate-bundle", *arguments, *site, "--out", str(tmp_path / "out")])
    assert (done.exit_code, words in done.output) == (2, True), done.output
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over_or_made_in_vain(office: Office, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    issued = len(list(office.folder.rglob("issued/*/*.pem")))
    for out, words in (("there", "is there already"), ("none/out", "is no folder")):
        done = office("gate-bundle", "g", "--site", "s", "--out", str(tmp_path / out))
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    elsewhere = office("broker-certificate", "a b", "--out", str(tmp_path / "new"))
    assert (elsewhere.returncode, "neither a host's name nor an address" in elsewhere.stderr) == (1, True)
    assert len(list(office.folder.rglob("issued/*/*.pem"))) == issued
    assert not (tmp_path / "new").exists()


def test_a_host_that_the_broker_has_no_certificate_for(office: Office, tmp_path: Path) -> None:
    done = office("gate-bundle", "g", "--site", "s", "--broker", "other.example", "--out", str(tmp_path / "g"))
    assert done.returncode == 0
    assert "certificate is for localhost, mqtt.example, so the gate will refuse other.example" in done.stderr


def test_without_an_authority_every_command_names_the_one_that_makes_it(tmp_path: Path) -> None:
    made = Office(tmp_path / "office")
    assert made("migrate").returncode == 0
    for command in (["authority", "show"], ["gate-bundle", "g", "--site", "s", "--out", str(tmp_path / "g")]):
        done = made(*command)
        assert (done.returncode, "run `menshen office authority init`" in done.stderr) == (1, True), done.stderr


def test_the_key_may_be_kept_elsewhere_until_it_is_needed(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = Authority.make(tmp_path / "authority", now)
    key = (tmp_path / "authority" / "authority.key").rename(tmp_path / "stick")
    assert {common_name(each) for each in authority.standing()} >= {OFFICE}
    with pytest.raises(Exception, match=r"authority\.key: cannot be read"):
        authority.issue_client("g", now)
    Authority.make(tmp_path / "other", now)
    (tmp_path / "other" / "authority.key").rename(tmp_path / "authority" / "authority.key")
    with pytest.raises(Exception, match=r"is not the key of authority\.pem"):
        authority.issue_client("g", now)
    key.replace(tmp_path / "authority" / "authority.key")
    assert authority.issue_client("g", now)


def test_check_tells_of_certificates_that_end_soon(tmp_path: Path) -> None:
    made = Office(tmp_path / "office")
    made("migrate")
    made("user", "add", "li")
    long_ago = datetime.now(UTC) - timedelta(days=710)
    authority = Authority.make(made.folder / "authority", long_ago)
    authority.issue_broker(["mqtt.example"], long_ago)
    authority.issue_client("north-1", long_ago)
    for name in ("tail", "command", "post"):
        authority.issue_client(f"menshen-{name}", long_ago)
    authority.issue_client("south-1", long_ago)
    authority.issue_client("south-1", datetime.now(UTC))
    (made.folder / "authority" / "office.key").chmod(0o644)
    done = made("check")
    assert done.returncode == 1
    assert "menshen office authority renew-office" in done.stderr
    assert "menshen office broker-certificate HOST" in done.stderr
    assert "menshen office gate-bundle north-1" in done.stderr
    for name in ("tail", "command", "post"):
        assert f"menshen-{name} ends on" in done.stderr
        assert f": menshen office {name}-certificate --out" in done.stderr
    assert "gate-bundle menshen-" not in done.stderr
    assert "office.key can be read by others" in done.stderr
    assert "south-1" not in done.stderr
    made("authority", "renew-office")
    assert "renew-office" not in made("check").stderr
