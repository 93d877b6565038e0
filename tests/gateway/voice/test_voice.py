"""The voice towards a loudspeaker that writes down what it is told."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from drivers.readings import DeviceState
from drivers.sound.pcm import read_wav, write_wav
from drivers.sound.tones import TONES as WAVEFORMS
from gateway.config.settings import Language
from gateway.core.effects import Priority, Tone
from gateway.core.phrases import Phrase
from gateway.voice.packs import SHIPPED, load_packs
from gateway.voice.sounds import Sounds
from gateway.voice.voice import MOST_WAITING, SPEECH, TONES, TOO_LATE_S, Silence, Voice
from tests.gateway.voice.voices import config, hum, needs_a_voice

WAIT_S = 30


class Loudspeaker:
    """Implements Speaker; every call is one entry of `told`."""

    state = DeviceState.OK

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[str, ...], int]] = []
        self._changed = threading.Condition()

    def _tell(self, what: str, wavs: tuple[str, ...], priority: int) -> None:
        with self._changed:
            self.told.append((what, wavs, priority))
            self._changed.notify_all()

    def play(self, wavs: tuple[str, ...], priority: int, percent: int = 100) -> None:
        self.percent = percent
        self._tell("play", wavs, priority)

    def drop(self, wavs: tuple[str, ...], priority: int) -> None:
        self._tell("drop", wavs, priority)

    def loop(self, wav: str, priority: int, percent: int = 100) -> None:
        self.percent = percent
        self._tell("loop", (wav,), priority)

    def stop_loop(self, wav: str) -> None:
        self._tell("stop", (wav,), 0)

    def close(self) -> None:
        self._tell("close", (), 0)

    def wait(self, count: int) -> list[tuple[str, tuple[str, ...], int]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, WAIT_S)
            return list(self.told)


class Held(Sounds):
    """Sounds that wait, each time, until the test lets them go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(load_packs(SHIPPED), ("en",), folder, engines=list)
        self.asked: list[str] = []
        self.began = threading.Event()
        self.go = threading.Event()

    @staticmethod
    def fixed(_lang: str) -> list[str]:
        return []

    def file(self, phrase: str, values: Mapping[str, str], lang: str) -> Path | None:
        self.asked.append(phrase)
        self.began.set()
        assert self.go.wait(WAIT_S)
        return Path(f"/{lang}/{phrase}.wav")


class Stage:
    """A voice on its own, with sounds that are held and a clock that stands."""

    def __init__(self, folder: Path) -> None:
        self.now_s = 100.0
        self.speaker = Loudspeaker()
        self.sounds = Held(folder / "voice")
        self.voice = Voice(self.speaker, config(folder, Language.EN), sounds=self.sounds, now_s=lambda: self.now_s)

    def say_while_busy(self, *said: tuple[str, Priority]) -> None:
        """The first is being looked for while the others come."""
        (phrase, priority), *others = said
        self.voice.say(phrase, {}, priority)
        assert self.sounds.began.wait(WAIT_S)
        for phrase, priority in others:
            self.voice.say(phrase, {}, priority)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[[], Stage]]:
    made: list[Stage] = []

    def make() -> Stage:
        made.append(Stage(tmp_path))
        made[0].voice.start()
        return made[0]

    yield make
    for each in made:
        each.sounds.go.set()
        each.voice.stop()


def test_the_order_of_priorities() -> None:
    order = [Priority.SLOGAN, Priority.CHIME, Priority.PROMPT, Priority.REFUSAL, Priority.ALARM, Priority.FIRE]
    assert sorted(SPEECH, key=SPEECH.__getitem__) == order
    assert len(set(SPEECH.values())) == len(Priority)
    assert set(TONES) == set(Tone)
    assert set(Tone) == set(WAVEFORMS)
    # the night's sound is spoken over by every phrase; an alarm silences prompts, and refusals are spoken over it
    assert TONES[Tone.NIGHT] <= SPEECH[Priority.CHIME]
    assert SPEECH[Priority.PROMPT] < TONES[Tone.ALARM] <= SPEECH[Priority.REFUSAL]
    assert TONES[Tone.EVACUATION] > SPEECH[Priority.ALARM]


def test_an_alarm_goes_before_what_waits(stage: Callable[[], Stage]) -> None:
    on = stage()
    on.say_while_busy(
        ("welcome", Priority.PROMPT),
        ("goodbye", Priority.CHIME),
        ("show-pass", Priority.PROMPT),
        ("door-forced", Priority.ALARM),
        ("unknown-card", Priority.REFUSAL),
        ("fire", Priority.FIRE),
        ("register", Priority.PROMPT),
    )
    on.sounds.go.set()
    told = on.speaker.wait(7)
    assert [Path(wavs[0]).stem for _, wavs, _ in told] == [
        "welcome",
        "fire",
        "door-forced",
        "unknown-card",
        "show-pass",
        "register",
        "goodbye",
    ]
    assert [priority for _, _, priority in told] == [2, 5, 4, 3, 2, 2, 1]


def test_what_comes_too_late_is_not_said(stage: Callable[[], Stage]) -> None:
    on = stage()
    on.say_while_busy(("welcome", Priority.PROMPT), ("show-pass", Priority.PROMPT))
    on.now_s += TOO_LATE_S + 0.1
    on.voice.say("granted", {}, Priority.PROMPT)
    on.sounds.go.set()
    assert on.speaker.wait(1) == [("play", ("/en/granted.wav",), 2)]
    assert on.sounds.asked == ["welcome", "granted"]  # the second was not even looked for


