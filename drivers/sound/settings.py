"""What a loudspeaker can be told."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudspeakerSettings:
    """A loudspeaker on a sound card, through `aplay`."""

    device: Annotated[
        str,
        Meta(
            description="Its ALSA name, by the card's name and not its number, such as plughw:CARD=Device (aplay -l lists them); "
            "auto: a sound card when there is one, else `file`; null: silence",
            min_length=1,
            max_length=128,
            pattern=r"^[^-\x00][^\x00]*$",
        ),
    ] = "auto"
    file: Annotated[
        str,
        Meta(
            description="A WAV file that takes the sound when there is no sound card",
            max_length=4096,
            extra={"path": True},
        ),
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedLoudspeakerSettings:
    """A loudspeaker that is a WAV file."""

    path: Annotated[str, Meta(description="The file", min_length=1, max_length=4096, extra={"path": True})]


AnySpeakerSettings = LoudspeakerSettings | SimulatedLoudspeakerSettings
