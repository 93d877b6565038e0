"""The gate's voice: phrases in each of the site's languages, and looped tones, to one loudspeaker.

`say` and `tone` only leave word; a thread of the voice's own finds the sounds. What comes too late is not said: it would
speak to somebody who has left.
"""

import itertools
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from drivers.interfaces import Speaker
from drivers.sound.pcm import BadSound, read_wav
from drivers.sound.tones import tone_file
from gateway.config.settings import Language, VoiceConfig
from gateway.core.effects import Priority, Tone
from gateway.voice.packs import SHIPPED, load_packs
from gateway.voice.sounds import Sounds

logger = logging.getLogger("menshen.voice")
TOO_LATE_S: Final = 4.0
TONE_PERCENT: Final = 60  # of an alarm's loudness, until nobody has acknowledged it for a while
MOST_WAITING: Final = 16  # more than that is said to nobody

SPEECH: Final[Mapping[Priority, int]] = {
    Priority.SLOGAN: 0,
    Priority.CHIME: 1,
    Priority.PROMPT: 2,
    Priority.REFUSAL: 3,
    Priority.ALARM: 4,
    Priority.FIRE: 5,
}
"""The loudspeaker's numbers: a higher one cuts a lower one short."""
TONES: Final[Mapping[Tone, int]] = {
    Tone.NIGHT: SPEECH[Priority.CHIME],  # the guard wakes, and the person at the gate still hears what to do
    Tone.PRE_ALARM: SPEECH[Priority.PROMPT],
    Tone.ALARM: SPEECH[Priority.REFUSAL],  # cuts greetings and prompts; whom the alarm is about still hears to wait
    Tone.EVACUATION: SPEECH[Priority.FIRE],
}
"""Speech of the same number or a higher one is spoken over a tone; a lower one is not heard."""


@dataclass(frozen=True, slots=True)
class _Saying:
    phrase: str
    values: Mapping[str, str]
    priority: int
    asked_s: float
    number: int


class Whose(Protocol):
    """Who speaks."""

    @property
    def languages(self) -> tuple[Language, ...]:
        """In which languages, one after the other."""

    @property
    def data_dir(self) -> Path:
        """Where sounds are kept, in a folder of their own."""


class Voicing(Protocol):
    """What the voice needs of a gate's configuration."""

    @property
    def gate(self) -> Whose:
        """Who speaks."""

    @property
    def voice(self) -> VoiceConfig:
        """How."""


class Silence:
    """The voice of a gate without a loudspeaker."""

    def say(self, phrase: str, values: Mapping[str, str], priority: Priority) -> None:
        """Nothing."""

    def unsay(self, phrases: frozenset[str]) -> None:
        """Nothing."""

    def tone(self, tone: Tone, on: bool) -> None:
        """Nothing."""

    def loud(self, on: bool) -> None:
        """Nothing."""

    def volume(self, percent: int) -> None:
        """Nothing."""

    def reword(self, wordings: Mapping[tuple[str, str], str]) -> None:
        """Nothing."""


