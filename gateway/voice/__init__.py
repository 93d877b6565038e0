"""The gate's voice: phrase packs as text, speech rendered once and kept, a person's own recordings before it."""

from gateway.voice.errors import VoiceError
from gateway.voice.packs import Packs, load_packs, words
from gateway.voice.voice import Silence, Voice, long_phrases

__all__ = ["Packs", "Silence", "Voice", "VoiceError", "load_packs", "long_phrases", "words"]