def test_what_is_unsaid_is_not_said_but_for_what_is_more_than_a_prompt(stage: Callable[[], Stage]) -> None:
    on = stage()
    on.say_while_busy(
        ("welcome", Priority.CHIME),  # while its sound is looked for
        ("show-pass", Priority.REFUSAL),  # as at the exit button
        ("show-pass", Priority.PROMPT),
        ("show-forehead", Priority.PROMPT),
        ("granted", Priority.PROMPT),
    )
    on.voice.unsay(frozenset({"welcome", "show-pass", "show-forehead"}))
    on.voice.say("show-forehead", {}, Priority.PROMPT)  # to who comes next
    on.sounds.go.set()
    told = on.speaker.wait(3)
    assert [(Path(wavs[0]).stem, priority) for _, wavs, priority in told] == [
        ("show-pass", 3),
        ("granted", 2),
        ("show-forehead", 2),
    ]
    on.voice.unsay(frozenset({"show-pass", "show-forehead"}))
    assert on.speaker.told[3:] == [("drop", ("/en/show-forehead.wav",), 2)], "it may still wait at the loudspeaker"


def test_too_much_is_said_to_nobody_but_alarms_are(stage: Callable[[], Stage]) -> None:
    on = stage()
    on.say_while_busy(("welcome", Priority.PROMPT), *[("show-pass", Priority.PROMPT)] * (MOST_WAITING + 50))
    on.voice.say("fire", {}, Priority.FIRE)
    on.sounds.go.set()
    told = on.speaker.wait(MOST_WAITING + 2)
    assert len(told) == MOST_WAITING + 2
    assert told[1] == ("play", ("/en/fire.wav",), 5)


def test_a_fault_in_one_phrase_does_not_end_the_voice(
    stage: Callable[[], Stage], caplog: pytest.LogCaptureFixture
) -> None:
    on = stage()
    on.sounds.go.set()
    file = on.sounds.file
    on.sounds.file = lambda phrase, values, lang: 1 / 0 if phrase == "fire" else file(phrase, values, lang)  # type: ignore[method-assign, assignment, return-value]  # a fault
    on.voice.say("fire", {}, Priority.FIRE)
    on.voice.say("granted", {}, Priority.PROMPT)
    assert on.speaker.wait(1) == [("play", ("/en/granted.wav",), 2)]
    assert "a step failed" in caplog.text


def test_saying_never_waits(stage: Callable[[], Stage]) -> None:
    """With the worker held fast, every call comes back: were it to wait, this test would never end."""
    on = stage()
    on.say_while_busy(("welcome", Priority.PROMPT))
    for tone in Tone:
        on.voice.tone(tone, True)
        on.voice.tone(tone, False)
    for phrase in Phrase:
        on.voice.say(phrase, {"celsius": "36.5"}, Priority.PROMPT)
    assert on.sounds.asked == ["welcome"]


def test_tones_begin_as_soon_as_they_are_made(tmp_path: Path) -> None:
    speaker = Loudspeaker()
    voice = Voice(speaker, config(tmp_path, Language.EN), sounds=Held(tmp_path / "voice"))
    voice.tone(Tone.ALARM, True)
    voice.tone(Tone.NIGHT, True)
    voice.tone(Tone.NIGHT, False)
    assert speaker.told == []
    voice.start()
    try:
        ((what, (wav,), priority),) = speaker.wait(1)
        assert (what, priority) == ("loop", TONES[Tone.ALARM])
        assert read_wav(wav) == WAVEFORMS["alarm"]()
        voice.tone(Tone.ALARM, False)
        assert speaker.wait(2)[1] == ("stop", (wav,), 0)
    finally:
        voice.stop()


@pytest.mark.parametrize("damage", [b"", b"RIFF"])
def test_a_tone_that_a_power_cut_has_emptied_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    for _ in range(2):
        speaker = Loudspeaker()
        voice = Voice(speaker, config(tmp_path, Language.EN), sounds=Held(tmp_path / "voice"))
        voice.tone(Tone.EVACUATION, True)
        voice.start()
        ((_, (wav,), _),) = speaker.wait(1)
        voice.stop()
        assert read_wav(wav) == WAVEFORMS["evacuation"]()
        Path(wav).write_bytes(damage)


@needs_a_voice
def test_each_language_one_after_the_other_with_the_real_voice(tmp_path: Path) -> None:
    speaker = Loudspeaker()
    voice = Voice(speaker, config(tmp_path, Language.ZH, Language.EN))
    voice.start()
    try:
        voice.say("fever", {"celsius": "38.4"}, Priority.REFUSAL)
        ((what, wavs, priority),) = speaker.wait(1)
    finally:
        voice.stop()
    assert (what, priority) == ("play", 3)
    assert [Path(wav).name.split("-")[1] for wav in wavs] == ["zh", "en"]
    assert all(max(read_wav(wav)) > 3000 for wav in wavs)


def test_a_recording_is_played(tmp_path: Path) -> None:
    (tmp_path / "own" / "en").mkdir(parents=True)
    write_wav(tmp_path / "own" / "en" / "granted.wav", hum(0.5))
    speaker = Loudspeaker()
    voice = Voice(speaker, config(tmp_path, Language.EN, recordings=tmp_path / "own"))
    voice.start()
    try:
        voice.say("granted", {}, Priority.PROMPT)
        ((_, (wav,), _),) = speaker.wait(1)
    finally:
        voice.stop()
    assert read_wav(wav) == hum(0.5)


def test_a_gate_without_a_loudspeaker() -> None:
    silence = Silence()
    assert silence.unsay(frozenset()) is None  # type: ignore[func-returns-value]  # likewise
    assert silence.say("fire", {}, Priority.FIRE) is None  # type: ignore[func-returns-value]  # it must be callable, and do nothing
    assert silence.tone(Tone.EVACUATION, True) is None  # type: ignore[func-returns-value]  # likewise