class Voice:
    """Implements Speaks. `now_s` is monotonic. Raises ConfigError when the site's own phrase packs are wrong."""

    def __init__(
        self,
        speaker: Speaker,
        config: Voicing,
        *,
        sounds: Sounds | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speaker = speaker
        self._languages = tuple(str(lang) for lang in config.gate.languages)
        self._folder = config.gate.data_dir / "voice"
        self._sounds = sounds or sounds_for(config, self._folder)
        self._now_s = now_s
        self._waiting: queue.PriorityQueue[tuple[int, int, _Saying | None]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._volume_percent = 100
        self._lock = threading.Lock()  # over all below
        self._loud = False
        self._tones: dict[Tone, Path] = {}
        self._sounding: set[Tone] = set()
        self._unsaid: dict[str, int] = {}  # phrases, and from which number on they are said
        self._sent: dict[tuple[str, int], tuple[str, ...]] = {}  # prompts that may wait at the loudspeaker, by priority
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)

    def start(self) -> None:
        """Begin; everything that takes time happens on the voice's own thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what has not been said is not said any more."""
        self._waiting.put((-99, next(self._order), None))
        self._thread.join(timeout=2)

    def reword(self, wordings: Mapping[tuple[str, str], str]) -> None:
        """Say these (language, phrase) in these words from now on, and all others as the packs have them. Raises VoiceError for
        what is no wording; then nothing has changed."""
        self._sounds.reword(wordings)

    def say(self, phrase: str, values: Mapping[str, str], priority: Priority) -> None:
        """Speak a phrase in each language; does not block."""
        number = SPEECH[priority]
        if self._waiting.qsize() >= MOST_WAITING and number < SPEECH[Priority.ALARM]:
            logger.warning("%s not said: %d others are waiting", phrase, MOST_WAITING)
            return
        order = next(self._order)
        self._waiting.put((-number, order, _Saying(phrase, dict(values), number, self._now_s(), order)))

    def unsay(self, phrases: frozenset[str]) -> None:
        """Do not say these as prompts any more, but for what has begun; does not block."""
        with self._lock:
            self._unsaid.update(dict.fromkeys(phrases, next(self._order)))
            for (phrase, priority), wavs in self._sent.items():
                if phrase in phrases:
                    self._speaker.drop(wavs, priority)

    def tone(self, tone: Tone, on: bool) -> None:
        """Loop a tone, or stop it; does not block."""
        with self._lock:
            if on:
                self._sounding.add(tone)
            else:
                self._sounding.discard(tone)
            path = self._tones.get(tone)
            if path is None:
                return  # begins as soon as it is made
            if on:
                self._loop(tone, path)
            else:
                self._speaker.stop_loop(str(path))

    def loud(self, on: bool) -> None:
        """The tones as loud as they go, or as always; does not block."""
        with self._lock:
            self._loud = on
            for tone in self._sounding & self._tones.keys():
                self._loop(tone, self._tones[tone])

    def volume(self, percent: int) -> None:
        """So loud is what is said from now on, but for alarms."""
        self._volume_percent = percent

    def _loop(self, tone: Tone, path: Path) -> None:
        percent = 100 if self._loud or tone is Tone.EVACUATION else TONE_PERCENT
        self._speaker.loop(str(path), TONES[tone], percent)

    # the thread

    def _run(self) -> None:
        self._guarded(self._make_tones)
        self._guarded(self._sounds.prepare)
        ahead = deque((phrase, lang) for lang in self._languages for phrase in self._sounds.fixed(lang))
        while True:
            try:
                _, _, saying = self._waiting.get(block=not ahead)
            except queue.Empty:
                phrase, lang = ahead.popleft()
                self._guarded(partial(self._sounds.file, phrase, {}, lang))
                if not ahead:
                    self._guarded(self._sounds.forget_others)
                continue
            if saying is None:
                return
            self._guarded(partial(self._say, saying))

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:
            logger.exception("voice: a step failed; going on")

    def _say(self, saying: _Saying) -> None:
        found = [
            self._sounds.file(saying.phrase, saying.values, lang) for lang in self._languages if self._in_time(saying)
        ]
        wavs = tuple(str(path) for path in found if path is not None)
        with self._lock:  # what is unsaid meanwhile is dropped there
            if wavs and self._in_time(saying):
                softer = saying.priority < SPEECH[Priority.ALARM]
                self._speaker.play(wavs, saying.priority, self._volume_percent if softer else 100)
                if saying.priority <= SPEECH[Priority.PROMPT]:
                    self._sent[saying.phrase, saying.priority] = wavs

    def _in_time(self, saying: _Saying) -> bool:
        """Whether it is still to be said: to somebody who is there."""
        unsaid = saying.priority <= SPEECH[Priority.PROMPT] and saying.number < self._unsaid.get(saying.phrase, 0)
        return not unsaid and self._now_s() - saying.asked_s <= TOO_LATE_S

    def _make_tones(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for tone in Tone:
            path = _whole_tone(tone, self._folder)
            with self._lock:
                self._tones[tone] = path
                if tone in self._sounding:
                    self._loop(tone, path)


def _whole_tone(tone: Tone, folder: Path) -> Path:
    """The tone's file; made anew when a power cut has left it without its content. Raises OSError."""
    path = tone_file(tone.value, folder)
    try:
        whole = len(read_wav(str(path))) > 0
    except BadSound:
        whole = False
    if not whole:
        path.unlink()
        path = tone_file(tone.value, folder)
    return path


def long_phrases(config: Voicing, slogans: Sequence[str]) -> list[str]:
    """Which phrases, and which of these slogans, take longer than they may, as this machine's voice or a recording says them, and
    why. At work a slogan that does is not played; any other phrase is all the same, as silence would be worse."""
    with TemporaryDirectory() as folder:
        sounds = sounds_for(config, Path(folder))
        sounds.prepare()
        return sounds.long_phrases(slogans)


def sounds_for(config: Voicing, folder: Path) -> Sounds:
    """A gate's sounds, kept in `folder`; to be prepared. Raises ConfigError when the site's own phrase packs are wrong."""
    voice, languages = config.voice, tuple(str(lang) for lang in config.gate.languages)
    return Sounds(
        load_packs(voice.phrases or SHIPPED, languages),
        languages,
        folder,
        recordings=voice.recordings,
        speed_wpm=voice.speed_wpm,
        volume_percent=voice.volume_percent,
    )
