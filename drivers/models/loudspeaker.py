"""Loudspeakers."""

from typing import Any, Final

from drivers.model import Kind, Model, Twin
from drivers.simulators.bench import Bench
from drivers.sound.settings import AnySpeakerSettings, LoudspeakerSettings, SimulatedLoudspeakerSettings
from drivers.wiring import Wiring


def _build(name: str, settings: AnySpeakerSettings, _bench: Bench) -> Any:
    from drivers.sound.speaker import SpeakerProcess

    return SpeakerProcess(name, settings)


def _sound_card(settings: LoudspeakerSettings) -> tuple[str, ...]:
    return () if settings.device in ("auto", "null") else (f"sound card {settings.device}",)


def _sound_file(settings: SimulatedLoudspeakerSettings) -> tuple[str, ...]:
    return (f"file {settings.path}",)


LOUDSPEAKER: Final = Model(
    name="loudspeaker",
    kind=Kind.SPEAKER,
    what="A loudspeaker on a sound card, or a WAV file in its place: plays WAV files by priority",
    unit="PCM, 16 bit",
    source="hardware notes 6; aplay(1)",
    settings=LoudspeakerSettings,
    build=_build,
    claims=_sound_card,
    wiring=Wiring(
        summary="a USB sound card, HDMI or the Pi's socket, with an amplifier",
        joins={"line out": "an active loudspeaker, or an amplifier"},
        power="a loudspeaker of a gate needs an amplifier with a supply of its own",
        level="none",
        example={"device": '"plughw:CARD=Device"'},
        use="speaker",
        notes=(
            "Named by its card, so that HDMI does not take its place; the gate's user must be in the group audio.",
            "A Pi 5 has no socket for sound.",
        ),
        source="hardware notes 6",
    ),
    twin=Twin(settings=SimulatedLoudspeakerSettings, build=_build, claims=_sound_file, example={"path": '"said.wav"'}),
)
