"""The sections of a gate's file, apart from the policy (`gateway.core.policy`) and what each model of device can be told
(`drivers.catalogue`): every key with unit, range and meaning beside it once.

A field without `Meta` is no key of the file.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from gateway.config.uses import Use
from gateway.core.policy import Policy


class Language(StrEnum):
    """Languages that a gate speaks."""

    ZH = "zh"
    EN = "en"


class MqttVersion(StrEnum):
    """What is spoken with the broker; nothing depends on 5."""

    V3_1_1 = "3.1.1"
    V5 = "5"


class ClockKind(StrEnum):
    """Whose time counts."""

    REAL = "real"
    SCRIPTED = "scripted"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityConfig:
    """Who this gate is, and where it keeps its data."""

    id: Annotated[
        str,
        Meta(
            description="The gate's id: client id, user name and topic at the broker; "
            "1 to 32 of a-z, 0-9 and '-', one of its own for each gate",
            pattern=r"^[a-z0-9-]{1,32}\Z",
        ),
    ]
    site: Annotated[
        str,
        Meta(
            description="The site whose passes are good here; 1 to 32 of letters, digits, '.', '_' and '-'",
            pattern=r"^[A-Za-z0-9._-]{1,32}\Z",
        ),
    ]
    name: Annotated[str, Meta(description="The gate's name for people", max_length=64, pattern=r"^[^\x00-\x1f]*\Z")] = (
        ""
    )
    languages: Annotated[
        tuple[Language, ...], Meta(description="What is spoken, one after the other", min_length=1, max_length=2)
    ] = (Language.ZH, Language.EN)
    data_dir: Annotated[
        Path, Meta(description="The folder for journal, directory, keys and rendered speech; made when it is not there")
    ]
    keep_days: Annotated[
        int,
        Meta(
            description="How long records stay here after the office has acknowledged them",
            ge=1,
            le=3650,
            extra={"unit": "d"},
        ),
    ] = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """The MQTT broker on the way to the office. The password never stands in this file: it is in `password_file`, or in
    the environment as MENSHEN_BROKER_PASSWORD."""

    host: Annotated[
        str, Meta(description="Its name or address", min_length=1, max_length=253, pattern=r"^[^\s/@\x00]+\Z")
    ]
    port: Annotated[int, Meta(description="Its TCP port; 8883 is usual with TLS", ge=1, le=65535)] = 1883
    protocol: Annotated[MqttVersion, Meta(description="The version of MQTT")] = MqttVersion.V3_1_1
    username: Annotated[
        str | None, Meta(description="The user name; without one, nothing is said", min_length=1, max_length=128)
    ] = None
    password_file: Annotated[Path | None, Meta(description="A file that holds the password and nothing else")] = None
    ca_file: Annotated[
        Path | None,
        Meta(
            description="The authority that signed the broker's certificate (PEM, with the key identifiers of RFC 5280); turns TLS on"
        ),
    ] = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryConfig:
    """Whose passes are believed."""

    pass_keys: Annotated[
        tuple[Annotated[str, Meta(description="64 hexadecimal digits", pattern=r"^[0-9a-fA-F]{64}\Z")], ...],
        Meta(
            description="The public Ed25519 keys of whoever issues passes, 64 hexadecimal digits each; "
            "without one every pass is refused",
            max_length=16,
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceConfig:
    """How the gate speaks, where a device has the use `speaker`."""

    phrases: Annotated[
        Path | None, Meta(description="A folder with phrase packs (zh.toml, en.toml); default: those that ship")
    ] = None
    recordings: Annotated[
        Path | None,
        Meta(
            description="A folder with recordings of your own, LANGUAGE/PHRASE.wav (16-bit PCM WAV, 0.2 to 20 s), "
            "which replace the rendered voice"
        ),
    ] = None
    speed_wpm: Annotated[
        int,
        Meta(description="Speed of the rendered voice in words a minute", ge=80, le=400, extra={"unit": "1/min"}),
    ] = 160
    volume_percent: Annotated[
        int,
        Meta(
            description="Loudness of the rendered voice; alarm tones and recordings are not changed by it",
            ge=10,
            le=200,
            extra={"unit": "%"},
        ),
    ] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """People by a script, for simulated devices. A real gate has no such section."""

    scenario: Annotated[Path, Meta(description="The scenes of a day (TOML)")]
    cast: Annotated[Path, Meta(description="What the people carry (JSON)")]
    visits: Annotated[int, Meta(description="So many visits; 0: for ever", ge=0, le=100_000_000)] = 0
    pace: Annotated[
        float, Meta(description="1: as people move; 0: as fast as they go; 2: twice as slow", ge=0, le=10)
    ] = 1.0
    clock: Annotated[
        ClockKind, Meta(description="real, or scripted: each scene sets the wall clock forward; simulated devices only")
    ] = ClockKind.REAL


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """One device: its model's own settings, and what it is used for. `line`: where it stands in the file."""

    name: str
    model: str
    use: Use
    settings: Any  # what the model's `settings` type makes; only the model's own `build` knows it
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """A whole file. `sha256`: of its bytes, in hexadecimal."""

    gate: IdentityConfig
    broker: BrokerConfig
    directory: DirectoryConfig
    voice: VoiceConfig
    policy: Policy
    devices: tuple[DeviceConfig, ...]
    simulation: SimulationConfig | None
    sha256: str


SECTIONS: dict[str, type[Any]] = {
    "gate": IdentityConfig,
    "broker": BrokerConfig,
    "directory": DirectoryConfig,
    "voice": VoiceConfig,
    "policy": Policy,
    "simulation": SimulationConfig,
}
"""Every section but `devices`."""
