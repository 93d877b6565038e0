"""Whole files."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.config import ConfigError, check, load
from gateway.config.settings import ClockKind, Language, MqttVersion
from gateway.config.uses import PARTS, Use
from gateway.core.policy import Policy, PortalKind
from gateway.hardware import LAMPS
from gateway.intake import LEVELS, READERS
from menshen.demo.cast import make_cast
from menshen.demo.gate import gate_config
from sync.contract.keys import raw
from tests.gateway.config.files import devices, problem, problems, sections

KEY = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def test_a_right_file(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    text = sections(portal="release_s = 7") + devices() + f'[trust]\noffice_keys = ["{KEY}"]\n'
    path.write_text(text, "utf-8")
    config = load(path, {})
    assert config.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert config.gate.id == "g-1"
    assert config.gate.data_dir == tmp_path / "data"
    assert config.gate.languages == (Language.ZH, Language.EN)
    assert config.gate.keep_days == 30
    assert config.broker.protocol is MqttVersion.V3_1_1
    assert (config.broker.username, config.broker.password, config.broker.ca_file) == (None, None, None)
    assert config.trust.office_keys == (KEY,)
    assert [raw(key).hex() for key in config.trust.keys] == [KEY]
    assert config.policy.portal.release_s == 7.0
    assert config.policy.portal.kind is PortalKind.DOOR
    assert config.policy.temperature == Policy().temperature
    assert config.simulation is None
    assert [(each.name, each.model, each.use) for each in config.devices][-1] == ("lock", "simulated-output", Use.LOCK)
    lock = config.devices[-1]
    assert lock.settings.pin == 17
    assert text.splitlines()[lock.line - 1] == "[devices.lock]"


def test_everything_at_once_in_the_files_order(tmp_path: Path) -> None:
    text = (
        '[gate]\nid = "Main gate"\nsiet = "s"\ndata_dir = "data"\n[brokr]\nhost = "h"\n'
        '[policy.portal]\nrelease_ms = 5000\nheld_open_s = "30s"\n'
        '[devices.a]\nmodel = "simulated-input"\nuse = "fire"\npin = 40\n'
        '[devices.b]\nmodel = "simulated-inptu"\nuse = "call"\n'
    )
    found = problems(tmp_path, text)
    assert [(each.line, each.key) for each in found if each.line and each.key[:6] != "policy"] == [
        (1, "gate.site"),
        (2, "gate.id"),
        (3, "gate.siet"),
        (5, "brokr"),
        (13, "devices.a.pin"),
        (15, "devices.b.model"),
    ]
    assert [
        (each.line, each.key) for each in found if each.key in ("policy.portal.release_ms", "policy.portal.held_open_s")
    ] == [
        (8, "policy.portal.release_ms"),
        (9, "policy.portal.held_open_s"),
    ]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "gate.toml", {})
    assert str(caught.value).splitlines() == [str(each) for each in found]


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("id = 3\n", "id", "unknown key; it belongs into [gate]"),
        ("colour = 3\n", "colour", "unknown key; every key stands in a section"),
        ('"\\u001b[2J" = 1\n', '"\\u001b[2J"', "unknown key; every key stands in a section"),
        ("[polcy.portal]\n", "polcy", "unknown section; the nearest known one is [policy]"),
        ("[policy.portl]\n", "policy.portl", "unknown key; the nearest known one is portal"),
        ("[policy]\nrelease_s = 5\n", "policy.release_s", "unknown here; it belongs into [policy.portal]"),
        ("[[voice]]\n", "voice", "there is one section of this name, with single brackets: [voice]"),
        (
            "[zebra]\n",
            "zebra",
            "unknown section; known are gate, journal, broker, post, trust, voice, policy, page, simulation, devices, resolvers",
        ),
    ],
)
def test_keys_and_sections_out_of_place(tmp_path: Path, text: str, key: str, words: str) -> None:
    assert problem(tmp_path, text + sections() + devices()) == (key, words)


def test_where_the_keys_of_an_earlier_versions_file_have_gone(tmp_path: Path) -> None:
    key, words = problem(tmp_path, sections() + devices() + f'[directory]\npass_keys = ["{KEY}"]\n')
    assert key == "directory"
    assert "trust list" in words and "[trust] as office_keys" in words
    assert problem(tmp_path, sections() + devices() + f'[trust]\npass_keys = ["{KEY}"]\n') == (
        "trust.pass_keys",
        "unknown key; known here: office_keys",
    )


def test_the_password_comes_from_its_file_or_the_environment_and_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    user = 'username = "u"\n'
    path.write_text(sections() + user + devices())
    config = load(path, {"MENSHEN_BROKER_PASSWORD": "hidden-1"})
    assert config.broker.password == "hidden-1"
    assert "hidden" not in repr(config)
    (tmp_path / "secret").write_text("hidden-2\n")
    path.write_text(sections() + user + 'password_file = "secret"\n' + devices())
    config = load(path, {"MENSHEN_BROKER_PASSWORD": "hidden-1"})
    assert config.broker.password == "hidden-2"
    assert "hidden" not in repr(config)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "must hold one line"),
        (b"a\nb\n", "must hold one line"),
        (b"\xff", "is not UTF-8"),
        (b"x" * 9000, "must hold one line"),
    ],
)
def test_password_files_that_hold_none(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    key, found = problem(tmp_path, sections() + 'username = "u"\npassword_file = "secret"\n' + devices())
    assert key == "broker.password_file"
    assert words in found


def test_a_password_in_the_main_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    key, words = problem(tmp_path, sections() + 'password = "hidden"\n' + devices())
    assert key == "broker.password"
    assert "hidden" not in words
    assert "password_file" in words


@pytest.mark.parametrize("visits", [None, 7])
def test_the_demos_file_with_every_camera(tmp_path: Path, visits: int | None) -> None:
    files = make_cast(tmp_path, "demo")
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for camera, with_camera in ((None, True), (("folder", photographs), True), (None, False)):
        text = gate_config(tmp_path, files, "127.0.0.1", 1883, visits=visits, camera=camera, with_camera=with_camera)
        assert problems(tmp_path, text) == []
    config = load(tmp_path / "gate.toml", {})
    assert config.simulation is not None
    assert config.simulation.clock is ClockKind.SCRIPTED
    assert config.simulation.visits == (visits or 0)


def test_every_use_is_one_that_the_gate_knows() -> None:
    assert set(Use) == {
        "thermometer",
        *READERS,
        *LEVELS,
        "beam-pair",
        "lock",
        *LAMPS,
        "sounder",
        "speaker",
        "alarm-lamp",
    }
    assert set(PARTS) == set(Use)


def test_loading_is_cheap(tmp_path: Path) -> None:
    """Nothing of a device, a port or the network is imported to read a file."""
    path = tmp_path / "gate.toml"
    path.write_text(sections() + devices())
    assert check(path, {}) == ()
    probe = (
        "import sys; from pathlib import Path; from gateway.config import load; load(Path(sys.argv[1]), {});"
        "print([name for name in ('serial', 'gpiozero', 'cv2', 'numpy', 'zxingcpp', 'pyzbar', 'paho', 'cryptography',"
        " 'peewee', 'subprocess') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
