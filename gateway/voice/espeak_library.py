"""Stands in for the program espeak-ng: a process of its own that takes the options we use, and speaks through the library
of the package espeakng-loader by ctypes. Run as a file, so that it loads nothing of the gate.

The library's interface: `speak_lib.h` of espeak-ng, whose numbers stand below.
"""

import argparse
import ctypes
import sys
import wave
from typing import Final

_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS: what is spoken goes to the callback before espeak_Synth returns
_DONT_EXIT: Final = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8: Final = 1  # espeakCHARS_UTF8
_END_PAUSE: Final = 0x1000  # espeakENDPAUSE
_RATE, _VOLUME = 1, 2  # espeakRATE, espeakVOLUME
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class Library:
    """espeak-ng's library, with one voice."""

    def __init__(self, voice: str) -> None:
        import espeakng_loader

        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate = int(self._lib.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT))
        if self.rate <= 0:
            sys.exit("the library does not start")
        if self._lib.espeak_SetVoiceByName(voice.encode()):
            sys.exit(f"the library has no voice {voice}")
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def phonemes(self, text: bytes) -> str:
        """How the text would be spoken."""
        rest = ctypes.c_char_p(text)
        parts: list[str] = []
        while rest.value:
            parts.append((self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, 0) or b"").decode())
        return "\n".join(parts)

    def speak(self, text: bytes, *, speed: int, volume: int) -> bytes:
        """The samples: 16-bit mono."""
        samples = bytearray()

        def take(data: int | None, count: int, _events: int | None) -> int:
            if data and count > 0:
                samples.extend(ctypes.string_at(data, 2 * count))
            return 0

        callback = _Callback(take)
        self._lib.espeak_SetSynthCallback(callback)
        self._lib.espeak_SetParameter(_RATE, speed, 0)
        self._lib.espeak_SetParameter(_VOLUME, volume, 0)
        length = ctypes.c_size_t(len(text) + 1)
        if self._lib.espeak_Synth(text, length, 0, 1, 0, _UTF8 | _END_PAUSE, None, None):
            sys.exit("the library does not speak")
        return bytes(samples)


def main() -> None:
    """`-v VOICE -w FILE [-s SPEED] [-a VOLUME]` or `-v VOICE -q -x`; the text comes from standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-v", required=True)
    parser.add_argument("-w")
    parser.add_argument("-s", type=int, default=175)
    parser.add_argument("-a", type=int, default=100)
    parser.add_argument("-b", choices=["1"])
    for flag in ("-q", "-x", "--stdin"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    library = Library(options.v)
    text = sys.stdin.buffer.read()
    if options.x:
        sys.stdout.write(library.phonemes(text) + "\n")
    if options.w:
        samples = library.speak(text, speed=options.s, volume=options.a)
        with wave.open(options.w, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(library.rate)
            file.writeframes(samples)


if __name__ == "__main__":
    main()
