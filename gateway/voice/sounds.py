"""The sound of each phrase as a WAV file: a person's recording, else rendered once and kept. Slow: for one worker thread.

A file's name holds the hash of everything that makes its sound, so nothing needs to be invalidated. The phrases without
values are few and stay; those with values ("36.5") are kept up to a number, the longest unused going first.
"""

import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from drivers.sound.pcm import RATE, BadSound, read_wav, write_wav
from gateway.config.tables import nearest
from gateway.core.phrases import LONGEST_S, SLOGAN
from gateway.voice.errors import VoiceError
from gateway.voice.espeak import Engine, installed
from gateway.voice.packs import Packs
from gateway.voice.recordings import read_recording

logger = logging.getLogger("menshen.voice")
MOST_WITH_VALUES: Final = 64
_VERSION: Final = "1"  # raise it when something else changes how phrases sound
EXAMPLES: Final = {"celsius": "36.5", "number": "120", "bay": "12"}
"""Values as long as they come, to tell how long a phrase takes that carries them."""
_LEAST_SAMPLES: Final = RATE // 5  # less is no phrase
LEAST_ROOM: Final = 8 * 1024 * 1024  # bytes of a disk; the last ones are left to the journal


class TooLong(VoiceError):
    """It takes longer than people listen."""


class Sounds:
    """Finds, renders and keeps."""

    def __init__(
        self,
        packs: Packs,
        languages: Sequence[str],
        folder: Path,
        *,
        recordings: Path | None = None,
        speed_wpm: int = 160,
        volume_percent: int = 100,
        engines: Callable[[], Iterable[Engine]] = installed,
    ) -> None:
        self._packs = self._own = packs
        self._reworded: frozenset[tuple[str, str]] = frozenset()
        self._languages = languages
        self._folder = folder
        self._recordings = recordings
        self._speed_wpm = speed_wpm
        self._volume_percent = volume_percent
        self._engines = engines
        self._engine: Engine | None = None
        self._recorded: dict[tuple[str, str], Path] = {}
        self._proven: set[Path] = set()
        self._with_values: OrderedDict[Path, None] = OrderedDict()
        self._told: set[str] = set()

    def prepare(self) -> None:
        """Find a voice and the recordings. What is missing is logged, and the gate goes on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._engine = next((engine for engine in self._engines() if engine.speaks_chinese()), None)
        if self._engine is None:
            logger.warning(
                "no voice: neither the program espeak-ng nor the package espeakng-loader works here (apt install "
                "espeak-ng); the gate goes on with its tones and with recordings"
            )
        for lang in self._languages:
            self._take_recordings(lang)

    def reword(self, wordings: Mapping[tuple[str, str], str]) -> None:
        """Say these (language, phrase) in these words, and all others as the packs have them. From any thread. Raises
        VoiceError for what is no wording; then nothing has changed."""
        self._packs = self._own.reworded(wordings)
        self._reworded = frozenset(wordings)

    def fixed(self, lang: str) -> list[str]:
        """The phrases that always sound the same."""
        return self._packs.book.fixed() + self._packs.slogans(lang)

    def forget_others(self) -> None:
        """Count what is in the folder and is none of the fixed phrases among those that are kept up to a number."""
        known = {
            self._path(phrase, self._packs.spoken(phrase, {}, lang), lang)
            for lang in self._languages
            for phrase in self.fixed(lang)
        }
        kept = known | set(self._recorded.values())
        for path in sorted(self._folder.glob("say-*.wav"), key=lambda path: path.stat().st_mtime):
            if path not in kept:
                self._keep(path)

    def file(self, phrase: str, values: Mapping[str, str], lang: str) -> Path | None:
        """The phrase's sound; None when it cannot be had, which is logged once. Raises VoiceError for what is no phrase."""
        text = self._packs.spoken(phrase, values, lang)
        try:
            return self._found(phrase, text, lang, kept=not values)
        except (VoiceError, OSError) as error:
            self._tell_once(f"{lang}/{phrase} cannot be spoken: {error}")
            return None

    def long_phrases(self, slogans: Iterable[str]) -> list[str]:
        """Which phrases, and which of these slogans, take too long in a language, and why each does. Those that cannot be spoken
        here are passed over: nobody can tell how long they take."""
        wanted = {lang: [*self._packs.book.phrases, *self._packs.slogans(lang)] for lang in self._languages}
        asked = {*self._packs.book.phrases, *slogans}
        both = [(phrase, lang) for lang, phrases in wanted.items() for phrase in phrases if phrase in asked]
        return [f"{lang}/{phrase}: {why}" for phrase, lang in both if (why := self._too_long(phrase, lang))]

    def _too_long(self, phrase: str, lang: str) -> str:
        values = {value: EXAMPLES.get(value, "") for value in self._packs.book.values.get(phrase, ())}
        try:
            path = self._found(phrase, self._packs.spoken(phrase, values, lang), lang, kept=True)
            if path is not None:
                _refuse_long(path)
        except TooLong as error:
            return str(error)
        except (VoiceError, OSError) as error:
            self._tell_once(f"{lang}/{phrase} cannot be spoken: {error}")
        return ""

    def _found(self, phrase: str, text: str, lang: str, *, kept: bool) -> Path | None:
        """The recording, or what was rendered; None without a voice. Raises VoiceError, OSError."""
        path = self._recorded.get((lang, phrase))
        if path is None or (lang, phrase) in self._reworded:
            path = self._path(phrase, text, lang)
            if not self._is_whole(path) and not self._render(text, lang, path):
                return None
            if not kept:
                self._keep(path)
        if phrase.startswith(SLOGAN):
            _refuse_long(path)
        return path

    def _path(self, phrase: str, text: str, lang: str) -> Path:
        made_of = "\0".join((_VERSION, lang, str(self._speed_wpm), str(self._volume_percent), text))
        return self._folder / f"say-{lang}-{phrase}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.wav"

    def _render(self, text: str, lang: str, path: Path) -> bool:
        if self._engine is None:
            return False
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < LEAST_ROOM:
            raise VoiceError(f"the disk of {self._folder} is nearly full, and what room is left is the journal's")
        unfinished = path.with_suffix(".part")
        try:
            self._engine.render(text, lang, unfinished, speed_wpm=self._speed_wpm, volume_percent=self._volume_percent)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        if not self._is_whole(path):
            path.unlink()
            raise VoiceError(f"{self._engine.name} made no sound of {text!r}")
        return True

    def _is_whole(self, path: Path) -> bool:
        """Whether it is there, and (looked at once) plays: a power cut may have left a file without its content."""
        if not path.exists():
            return False
        if path in self._proven:
            return True
        try:
            samples = read_wav(str(path))
        except BadSound:
            return False
        if len(samples) < _LEAST_SAMPLES or not any(samples):
            return False
        self._proven.add(path)
        return True

    def _keep(self, path: Path) -> None:
        self._with_values[path] = None
        self._with_values.move_to_end(path)
        while len(self._with_values) > MOST_WITH_VALUES:
            oldest, _ = self._with_values.popitem(last=False)
            self._proven.discard(oldest)
            oldest.unlink(missing_ok=True)

    def _take_recordings(self, lang: str) -> None:
        if self._recordings is None or not (self._recordings / lang).is_dir():
            return
        for path in sorted((self._recordings / lang).glob("*.wav")):
            if path.stem not in self._known(lang):
                near = nearest(path.stem, self._known(lang))
                logger.warning(
                    "recording %s: there is no such phrase%s", path, f"; did you mean {near}?" if near else ""
                )
                continue
            try:
                self._recorded[lang, path.stem] = self._take_recording(path, lang)
            except (BadSound, OSError) as error:
                logger.warning("recording not used, the rendered voice speaks instead: %s", error)

    def _known(self, lang: str) -> list[str]:
        return [*self._packs.book.phrases, *self._packs.slogans(lang)]

    def _take_recording(self, path: Path, lang: str) -> Path:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        ours = self._folder / f"say-{lang}-{path.stem}-recorded-{digest}.wav"
        if not self._is_whole(ours):
            write_wav(ours, read_recording(path))
        return ours

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            logger.warning(text)


def _refuse_long(path: Path) -> None:
    """What is too long to be heard to its end. Raises TooLong."""
    duration_s = len(read_wav(str(path))) / RATE
    if duration_s > LONGEST_S:
        raise TooLong(f"it takes {duration_s:.1f} s, and may take {LONGEST_S:g}: shorten it")
