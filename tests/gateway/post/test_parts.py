"""The post's file, words, view and commands."""

import re
import tomllib
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from gateway.config import ConfigError
from gateway.config.reference import default_text, value_text
from gateway.config.settings import Language
from gateway.config.tables import declared
from gateway.post.config import (
    USES,
    FollowedConfig,
    IdentityConfig,
    PostConfig,
    SiteBrokerConfig,
    SpeechConfig,
    load,
)
from gateway.post.core import AlarmHeard, Ask, DeviceChanged, Post, StateHeard, Tick
from gateway.post.duty import LONGEST, begin_shift, guard_on_duty
from gateway.post.heard import HeardAlarm, HeardAsked
from gateway.post.lines import KINDS, POST_BOOK
from gateway.post.speech import line_of
from gateway.post.view import View, age_words
from gateway.voice import load_packs
from gateway.voice.packs import SHIPPED
from menshen.cli import main
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, Level, StateMessage
from tests.gateway.post.hearing import heard_alarm, heard_state

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "config" / "post.example.toml"
RIGHT = """\
[post]
id = "lodge"
data_dir = "data"
[brokers.site]
host = "127.0.0.1"
[gates.east-gate]
broker = "site"
zh = "东门"
en = "East gate"
[gates.west-gate]
broker = "site"
[devices.speaker]
model = "simulated-loudspeaker"
use = "speaker"
path = "said.wav"
[devices.button]
model = "simulated-input"
use = "acknowledge"
pin = 26
"""


def written(folder: Path, text: str = RIGHT) -> Path:
    path = folder / "post.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def config(tmp_path: Path) -> PostConfig:
    return load(written(tmp_path))


# the file


def test_a_right_file(config: PostConfig, tmp_path: Path) -> None:
    assert (config.post.id, config.post.data_dir) == ("lodge", tmp_path / "data")
    assert {name: each.broker for name, each in config.gates.items()} == {"east-gate": "site", "west-gate": "site"}
    assert [device.use for device in config.devices] == ["speaker", "acknowledge"]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('id = "lodge"', 'id = "Lodge"', "post.id: 'Lodge' is not accepted"),
        ('[brokers.site]\nhost = "127.0.0.1"\n', "", "gates.east-gate.broker: there is no section [brokers.site]"),
        ('broker = "site"\nzh', 'broker = "sit"\nzh', "gates.east-gate.broker: there is no section [brokers.sit]; did you mean site?"),
        ('host = "127.0.0.1"', 'host = "192.168.1.10"', "brokers.site.host: without TLS anybody on the way"),
        ('host = "127.0.0.1"', 'host = "127.0.0.1"\npassword_file = "none"', "brokers.site.password_file"),
        ('use = "acknowledge"', 'use = "fire"', "a post has no fire; it has speaker, sounder, alarm-lamp, acknowledge"),
        ('use = "acknowledge"', 'use = "fire"', "nobody could acknowledge here"),
        ("[devices.speaker]", "[post.speaker]", "nothing here would be heard"),
        ("[post]", "[psot]", "psot: unknown section; the nearest known one is [post]"),
        ("[post]", "[gate]", "gate: unknown section"),
        (RIGHT[RIGHT.index("[gates.east") : RIGHT.index("[devices.s")], "", "no gate is followed"),
        ("data_dir", 'languages = ["zh", "zh"]\ndata_dir', "post.languages: names a language twice"),
        ('id = "lodge"\n', "", "post.id: is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    assert old in RIGHT
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, RIGHT.replace(old, new)))
    assert wrong in str(caught.value)


def test_nothing_is_wrong_with_the_example() -> None:
    config = load(EXAMPLE)
    assert {device.use for device in config.devices} == set(USES)
    assert all(not device.model.startswith("simulated") for device in config.devices)


