"""The rendered voice: espeak-ng in a process of its own, the program or (where it is not installed) its library.

Both are told the same options. `cmn-latn-pinyin` reads Hanzi right with espeak-ng 1.51 (Debian 12) and 1.52; `cmn` of
1.51 spells them as English letters, which shows as `(en)` in the phonemes.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gateway.voice.errors import VoiceError

VOICES: Final[Mapping[str, str]] = {"zh": "cmn-latn-pinyin", "en": "en"}
TIMEOUT_S: Final = 20
_LIBRARY: Final = Path(__file__).with_name("espeak_library.py")


@dataclass(frozen=True, slots=True)
class Engine:
    """A command that takes espeak-ng's options."""

    name: str
    command: tuple[str, ...]

    def phonemes(self, text: str, lang: str) -> str:
        """How the text would be spoken, in espeak-ng's phonemes. Raises VoiceError."""
        return self._run(text, "-q", "-x", "-v", VOICES[lang])

    def render(self, text: str, lang: str, path: Path, *, speed_wpm: int, volume_percent: int) -> None:
        """Speak into a WAV file, 16-bit mono at 22,050 Hz. Raises VoiceError."""
        loudness = ("-s", str(speed_wpm), "-a", str(volume_percent))
        self._run(text, "-v", VOICES[lang], *loudness, "-w", str(path))

    def speaks_chinese(self) -> bool:
        """Whether it starts at all, and reads Hanzi as Chinese."""
        try:
            return "(en)" not in self.phonemes("请通过", "zh")
        except VoiceError:
            return False

    def _run(self, text: str, *options: str) -> str:
        import subprocess  # 2.5 MB, and nothing else of the voice needs it

        try:
            done = subprocess.run(
                [*self.command, *options, "-b", "1", "--stdin"],
                input=text.encode(),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VoiceError(f"{self.name}: {error}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise VoiceError(f"{self.name} ended with {done.returncode}: {said[-1][:200] if said else 'no word'}")
        return done.stdout.decode(errors="replace")


def installed() -> Iterator[Engine]:
    """What there is on this machine, the best first."""
    program = shutil.which("espeak-ng")
    if program is not None:
        yield Engine("espeak-ng", (program,))
    if find_spec("espeakng_loader") is not None:
        yield Engine("espeakng-loader", (sys.executable, "-I", str(_LIBRARY)))
