"""The rendered voice, with the real espeak-ng: the program and the library."""

import subprocess
import sys
from pathlib import Path

import pytest

from drivers.sound.pcm import RATE, read_wav
from gateway.core.phrases import Phrase
from gateway.voice import espeak
from gateway.voice.errors import VoiceError
from gateway.voice.espeak import Engine, installed
from gateway.voice.packs import shipped
from tests.gateway.voice.voices import engine

ENGINES = pytest.mark.parametrize("name", ["espeak-ng", "espeakng-loader"])
SOME = {"celsius": "36.5", "number": "3", "bay": "2"}


@ENGINES
def test_no_chinese_phrase_is_spelt_as_english_letters(name: str) -> None:
    everything = "\n".join(shipped().spoken(phrase, SOME, "zh") for phrase in Phrase)
    phonemes = engine(name).phonemes(everything, "zh")
    assert "(en)" not in phonemes
    assert len(phonemes.split()) > 200


def test_that_check_finds_a_voice_that_spells(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cmn` of espeak-ng 1.51, for which the check is there."""
    voice = engine("espeak-ng")
    version = subprocess.run([*voice.command, "--version"], capture_output=True, text=True, check=True).stdout
    if " 1.51" not in version:
        pytest.skip("this is not espeak-ng 1.51")
    monkeypatch.setattr(espeak, "VOICES", {"zh": "cmn"})
    assert not voice.speaks_chinese()
    assert "(en)" in voice.phonemes("请通过", "zh")


@ENGINES
def test_the_point_of_a_temperature_is_spoken(name: str) -> None:
    with_point, without = (engine(name).phonemes(text, "zh") for text in ("三十六点五度", "三十六五度"))
    assert len(with_point.split()) == len(without.split()) + 1


@ENGINES
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_speech_in_the_one_format(name: str, lang: str, tmp_path: Path) -> None:
    text = shipped().spoken("granted-normal", SOME, lang)
    path = tmp_path / "x.wav"
    engine(name).render(text, lang, path, speed_wpm=160, volume_percent=100)
    samples = read_wav(str(path))
    assert 3 < len(samples) / RATE < 8
    assert max(samples) > 5000
    loud = sum(abs(sample) > 500 for sample in samples)
    assert loud > len(samples) / 5


@ENGINES
def test_speed_and_loudness(name: str, tmp_path: Path) -> None:
    def rendered(speed: int, volume: int) -> tuple[int, int]:
        engine(name).render("One moment, please.", "en", tmp_path / "x.wav", speed_wpm=speed, volume_percent=volume)
        samples = read_wav(str(tmp_path / "x.wav"))
        return len(samples), max(samples)

    slow, quick = rendered(100, 100), rendered(300, 30)
    assert slow[0] > 1.5 * quick[0]
    assert slow[1] > 2 * quick[1]


@ENGINES
def test_text_is_never_taken_for_an_option(name: str, tmp_path: Path) -> None:
    engine(name).render("-w /tmp/elsewhere --version", "en", tmp_path / "x.wav", speed_wpm=160, volume_percent=100)
    assert len(read_wav(str(tmp_path / "x.wav"))) > RATE


@ENGINES
def test_a_place_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "x.wav"
    try:
        engine(name).render("x", "en", path, speed_wpm=160, volume_percent=100)
    except VoiceError as error:
        assert name in str(error)
    assert not path.exists()


def test_engines_that_do_not_work() -> None:
    missing = Engine("missing", ("/nonexistent/espeak-ng",))
    with pytest.raises(VoiceError, match=r"missing: .*No such file"):
        missing.phonemes("x", "zh")
    failing = Engine("failing", (sys.executable, "-c", "import sys; sys.exit('no data folder')"))
    with pytest.raises(VoiceError, match="failing ended with 1: no data folder"):
        failing.phonemes("x", "zh")
    spelling = Engine("spelling", (sys.executable, "-c", "print('(en)tSaI(cmn)')"))
    assert not any(one.speaks_chinese() for one in (missing, failing, spelling))


def test_without_the_program_there_is_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine("espeakng-loader")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [one.name for one in installed()] == ["espeakng-loader"]
    assert next(installed()).speaks_chinese()