@pytest.mark.parametrize(
    ("section", "kind"),
    [("post", IdentityConfig), ("voice", SpeechConfig), ("brokers.site", SiteBrokerConfig), ("gates.east-gate", FollowedConfig)],
)  # fmt: skip
def test_the_example_documents_every_key(section: str, kind: type[object]) -> None:
    text = re.split(r"^\[", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    (body,) = (part for part in text if part.startswith(f"{section}]"))
    shown = dict(re.findall(r"^(?:# )?([a-z_]+) = (.+)$", body, re.MULTILINE))
    assert set(shown) == set(declared(kind).keys)
    for key in declared(kind).keys.values():
        assert f"# {key.meta.description}. " in body
        assert value_text(key).lower() in body.lower()
        if re.search(rf"^# {key.name} = ", body, re.MULTILINE) and key.default is not None:
            assert tomllib.loads(f"x = {shown[key.name]}") == tomllib.loads(f"x = {default_text(key)}")


# its words


@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize("kind", KINDS)
def test_every_alarm_has_a_line_with_the_gates_name(kind: str, lang: Language) -> None:
    names = {"gate_zh": "东门", "gate_en": "East gate"}
    spoken = load_packs(SHIPPED, tuple(Language), POST_BOOK).spoken(kind, names, lang)
    assert names[f"gate_{lang}"] in spoken
    if lang is Language.ZH:
        assert not re.search("[0-9A-Za-z]", spoken)
    assert len(spoken) <= (30 if lang is Language.ZH else 80), "it is heard to its end within some seconds"


def test_there_is_a_line_for_every_kind() -> None:
    assert set(KINDS) == {*(kind.value for kind in AlarmKind), "gate-silent", "office-data"}


@pytest.mark.parametrize("lang", Language)
def test_a_kind_that_is_not_known_is_said_by_its_word(config: PostConfig, lang: Language) -> None:
    spoken = load_packs(SHIPPED, tuple(Language), POST_BOOK).spoken(*line_of(config, "flood", "east-gate"), lang)
    assert {Language.EN: "unknown alarm flood", Language.ZH: "未知报警 flood"}[lang] in spoken and len(spoken) <= 90


# what it shows


def drawn(config: PostConfig, post: Post, now_ms: int) -> str:
    console = Console(file=StringIO(), width=140, record=True)
    console.print(View(config, console).table(post, now_ms))
    return console.export_text()


def test_the_table_has_a_word_and_a_shape_for_everything(config: PostConfig) -> None:
    post = Post("lodge", list(config.gates), sounding=["speaker"], ids=str, now_ms=0)
    assert drawn(config, post, 0).count("◌ 等待中") == 2
    alarm = Alarm(id="0" * 32, kind=AlarmKind.DOOR_FORCED, portal="p", since_ms=0, level=Level.DUTY_ROOM)
    other = Alarm(id="1" * 32, kind=AlarmKind.CALL, portal="p", since_ms=0, acknowledged=True, acknowledged_by="Wang")
    state = heard_state(
        StateMessage(online=True, boot="0" * 32, connection=1, mono_ms=5, drill=True, alarms=(alarm, other))
    )
    newer = msgspec.structs.replace(state, alarms=(*state.alarms, HeardAlarm(id="2" * 32, kind="flood")))
    (question,) = (
        each.question
        for each in post.handle(Tick(), 900)
        if isinstance(each, Ask) and each.question.gate == "east-gate"
    )
    answer = msgspec.structs.replace(newer, asked=(HeardAsked(post="lodge", number=question.number),))
    post.handle(StateHeard("east-gate", answer), 1_000)
    post.handle(Tick(), 10_000)
    text = drawn(config, post, 66_000)
    for words in (
        "东门",
        "● 正常联系",
        "◇ 演练",
        "▲▲▲ 东门：门被强行打开",
        "东门：未知报警 flood",
        "请确认",
        "已报值班室",
        "1:05",
        "▽ 东门：有人按铃",
        "已确认 Wang",
    ):
        assert words in text
    for words in ("west-gate", "✕ 失联", "▲ west-gate：门岗没有声音了"):
        assert words in text
    post.handle(DeviceChanged("speaker", works=False), 11_000)
    assert "✕ 本台不能发声" in drawn(config, post, 66_000)


def test_what_comes_from_a_gate_draws_nothing_but_itself(config: PostConfig) -> None:
    post = Post("lodge", list(config.gates), sounding=["speaker"], ids=str, now_ms=0)
    nasty = Alarm(id="0" * 32, kind=AlarmKind.DISK, portal="p", since_ms=0, detail="[red]x[/red]\x1b[2J")
    message = AlarmMessage(action=AlarmAction.RAISED, alarm=nasty, at_ms=0, boot="0", mono_ms=0)
    post.handle(AlarmHeard("east-gate", heard_alarm(message)), 0)
    text = drawn(config, post, 0)
    assert "[red]x[/red]" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("ms", "words"), [(0, "0 s"), (59_999, "59 s"), (60_000, "1:00"), (11_525_000, "3:12:05")])
def test_an_age_in_words(ms: int, words: str) -> None:
    assert age_words(ms) == words


# who is on duty, and the commands


def test_who_is_on_duty_outlives_and_is_harmless(tmp_path: Path) -> None:
    file = tmp_path / "data" / "guard"
    assert guard_on_duty(file) == ""
    begin_shift(file, "  王卫 ")
    assert guard_on_duty(file) == "王卫"
    file.write_bytes(b"\xff\x1b[2J" + b"x" * 1000)
    assert len(guard_on_duty(file)) == LONGEST
    assert guard_on_duty(file).isprintable()
    begin_shift(file, "")
    assert guard_on_duty(file) == ""


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    first, second = (CliRunner().invoke(main, ["post", "key", "--config", str(path)]) for _ in range(2))
    assert first.output == second.output
    assert re.fullmatch(r"[0-9a-f]{64}\n", first.output)
    assert (tmp_path / "data" / "post.key").stat().st_mode & 0o777 == 0o600


def test_the_commands_say_what_is_wrong(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert "follows 2 gates: nothing wrong" in CliRunner().invoke(main, ["post", "check", "--config", str(path)]).output
    without_key = CliRunner().invoke(main, ["post", "run", "--config", str(path)])
    assert (without_key.exit_code, "post.key: cannot be read" in without_key.output) == (1, True)
    both = CliRunner().invoke(main, ["post", "run", "--config", str(path), "--watch", "--feed"])
    assert both.exit_code == 2
    path.write_text("= 3")
    assert CliRunner().invoke(main, ["post", "check", "--config", str(path)]).exit_code == 2
    assert CliRunner().invoke(main, ["post", "example"]).output == EXAMPLE.read_text("utf-8")
