"""The sound's real process before a model of a sound card: how soon an alarm is heard, a card that is pulled out, one that is not there."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.readings import DeviceState
from drivers.sound import process
from drivers.sound.pcm import EDGE, RATE
from drivers.sound.settings import LoudspeakerSettings
from drivers.sound.speaker import SpeakerProcess
from drivers.sound.wire import pack
from tests.drivers.listening import BRISK, Listener
from tests.drivers.sound.card import Card
from tests.drivers.sound.sounds import level, loudest_step, played, until, wav

PROMPT, ALARM = "2", "4"
SPEECH_LEVEL, ALARM_LEVEL = 3_000, 9_000
TRIALS = 12
LONGEST_MS = 100


class Process:
    """The sound's process, without anybody between: what is sent has arrived."""

    def __init__(self, card: Card) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "drivers.sound.process"]
        env = {**os.environ, "PATH": card.path, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(command, stdin=theirs.fileno(), env=env)
        theirs.close()
        self.order("open", "plughw:CARD=Device", "")

    def order(self, *words: str) -> None:
        """Give an order."""
        self._ours.send(pack(*words))

    def end(self) -> None:
        """The gate has gone."""
        self._ours.close()
        self._process.wait(20)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    """One that plays when it is told to."""
    card = Card(tmp_path / "card", by_hand=True)
    yield card
    card.close()


def test_an_alarm_cuts_speech_short_within_a_tenth_of_a_second_and_without_a_click(card: Card, tmp_path: Path) -> None:
    """In samples at the loudspeaker, from the order to silence and to the alarm; at every phase of what lies between."""
    speech, tone = wav(tmp_path / "speech.wav", SPEECH_LEVEL, 30), wav(tmp_path / "tone.wav", ALARM_LEVEL, 0.5)
    sound = Process(card)
    silent, sounding = [], []
    try:
        for trial in range(TRIALS):
            sound.order("play", PROMPT, str(2**62), "100", speech)  # never too late
            card.play(30)
            until_heard(card, SPEECH_LEVEL)
            card.play(1 + trial % 3)
            before = len(card.heard())
            sound.order("loop", ALARM, "100", tone)
            card.play(30)
            after = card.heard()[before:]
            silent.append(1000 * after.index(0) / RATE)
            sounding.append(1000 * after.index(ALARM_LEVEL) / RATE)
            sound.order("stop", tone)
            card.play(30)
    finally:
        sound.end()
    within = f"silent after {min(silent):.0f} to {max(silent):.0f} ms, alarm after {min(sounding):.0f} to {max(sounding):.0f}"
    assert max(silent) <= LONGEST_MS, within
    assert max(sounding) <= LONGEST_MS + 25, within  # a block, and its own soft beginning
    assert loudest_step(card.heard()) <= ALARM_LEVEL // EDGE + 2, "it clicks"


def until_heard(card: Card, wanted: int) -> None:
    """Let pass what must until it is heard."""
    for _ in range(500):
        if card.heard()[-1] == wanted:
            return
        card.play(1)
    raise AssertionError(f"{wanted} was never heard")


class Loudspeaker(Listener):
    """A loudspeaker on a card."""

    def __init__(self, settings: LoudspeakerSettings) -> None:
        self.speaker = SpeakerProcess("speaker", settings, patience=BRISK)
        super().__init__(self.speaker)


def test_a_card_that_is_pulled_out_is_lost_and_the_alarm_goes_on_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(tmp_path / "card")
    monkeypatch.setenv("PATH", card.path)
    tone = wav(tmp_path / "tone.wav", ALARM_LEVEL, 0.5)
    with Loudspeaker(LoudspeakerSettings(device="plughw:CARD=Device")) as it:
        it.speaker.loop(tone, 4)
        until(lambda: ALARM_LEVEL in card.heard())
        it.until_state(DeviceState.OK)
        pid = it.speaker.pid
        card.unplug()
        assert it.until_state(DeviceState.LOST).detail == "aplay: pcm_write:2127: write error: No such device"
        before = len(card.heard())
        card.plug()
        it.until_state(DeviceState.OK, count=2)
        until(lambda: ALARM_LEVEL in card.heard()[before:])
        assert it.speaker.pid == pid, "the same process all along"


def test_a_card_that_is_not_there_is_lost_and_those_that_are_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(tmp_path / "card")
    monkeypatch.setenv("PATH", card.path)
    with Loudspeaker(LoudspeakerSettings(device="plughw:CARD=Speaker")) as it:
        assert it.until_state(DeviceState.LOST).detail == (
            "there is no sound card Speaker; there are: plughw:CARD=Device (USB Audio Device)"
        )
    card.unplug()
    with Loudspeaker(LoudspeakerSettings(device="plughw:CARD=Device")) as it:
        assert it.until_state(DeviceState.LOST).detail == "there is no sound card Device; there are: none"


def test_a_file_that_stands_in_for_a_card_gives_way_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(tmp_path / "card")
    card.unplug()
    monkeypatch.setenv("PATH", card.path)
    monkeypatch.setattr(process, "RETRY_LONGEST_S", 0.0)
    told: list[str] = []
    output = process.Output(process.opener("auto", str(tmp_path / "said.wav"), told.append), lambda *_: None)
    try:
        output.wait()
        output.write(level(7, 0.02))
        assert played(tmp_path / "said.wav") == level(7, 0.02)
        card.plug()
        for _ in range(500):
            output.wait()
            output.write(level(7, 0.02))
            if 7 in card.heard():
                break
        assert 7 in card.heard()
    finally:
        output.close()
    assert len(told) == 1
