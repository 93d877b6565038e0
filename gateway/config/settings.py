"""The sections of a gate's file, apart from the policy (`gateway.core.policy`) and what each model of device can be told
(`drivers.catalogue`): every key with unit, range and meaning beside it once.

A field without `Meta` is no key of the file.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta

from gateway.config.source import Source
from gateway.config.uses import Use
from gateway.core.policy import Policy
from sync.tls import PLAIN_PORT, PORT, TlsFiles

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Language(StrEnum):
    """Languages that a gate speaks."""

    ZH = "zh"
    EN = "en"


class MqttVersion(StrEnum):
    """What is spoken with the broker; nothing depends on 5."""

    V3_1_1 = "3.1.1"
    V5 = "5"


class RequestFormat(StrEnum):
    """How a question is written."""

    JSON = "json"
    FORM = "form"


class WhenNoAnswer(StrEnum):
    """What becomes of somebody whose code could not be asked about."""

    GUARD = "guard"  # refer to the guard
    REFUSE = "refuse"  # deny


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
class JournalConfig:
    """How much of the disk records may take. What goes first when it is too much: what the office has, then doors, devices,
    passages and cards that it does not have; never a visit or an alarm that it does not have."""

    max_mb: Annotated[int, Meta(description="Records may take so much", ge=16, le=1_000_000, extra={"unit": "MB"})] = (
        2048
    )
    min_free_mb: Annotated[
        int, Meta(description="So much of the disk stays free", ge=1, le=1_000_000, extra={"unit": "MB"})
    ] = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """The MQTT broker on the way to the office. With `ca_file` the gate speaks TLS with it or not at all. The password never
    stands in this file: it is in `password_file`, or in the environment as MENSHEN_BROKER_PASSWORD."""

    host: Annotated[
        str, Meta(description="Its name or address", min_length=1, max_length=253, pattern=r"^[^\s/@\x00]+\Z")
    ]
    port: Annotated[
        int | None,
        Meta(description="Its TCP port; when left out, 8883 with ca_file and 1883 without", ge=1, le=65535),
    ] = None
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
    certificate_file: Annotated[
        Path | None,
        Meta(
            description="This gate's own certificate (PEM), where the broker asks for one; its name (CN) is the gate's id"
        ),
    ] = None
    key_file: Annotated[
        Path | None, Meta(description="Its key (PEM, not encrypted), which others must not be able to read")
    ] = None
    plaintext: Annotated[
        bool,
        Meta(
            description="Go to a broker on another machine without TLS, where anybody on the way can read and change everything"
        ),
    ] = False
    password: str | None = field(default=None, repr=False)

    @property
    def tls(self) -> TlsFiles | None:
        """What TLS needs; None: without."""
        if self.ca_file is None:
            return None
        return TlsFiles(ca_file=self.ca_file, certificate_file=self.certificate_file, key_file=self.key_file)

    @property
    def tcp_port(self) -> int:
        """The port to connect to."""
        return self.port or (PLAIN_PORT if self.ca_file is None else PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostConfig(BrokerConfig):
    """The guard post, and the broker on the local network where it hears this gate (docs/guard-post.md). The post works without the office,
    so this is another broker than [broker]."""

    keys: Annotated[
        tuple[Annotated[str, Meta(description="64 hexadecimal digits", pattern=r"^[0-9a-fA-F]{64}\Z")], ...],
        Meta(
            description="The posts' public Ed25519 keys, 64 hexadecimal digits each (menshen post key prints them); they verify "
            "heartbeats and acknowledgements, and nothing else",
            min_length=1,
            max_length=16,
        ),
    ]

    @property
    def post_keys(self) -> "tuple[Ed25519PublicKey, ...]":
        """The same, to verify with."""
        return _public_keys(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustConfig:
    """Whose word this gate takes for everything else: the office's, by its public keys."""

    office_keys: Annotated[
        tuple[Annotated[str, Meta(description="64 hexadecimal digits", pattern=r"^[0-9a-fA-F]{64}\Z")], ...],
        Meta(
            description="The office's public Ed25519 keys, 64 hexadecimal digits each; they verify trust lists, directories and commands. "
            "Without one no list can be imported, no command is taken, and passes and certificates are for the guard",
            max_length=16,
        ),
    ] = ()

    @property
    def keys(self) -> "tuple[Ed25519PublicKey, ...]":
        """The same, to verify with."""
        return _public_keys(self.office_keys)


