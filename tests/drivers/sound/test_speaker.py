"""The loudspeaker with its real process, into a WAV file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.child import ChildMisbehaved
from drivers.readings import DeviceState, DeviceStatus
from drivers.sound.pcm import BLOCK, RATE, fallen, risen
from drivers.sound.settings import AnySpeakerSettings, LoudspeakerSettings, SimulatedLoudspeakerSettings
from drivers.sound.speaker import SpeakerProcess
from tests.drivers.listening import BRISK, Listener
from tests.drivers.processes import Watched
from tests.drivers.sound.sounds import level, played, told_apart, until, wav

GREETING, PHRASE, ALARM = 10, 20, 30


class Loudspeaker(Listener):
    """A loudspeaker under test."""

    def __init__(self, settings: AnySpeakerSettings) -> None:
        self.speaker = SpeakerProcess("speaker", settings, patience=BRISK)
        super().__init__(self.speaker)


def into(path: Path) -> Loudspeaker:
    """One that is a WAV file."""
    return Loudspeaker(SimulatedLoudspeakerSettings(path=str(path)))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the sound goes."""
    return tmp_path / "out.wav"


def test_files_are_played_whole_and_one_after_the_other(out: Path, tmp_path: Path) -> None:
    with into(out) as it:
        it.speaker.play((wav(tmp_path / "a.wav", 100, 0.2), wav(tmp_path / "b.wav", 200, 0.2)), GREETING)
        it.speaker.play((), GREETING)
        until(lambda: told_apart(played(out)) == [100, 200])
        assert it.until_state(DeviceState.OK) == DeviceStatus(DeviceState.OK)
    samples = played(out)
    whole = [fallen(risen(level(value, 0.2))) for value in (100, 200)]
    begins = next(at for at, sample in enumerate(samples) if sample) - 2  # of its soft beginning, the first two are 0
    assert samples[begins : begins + round(0.4 * RATE)] == whole[0] + whole[1]


def test_a_higher_priority_cuts_short_and_a_lower_one_waits(out: Path, tmp_path: Path) -> None:
    with into(out) as it:
        it.speaker.play((wav(tmp_path / "long.wav", 100, 30),), GREETING)
        until(lambda: played(out).count(100) > 2 * BLOCK)  # long enough to be told apart
        it.speaker.play((wav(tmp_path / "low.wav", 300, 0.1),), GREETING)
        it.speaker.play((wav(tmp_path / "high.wav", 200, 0.1),), PHRASE)
        until(lambda: told_apart(played(out)) == [100, 200, 300])
    assert played(out).count(100) < 20 * RATE


def test_what_waits_can_be_dropped(out: Path, tmp_path: Path) -> None:
    first, low, other = (wav(tmp_path / f"{level}.wav", level, 0.3) for level in (100, 200, 300))
    with into(out) as it:
        for name in (first, low, other):
            it.speaker.play((name,), GREETING)
        it.speaker.drop((low,), GREETING)
        it.speaker.drop((), GREETING)
        until(lambda: told_apart(played(out)) == [100, 300])


