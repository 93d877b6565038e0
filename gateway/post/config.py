"""A post's file: TOML, by the same declarations and words as a gate's, and checked as a whole before anything starts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta

from gateway.config.devices import Devices, read_devices
from gateway.config.problems import ConfigError, Report
from gateway.config.rules import need_files, refuse_clear_by_accident, refuse_unusable_files
from gateway.config.secret_file import read_secret
from gateway.config.settings import BrokerConfig, DeviceConfig, Language, VoiceConfig
from gateway.config.source import read_source
from gateway.config.tables import Reader, declared, nearest
from gateway.config.uses import Use
from gateway.post.lines import POST_BOOK
from gateway.voice.packs import SHIPPED, load_packs

USES: Final = (Use.SPEAKER, Use.SOUNDER, Use.ALARM_LAMP, Use.ACKNOWLEDGE)
"""What a post's devices can be used for."""
KEY_FILE: Final = "post.key"
GUARD_FILE: Final = "guard"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityConfig:
    """Who this post is, and where it keeps its data."""

    id: Annotated[
        str,
        Meta(
            description="The post's id: its client id at the brokers, and its name in heartbeats; "
            "1 to 32 of a-z, 0-9 and '-', one of its own for each post",
            pattern=r"^[a-z0-9-]{1,32}\Z",
        ),
    ]
    languages: Annotated[
        tuple[Language, ...], Meta(description="What is spoken, one after the other", min_length=1, max_length=2)
    ] = (Language.ZH, Language.EN)
    data_dir: Annotated[
        Path, Meta(description="The folder for its key, who is on duty, and rendered speech; made when it is not there")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechConfig:
    """How the post speaks, where a device has the use `speaker`."""

    phrases: Annotated[
        Path | None,
        Meta(description="A folder with phrase packs (post-zh.toml, post-en.toml); default: those that ship"),
    ] = None
    speed_wpm: Annotated[
        int,
        Meta(description="Speed of the rendered voice in words a minute", ge=80, le=400, extra={"unit": "1/min"}),
    ] = 160
    volume_percent: Annotated[
        int, Meta(description="Loudness of the rendered voice", ge=10, le=200, extra={"unit": "%"})
    ] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBrokerConfig(BrokerConfig):
    """A broker on the local network, by a name of your own: most sites have one, and a gate may have its own. With `ca_file` the
    post speaks TLS with it or not at all. The password never stands in this file: it is in `password_file`."""

    certificate_file: Annotated[
        Path | None,
        Meta(
            description="The post's own certificate (PEM), where the broker asks for one; its name (CN) is its user name"
        ),
    ] = None


def _name(language: str) -> Meta:
    return Meta(
        description=f"What it is called in {language}; default: its id", max_length=40, pattern=r"^[^\x00-\x1f{}]*\Z"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedConfig:
    """A gate that is followed, by its id."""

    broker: Annotated[str, Meta(description="Where it is heard: the name of a section [brokers.NAME]", min_length=1)]
    zh: Annotated[str, _name("Chinese")] = ""
    en: Annotated[str, _name("English")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Sections with names of one's own."""

    brokers: Annotated[Mapping[str, SiteBrokerConfig], Meta(max_length=64)] = field(default_factory=dict)
    gates: Annotated[Mapping[str, FollowedConfig], Meta(max_length=256)] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostConfig:
    """A whole file."""

    post: IdentityConfig
    voice: SpeechConfig
    brokers: Mapping[str, SiteBrokerConfig]
    gates: Mapping[str, FollowedConfig]
    devices: tuple[DeviceConfig, ...]

    @property
    def key_file(self) -> Path:
        """Its private key."""
        return self.post.data_dir / KEY_FILE

    @property
    def guard_file(self) -> Path:
        """Who is on duty, if anybody has said."""
        return self.post.data_dir / GUARD_FILE

    @property
    def packs_folder(self) -> Path:
        """Where its phrases are."""
        return self.voice.phrases or SHIPPED

    @property
    def spoken(self) -> "Spoken":
        """As a gate's voice is told."""
        voice = VoiceConfig(speed_wpm=self.voice.speed_wpm, volume_percent=self.voice.volume_percent)
        return Spoken(self.post, voice)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Implements gateway.voice.voice.Voicing."""

    gate: IdentityConfig
    voice: VoiceConfig


def load(path: Path) -> PostConfig:
    """A post's configuration. Raises ConfigError with everything that is wrong."""
    source = read_source(path)
    report = Report(source.file, source.lines)
    reader = Reader(report, path.absolute().parent, _homes)
    table = source.table
    _refuse_unknown(table, report)
    post = reader.section(IdentityConfig, table.get("post", {}), ("post",))
    voice = reader.section(SpeechConfig, table.get("voice", {}), ("voice",))
    named = {name: table[name] for name in ("brokers", "gates") if name in table}
    followed = reader.section(Followed, named, ()) or Followed()
    devices = read_devices(table.get("devices", {}), reader, report)
    brokers = _with_passwords(followed.brokers, report)
    _check_brokers(brokers, report)
    _check_gates(followed.gates, _names(table, "brokers"), report)
    if not _names(table, "gates"):
        report.rule("no gate is followed: a section [gates.ID] for each", ("gates",))
    _check_devices(devices, report)
    if post is not None and voice is not None:
        _check_speech(post, voice, report)
    problems = report.problems()
    if problems or post is None or voice is None:
        raise ConfigError(problems)
    return PostConfig(post=post, voice=voice, brokers=brokers, gates=followed.gates, devices=devices.configs)


def _homes(name: str) -> list[str]:
    kinds: Mapping[str, type[Any]] = {
        "post": IdentityConfig, "voice": SpeechConfig, "brokers.NAME": SiteBrokerConfig, "gates.ID": FollowedConfig
    }  # fmt: skip
    return [section for section, kind in kinds.items() if name in declared(kind).keys]


def _refuse_unknown(table: Mapping[str, object], report: Report) -> None:
    known = ("post", "voice", "brokers", "gates", "devices")
    for name in table:
        if name not in known and not report.full:
            near = nearest(name, known)
            hint = f"; the nearest known one is [{near}]" if near else f"; known are {', '.join(known)}"
            report.add((name,), f"unknown section{hint}")


def _with_passwords(brokers: Mapping[str, SiteBrokerConfig], report: Report) -> Mapping[str, SiteBrokerConfig]:
    return {
        name: broker
        if broker.password_file is None
        else replace(
            broker, password=read_secret(broker.password_file, ("brokers", name, "password_file"), report)
        )
        for name, broker in brokers.items()
    }  # fmt: skip


def _names(table: Mapping[str, object], group: str) -> Collection[str]:
    """The sections that there are, right or wrong."""
    below = table.get(group)
    return below if isinstance(below, dict) else ()


def _check_brokers(brokers: Mapping[str, SiteBrokerConfig], report: Report) -> None:
    for name, broker in brokers.items():
        section = ("brokers", name)
        need_files(section, broker, report)
        refuse_clear_by_accident(section, broker, report)
        refuse_unusable_files(section, broker, report)
        if broker.password is not None and broker.username is None:
            report.rule("there is a password and no username", (*section, "username"), (*section, "password_file"))


def _check_gates(gates: Mapping[str, FollowedConfig], brokers: Collection[str], report: Report) -> None:
    for name, gate in gates.items():
        if gate.broker not in brokers:
            near = nearest(gate.broker, brokers)
            hint = f"; did you mean {near}?" if near else ""
            report.rule(f"there is no section [brokers.{gate.broker}]{hint}", ("gates", name, "broker"))


def _check_speech(post: IdentityConfig, voice: SpeechConfig, report: Report) -> None:
    if len(set(post.languages)) < len(post.languages):
        report.rule("names a language twice", ("post", "languages"))
    if voice.phrases is not None and not voice.phrases.is_dir():
        report.add(("voice", "phrases"), f"{voice.phrases} is no folder")
        return
    try:
        load_packs(voice.phrases or SHIPPED, post.languages, POST_BOOK)
    except ConfigError as error:
        for problem in error.problems:
            report.rule(str(problem), ("voice", "phrases"))


def _check_devices(devices: Devices, report: Report) -> None:
    for device in devices.configs:
        if device.use not in USES:
            report.rule(f"a post has no {device.use}; it has {', '.join(USES)}", ("devices", device.name, "use"))
    if devices.uses is not None and devices.uses.isdisjoint((Use.SPEAKER, Use.SOUNDER)):
        report.add(("devices",), f'nothing here would be heard: no device has use = "{Use.SPEAKER}" or "{Use.SOUNDER}"')
    if devices.uses is not None and Use.ACKNOWLEDGE not in devices.uses:
        report.add(("devices",), f'nobody could acknowledge here: no device has use = "{Use.ACKNOWLEDGE}" (a button)')
