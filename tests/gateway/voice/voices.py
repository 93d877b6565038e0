"""Parts that the voice's tests share."""

from array import array
from pathlib import Path

import pytest

from drivers.sound.pcm import RATE
from drivers.sound.tones import tone
from gateway.config.lines import key_lines
from gateway.config.settings import (
    BrokerConfig,
    GateConfig,
    IdentityConfig,
    JournalConfig,
    Language,
    TrustConfig,
    VoiceConfig,
)
from gateway.config.source import Source
from gateway.core.policy import Policy
from gateway.voice.espeak import Engine, installed

ENGINES = {engine.name: engine for engine in installed()}
FIRST = next(iter(ENGINES.values()), None)
needs_a_voice = pytest.mark.skipif(
    FIRST is None, reason="neither the program espeak-ng nor the package espeakng-loader is installed"
)


def engine(name: str) -> Engine:
    """An engine of this machine, or the test is skipped."""
    if name not in ENGINES:
        pytest.skip(f"{name} is not installed")
    return ENGINES[name]


def config(folder: Path, *languages: Language, recordings: Path | None = None) -> GateConfig:
    """A gate's configuration as far as the voice reads it."""
    return GateConfig(
        gate=IdentityConfig(id="g", site="s", data_dir=folder, languages=languages or (Language.ZH, Language.EN)),
        journal=JournalConfig(),
        broker=BrokerConfig(host="127.0.0.1"),
        trust=TrustConfig(),
        resolvers=(),
        voice=VoiceConfig(recordings=recordings),
        policy=Policy(),
        devices=(),
        page=None,
        simulation=None,
        sha256="",
        source=Source("", "", {}, key_lines("")),
        folder=folder,
    )


def hum(seconds: float, rate: int = RATE, hertz: float = 440) -> "array[int]":
    """A tone at any rate."""
    return tone(hertz * RATE / rate, seconds * rate / RATE)