def _public_keys(keys: tuple[str, ...]) -> "tuple[Ed25519PublicKey, ...]":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return tuple(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in keys)


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
class PageConfig:
    """The guard's page, served by the gate itself on the local network. Without this section there is none. Who may log in:
    menshen gate guard."""

    host: Annotated[
        str,
        Meta(
            description="The address to serve at; 0.0.0.0: at all of this machine's",
            min_length=1,
            max_length=64,
            pattern=r"^[0-9A-Za-z.:-]+\Z",
        ),
    ] = "0.0.0.0"  # noqa: S104  a tablet is another machine
    port: Annotated[int, Meta(description="Its TCP port", ge=1, le=65535)] = 8443
    names: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")], ...],
        Meta(description="The host names it is opened by, besides addresses; others are refused", max_length=16),
    ] = ()
    certificate_file: Annotated[
        Path | None,
        Meta(description="Its certificate (PEM), good for a server; when left out, that of [broker]"),
    ] = None
    key_file: Annotated[
        Path | None, Meta(description="Its key (PEM, not encrypted), which others must not be able to read")
    ] = None
    guards_file: Annotated[
        Path | None, Meta(description="Who may log in (menshen gate guard); default: guards.json in data_dir")
    ] = None
    plaintext: Annotated[bool, Meta(description="Serve without TLS; only at 127.0.0.1")] = False
    idle_min: Annotated[
        int,
        Meta(
            description="A log-in ends after so long without a tap that does something",
            ge=5,
            le=720,
            extra={"unit": "min"},
        ),
    ] = 240
    longest_h: Annotated[int, Meta(description="A log-in ends after so many hours in any case", ge=1, le=24)] = 13
    keep_days: Annotated[
        int,
        Meta(
            description="How long the names of registered visitors are kept, at this gate alone",
            ge=1,
            le=3650,
            extra={"unit": "d"},
        ),
    ] = 30

    def guards(self, data_dir: Path) -> Path:
        """The file of those who may log in."""
        return self.guards_file or data_dir / "guards.json"

    def certificate(self, broker: BrokerConfig) -> tuple[Path | None, Path | None]:
        """Certificate and key; none when it serves without TLS."""
        if self.plaintext:
            return None, None
        if self.certificate_file is None and self.key_file is None:
            return broker.certificate_file, broker.key_file
        return self.certificate_file, self.key_file


Words = tuple[Annotated[str, Meta(description="1 to 64 characters", min_length=1, max_length=64)], ...]
"""Values of an answer."""


