"""What a post says, and how it sounds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.core.effects import Priority, Tone
from gateway.post.core import Say, Sound
from gateway.post.lines import KINDS, POST_BOOK, UNKNOWN
from gateway.voice import Silence, Voice
from gateway.voice.packs import Packs, load_packs
from gateway.voice.sounds import Sounds

if TYPE_CHECKING:
    from drivers.interfaces import Speaker
    from gateway.post.config import PostConfig


def packs_of(config: "PostConfig") -> Packs:
    """Its phrases. Raises ConfigError."""
    return load_packs(config.packs_folder, config.post.languages, POST_BOOK)


def names_of(config: "PostConfig", gate: str) -> Mapping[str, str]:
    """What a gate is called, as the packs have it."""
    followed = config.gates[gate]
    return {"gate_zh": followed.zh or gate, "gate_en": followed.en or gate}


def line_of(config: "PostConfig", kind: str, gate: str) -> tuple[str, Mapping[str, str]]:
    """The line for a kind of alarm at a gate, and its values; one that is not known is named by its word."""
    names = names_of(config, gate)
    return (kind, names) if kind in KINDS else (UNKNOWN, {**names, "kind": kind})


class Speech:
    """The core's sounds and lines, to the loudspeaker where there is one."""

    def __init__(self, config: "PostConfig", speaker: "Speaker | None") -> None:
        self._config = config
        self._tone: Tone | None = None
        self._voice: Voice | Silence = (
            Silence() if speaker is None else Voice(speaker, config.spoken, sounds=_sounds(config))
        )

    def start(self) -> None:
        """Begin."""
        if isinstance(self._voice, Voice):
            self._voice.start()

    def stop(self) -> None:
        """End."""
        if isinstance(self._voice, Voice):
            self._voice.stop()

    def sound(self, sound: Sound) -> None:
        """The tone that is to sound, and how loud."""
        if sound.tone is not self._tone and self._tone is not None:
            self._voice.tone(self._tone, on=False)
        self._voice.loud(sound.loud)
        if sound.tone is not self._tone and sound.tone is not None:
            self._voice.tone(sound.tone, on=True)
        self._tone = sound.tone

    def say(self, say: Say) -> None:
        """One line, in each language."""
        priority = Priority.FIRE if say.first else Priority.ALARM
        self._voice.say(*line_of(self._config, say.kind, say.gate), priority)


def _sounds(config: "PostConfig") -> Sounds:
    return Sounds(
        packs_of(config),
        tuple(str(lang) for lang in config.post.languages),
        config.post.data_dir / "voice",
        speed_wpm=config.voice.speed_wpm,
        volume_percent=config.voice.volume_percent,
    )
