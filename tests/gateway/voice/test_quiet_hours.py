"""Quiet hours from the core's decision to the samples: the real sound process, into a file."""

from pathlib import Path

import pytest

from drivers.sound.pcm import write_wav
from drivers.sound.settings import SimulatedLoudspeakerSettings
from drivers.sound.speaker import SpeakerProcess
from gateway.config.settings import Language
from gateway.core import effects, events
from gateway.voice.voice import Voice
from tests.drivers.listening import BRISK
from tests.drivers.sound.sounds import level, played, until
from tests.gateway.core.acting import Gate, at
from tests.gateway.voice.voices import config

RECORDED = 20_000  # the level of every recording here


@pytest.mark.parametrize(("hhmm", "percent"), [("10:00", 100), ("23:30", 50)])
def test_prompts_are_softer_at_night_and_alarms_are_not(tmp_path: Path, hhmm: str, percent: int) -> None:
    own = tmp_path / "own" / "en"
    own.mkdir(parents=True)
    for phrase in ("welcome", "night-welcome", "fire"):
        write_wav(own / f"{phrase}.wav", level(RECORDED, 0.5))
    out = tmp_path / "said.wav"
    speaker = SpeakerProcess("speaker", SimulatedLoudspeakerSettings(path=str(out)), patience=BRISK)
    voice = Voice(speaker, config(tmp_path, Language.EN, recordings=tmp_path / "own"))
    speaker.start(lambda _reading: None)
    voice.start()
    try:
        gate = Gate(now=at(hhmm))
        _let_hear(voice, gate.send(events.Presence(True)))
        until(lambda: played(out).count(RECORDED * percent // 100) > 5_000)
        assert max(played(out)) == RECORDED * percent // 100
        _let_hear(voice, gate.send(events.FireInput(True)))
        until(lambda: played(out).count(RECORDED) > (15_000 if percent == 100 else 5_000))
    finally:
        voice.stop()
        speaker.close()


def _let_hear(voice: Voice, found: list[effects.Effect]) -> None:
    """As the executor does, without the tones."""
    for effect in found:
        match effect:
            case effects.SetVolume(percent):
                voice.volume(percent)
            case effects.Say(phrase, priority, values):
                voice.say(phrase, values, priority)