def _words(meaning: str) -> Meta:
    return Meta(description=f"Values that mean: {meaning}", max_length=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverConfig:
    """A service that is asked about health codes, over HTTPS, with POST. What was scanned goes into one field of the question and nowhere else."""

    name: str = ""
    pattern: Annotated[
        str,
        Meta(
            description="What its codes look like: literal text with one {code}, which is what is sent",
            min_length=1,
            max_length=512,
            pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z",
        ),
    ]
    code_characters: Annotated[
        str,
        Meta(
            description="What {code} may hold besides the letters A-Z and a-z and digits",
            max_length=64,
            pattern=r"^[!-/:-@\[-`{-~]*\Z",
        ),
    ] = "-_."
    code_min_length: Annotated[int, Meta(description="Characters of the shortest {code}", ge=1, le=2048)] = 1
    code_max_length: Annotated[int, Meta(description="Characters of the longest {code}", ge=1, le=2048)] = 256
    endpoint: Annotated[
        str,
        Meta(
            description="The address that is asked, https:// (http:// only on this machine)",
            max_length=1024,
            pattern=r"^[!-~]+\Z",
        ),
    ]
    request_format: Annotated[RequestFormat, Meta(description="How the question is written")] = RequestFormat.JSON
    request_field: Annotated[
        str, Meta(description="The field of the question that holds {code}", min_length=1, max_length=64)
    ]
    request: Annotated[
        dict[str, str | int | bool],
        Meta(description='Further fields, always the same, such as { appId = "gate" }', max_length=32),
    ] = field(default_factory=dict)
    token_file: Annotated[
        Path | None, Meta(description="A file that holds the bearer token (RFC 6750) and nothing else")
    ] = None
    ca_file: Annotated[
        Path | None,
        Meta(
            description="The authorities that may have signed the server's certificate (PEM); without it the system's"
        ),
    ] = None
    certificate_file: Annotated[
        Path | None, Meta(description="The gate's own certificate (PEM), where the server asks for one")
    ] = None
    key_file: Annotated[Path | None, Meta(description="Its key (PEM, not encrypted)")] = None
    answer_field: Annotated[
        str,
        Meta(
            description="Where the JSON answer has the state: names with dots between them, numbers count in a list from 0; "
            "JSON inside a text is looked into",
            min_length=1,
            max_length=256,
        ),
    ]
    green: Annotated[Words, _words("green")] = ("green",)
    yellow: Annotated[Words, _words("yellow")] = ("yellow",)
    red: Annotated[Words, _words("red")] = ("red",)
    expired: Annotated[Words, _words("this code is over; show a new one")] = ("expired",)
    not_found: Annotated[Words, _words("there is no such code")] = ("not-found",)
    failed: Annotated[Words, _words("the service could not check it")] = ("failed",)
    timeout_s: Annotated[
        float,
        Meta(
            description="All of it, from the name's look-up to the answer's last byte, takes no longer; "
            "below reading_valid_s of [policy.visit]",
            ge=0.2,
            le=20,
            extra={"unit": "s"},
        ),
    ] = 3.0
    cache_s: Annotated[
        float,
        Meta(description="For so long an answer is not asked for again", ge=0, le=3600, extra={"unit": "s"}),
    ] = 60.0
    offline_cache_s: Annotated[
        float,
        Meta(
            description="For so long the last answer stands in when there is none; 0: never",
            ge=0,
            le=86400,
            extra={"unit": "s"},
        ),
    ] = 0.0
    when_no_answer: Annotated[
        WhenNoAnswer, Meta(description="When there is no answer either way: guard, or refuse")
    ] = WhenNoAnswer.GUARD
    token: str | None = field(default=None, repr=False)

    @property
    def around(self) -> tuple[str, str]:
        """What stands before and behind {code}."""
        before, _, behind = self.pattern.partition(CODE)
        return before, behind


CODE = "{code}"
"""The place of the code in a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """People by a script, for simulated devices. A real gate has no such section."""

    scenario: Annotated[Path, Meta(description="The scenes of a day (TOML; simulate.md, People for simulated devices)")]
    cast: Annotated[
        Path,
        Meta(description="What the people of the scenes carry: cards, codes, phones, by name (JSON; the same place)"),
    ]
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
    """A whole file. `sha256`: of its bytes, in hexadecimal; `source`: what stands in it, and `folder` where it is."""

    gate: IdentityConfig
    journal: JournalConfig
    broker: BrokerConfig
    post: PostConfig | None = None
    trust: TrustConfig
    voice: VoiceConfig
    policy: Policy
    devices: tuple[DeviceConfig, ...]
    resolvers: tuple[ResolverConfig, ...]
    page: PageConfig | None
    simulation: SimulationConfig | None
    sha256: str
    source: Source
    folder: Path

    @property
    def policy_version(self) -> str:
        """As records name the policy of this file."""
        return self.sha256[:16]


SECTIONS: dict[str, type[Any]] = {
    "gate": IdentityConfig,
    "journal": JournalConfig,
    "broker": BrokerConfig,
    "post": PostConfig,
    "trust": TrustConfig,
    "voice": VoiceConfig,
    "policy": Policy,
    "page": PageConfig,
    "simulation": SimulationConfig,
}
"""Every section but `devices` and `resolvers`."""
OPTIONAL: Final = frozenset({"page", "post", "simulation"})
"""Sections whose absence says that there is no such thing."""