def test_a_loop_goes_on_until_it_is_stopped_and_speech_waits_below_it(out: Path, tmp_path: Path) -> None:
    tone = wav(tmp_path / "tone.wav", 100, 0.05)
    with into(out) as it:
        it.speaker.loop(tone, ALARM)
        it.speaker.loop(tone, ALARM)
        until(lambda: played(out).count(100) > RATE // 2)
        it.speaker.play((wav(tmp_path / "low.wav", 200, 0.1),), PHRASE)
        it.speaker.play((wav(tmp_path / "high.wav", 300, 0.1),), ALARM)
        until(lambda: told_apart(played(out)) == [100, 300, 100])
        it.speaker.stop_loop(tone)
        it.speaker.stop_loop("never was")
        until(lambda: told_apart(played(out)) == [100, 300, 100, 200])


def test_a_process_that_is_killed_is_replaced_and_its_loops_resume(out: Path, tmp_path: Path) -> None:
    tone, other = wav(tmp_path / "tone.wav", 100, 0.05), wav(tmp_path / "other.wav", 200, 0.05)
    with into(out) as it:
        it.speaker.loop(other, ALARM)
        it.speaker.loop(tone, PHRASE)
        until(lambda: 200 in played(out))
        it.until_state(DeviceState.OK)
        it.speaker.stop_loop(other)
        until(lambda: 100 in played(out))
        before = len(played(out))
        killed = Watched(it.speaker.pid)
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.ends()
        until(lambda: played(out)[before:].count(100) > RATE // 2)
        assert it.until_state(DeviceState.LOST).detail == "the sound's process ended by SIGKILL"
        it.until_state(DeviceState.OK, count=2)
        assert told_apart(played(out))[:2] == [200, 100], "what was heard before is kept"


def test_a_process_that_hangs_is_replaced(out: Path, tmp_path: Path) -> None:
    with into(out) as it:
        it.until_state(DeviceState.OK)
        hanging = Watched(it.speaker.pid)
        os.kill(hanging.pid, signal.SIGSTOP)
        assert hanging.ends()
        assert "fell silent" in it.until_state(DeviceState.LOST).detail
        it.speaker.play((wav(tmp_path / "a.wav", 100, 0.1),), GREETING)
        until(lambda: 100 in played(out))


def test_what_was_asked_while_there_was_no_process_is_said_if_it_is_not_too_late(out: Path, tmp_path: Path) -> None:
    it = into(out)
    it.speaker.play((wav(tmp_path / "a.wav", 100, 0.1),), GREETING)
    with it:
        until(lambda: told_apart(played(out)) == [100])


def test_a_file_that_cannot_be_played_is_named_once_and_skipped(
    out: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = str(tmp_path / "gone.wav")
    with into(out) as it:
        it.speaker.play((gone, wav(tmp_path / "a.wav", 100, 0.1)), GREETING)
        until(lambda: told_apart(played(out)) == [100])
        with pytest.raises(ValueError, match="NUL"):
            it.speaker.play(("a\0b",), GREETING)
    assert caplog.text.count(gone) == 2, "our prefix and the system's words, in one line"


GATE = """
import sys
from drivers.sound.settings import SimulatedLoudspeakerSettings
from drivers.sound.speaker import SpeakerProcess
speaker = SpeakerProcess("speaker", SimulatedLoudspeakerSettings(path=sys.argv[1]))
speaker.start(lambda _: print(speaker.pid, flush=True))
speaker.loop(sys.argv[2], 30)
while True:
    pass
"""


def test_an_alarm_goes_on_under_a_gate_that_hangs_and_ends_with_it(out: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", GATE, str(out), wav(tmp_path / "tone.wav", 100, 0.05)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as gate:
        assert gate.stdout is not None
        sound = Watched(int(gate.stdout.readline()))
        os.kill(gate.pid, signal.SIGSTOP)
        before = len(played(out))
        until(lambda: len(played(out)) > before + RATE)
        gate.kill()
        assert sound.ends()
    after = played(out)[before:]
    assert set(after[: len(after) - BLOCK]) == {100}, "without a gap"


def test_stopping_ends_the_process(out: Path) -> None:
    with into(out) as it:
        it.until_state(DeviceState.OK)
        process = Watched(it.speaker.pid)
        os.kill(process.pid, signal.SIGINT)  # meant for the gate alone
        os.kill(process.pid, signal.SIGTERM)
        assert not process.ends(0.1)
    assert process.ends(0)


# no sound card


@pytest.fixture
def _no_aplay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("_no_aplay")
def test_without_a_sound_card_it_goes_into_the_file_and_says_so_once(
    out: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Loudspeaker(LoudspeakerSettings(file=str(out))) as it:
        it.speaker.play((wav(tmp_path / "a.wav", 100, 0.1),), GREETING)
        until(lambda: told_apart(played(out)) == [100])
        it.until_state(DeviceState.OK)
    assert caplog.text.count(f"no sound card: the sound goes into {out}") == 1


@pytest.mark.usefixtures("_no_aplay")
@pytest.mark.parametrize(
    "settings, said",
    [
        (LoudspeakerSettings(), "no sound card, and no file to write instead"),
        (LoudspeakerSettings(device="plughw:9"), "aplay does not start: No such file or directory"),
    ],
)
def test_without_a_sound_card_or_file_it_is_lost_and_lives(settings: LoudspeakerSettings, said: str) -> None:
    with Loudspeaker(settings) as it:
        assert it.until_state(DeviceState.LOST).detail == said
        process = Watched(it.speaker.pid)
        it.speaker.play(("any.wav",), GREETING)
        assert not process.ends(1.5), "it is tried again, in the same process"
        assert it.speaker.tally.last_valid_ms is None, "a card that is not there is heard of by nobody"
        assert it.heard == [DeviceStatus(DeviceState.LOST, said)]


def test_silence_can_be_asked_for() -> None:
    with Loudspeaker(LoudspeakerSettings(device="null")) as it:
        it.until_state(DeviceState.OK)


def test_a_file_that_is_something_else_is_lost_and_left_alone(out: Path) -> None:
    out.write_text("letters")
    with into(out) as it:
        assert "holds something other than sound" in it.until_state(DeviceState.LOST).detail
    assert out.read_text() == "letters"


@pytest.mark.parametrize("packet", [b"", b"\xff\xfe", b"beat\0beat", b"state\0fine\0", b"x" * 60_000])
def test_a_process_that_talks_nonsense_is_killed(packet: bytes, out: Path) -> None:
    with pytest.raises(ChildMisbehaved):
        SpeakerProcess("speaker", SimulatedLoudspeakerSettings(path=str(out)))._hear(packet)


def test_the_gates_process_loads_little() -> None:
    check = "import sys, drivers.sound.speaker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.split()
    assert not {"wave", "numpy", "drivers.sound.mixer", "drivers.sound.sinks"} & set(loaded)
