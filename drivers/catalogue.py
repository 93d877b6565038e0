"""Every model of device: what it can be told, what only one of them may have, and how it is built.

Each builder's docstring is the model's entry in the list of devices: what it gives, its unit, and the source of what is
known of it. Importing this module is cheap: a builder imports the libraries that its model needs.
"""

from collections.abc import Mapping
from typing import Any, Final

from drivers import signs, wirings
from drivers.camera.settings import (
    CameraSettings,
    FolderSettings,
    PicameraSettings,
    SimulatedCameraSettings,
    VideoSettings,
)
from drivers.interfaces import CardReader, CodeScanner, Contact, Output, PassageSensor
from drivers.model import Kind, Model, claims_nothing, claims_port
from drivers.reader_models import READER_MODELS
from drivers.settings import (
    AnyPinSettings,
    BeamPairSettings,
    InputSettings,
    OutputSettings,
    Rdm6300Settings,
    SimulatedBeamPairSettings,
    SimulatedInputSettings,
    SimulatedOutputSettings,
    SimulatedRdm6300Settings,
)
from drivers.simulators.bench import Bench
from drivers.sound.settings import AnySpeakerSettings, LoudspeakerSettings, SimulatedLoudspeakerSettings
from drivers.thermometers import THERMOMETERS

__all__ = ["MODELS", "Bench", "Kind", "Model"]


def _rdm6300(name: str, settings: Rdm6300Settings, _bench: Bench) -> CardReader:
    """Card reader RDM6300 for EM4100 cards of 125 kHz: posts CardRead, once for a card that lies there.

    Unit: a card's number, 10 hexadecimal digits. Source: hardware notes 3; ESPHome rdm6300.cpp."""
    from drivers.protocols.rdm6300 import Rdm6300Link
    from drivers.serial_device import SerialDevice

    return SerialDevice(name, settings.port, Rdm6300Link)


def _simulated_rdm6300(name: str, _settings: SimulatedRdm6300Settings, _bench: Bench) -> CardReader:
    """The driver of rdm6300, with a model of the reader at the far end of a pty; `simulator` is the latter.

    Unit: a card's number, 10 hexadecimal digits. Source: as rdm6300."""
    from drivers.protocols.rdm6300 import Rdm6300Link
    from drivers.simulators.card_reader import SimulatedCardReader
    from drivers.simulators.serial_device import SimulatedSerialDevice

    return SimulatedSerialDevice(name, SimulatedCardReader(name), Rdm6300Link)


def _camera(name: str, settings: CameraSettings | FolderSettings | VideoSettings, _bench: Bench) -> CodeScanner:
    """A camera, or photographs or a video in its place: posts CodeRead, once for a code that is held up.

    Unit: the bytes of a QR code. Source: ISO/IEC 18004; hardware notes 5."""
    from drivers.camera.device import CameraDevice

    return CameraDevice(name, settings)


def _picamera(name: str, settings: PicameraSettings, _bench: Bench) -> CodeScanner:
    """A camera on the Pi's own connector (CSI), by Picamera2: posts CodeRead, once for a code that is held up.

    Unit: the bytes of a QR code. Source: hardware notes 5; Picamera2's manual. Not tried on a Pi."""
    from drivers.camera.device import CameraDevice

    return CameraDevice(name, settings)


def _simulated_camera(name: str, settings: SimulatedCameraSettings, _bench: Bench) -> CodeScanner:
    """The driver of camera, before a drawn scene; the device itself is what people act on.

    Unit: the bytes of a QR code. Source: as camera."""
    from drivers.camera.device import SimulatedCamera

    return SimulatedCamera(name, settings)


def _gpio_input(name: str, settings: InputSettings, _bench: Bench) -> Contact:
    """A contact, button or sensor on a pin of the Pi: posts Level, debounced, first the one at start.

    Unit: active or not. Source: hardware notes 4; gpiozero's manual, "Pins"."""
    from drivers.contacts import GpioContact

    return GpioContact(name, settings)


def _simulated_input(name: str, settings: SimulatedInputSettings, bench: Bench) -> Contact:
    """The driver of gpio-input, on a simulated pin that is at rest until `Doorway` works its switch.

    Unit: active or not. Source: as gpio-input."""
    from drivers.contacts import GpioContact

    bench.set_active(settings.wiring, active=False)
    return GpioContact(name, settings.wiring, bench.pins)


def _beam_pair(name: str, settings: BeamPairSettings, _bench: Bench) -> PassageSensor:
    """Two light beams in a passage, on two pins of the Pi: posts Crossed, once for each body that goes through.

    Unit: in or out. Source: hardware notes 4; gpiozero's manual, "Pins"."""
    from drivers.beam_pair import BeamPair

    return BeamPair(name, settings)


def _simulated_beam_pair(name: str, settings: SimulatedBeamPairSettings, bench: Bench) -> PassageSensor:
    """The driver of gpio-beam-pair, on two simulated pins that are free until somebody walks through `Doorway`.

    Unit: in or out. Source: as gpio-beam-pair."""
    from drivers.beam_pair import BeamPair

    for wiring in settings.wiring.wirings:
        bench.set_active(wiring, active=False)
    return BeamPair(name, settings.wiring, bench.pins)


def _gpio_output(name: str, settings: OutputSettings, _bench: Bench) -> Output:
    """A relay, lamp or siren on a pin of the Pi, at rest from the start.

    Unit: on or off. Source: hardware notes 4 and 10; gpiozero's manual, "Pins"."""
    from drivers.contacts import GpioOutput

    return GpioOutput(name, settings)


def _simulated_output(name: str, settings: SimulatedOutputSettings, bench: Bench) -> Output:
    """The driver of gpio-output, on a simulated pin.

    Unit: on or off. Source: as gpio-output."""
    from drivers.contacts import GpioOutput

    return GpioOutput(name, settings.wiring, bench.pins)


def _loudspeaker(name: str, settings: AnySpeakerSettings, _bench: Bench) -> Any:
    """A loudspeaker on a sound card, or a WAV file in its place: plays WAV files by priority.

    Unit: PCM, 16 bit. Source: hardware notes 6; aplay(1)."""
    from drivers.sound.speaker import SpeakerProcess

    return SpeakerProcess(name, settings)


def _pin(settings: AnyPinSettings) -> tuple[str, ...]:
    return (f"pin {settings.pin}",)


def _beams(settings: BeamPairSettings | SimulatedBeamPairSettings) -> tuple[str, ...]:
    return (f"pin {settings.outer}", f"pin {settings.inner}")


def _camera_path(settings: CameraSettings) -> tuple[str, ...]:
    return (f"camera {settings.path}",)


def _camera_number(settings: PicameraSettings) -> tuple[str, ...]:
    return (f"Pi camera {settings.number}",)


def _sound_card(settings: LoudspeakerSettings) -> tuple[str, ...]:
    return () if settings.device in ("auto", "null") else (f"sound card {settings.device}",)


def _sound_file(settings: SimulatedLoudspeakerSettings) -> tuple[str, ...]:
    return (f"file {settings.path}",)


MODELS: Final[Mapping[str, Model]] = {
    **THERMOMETERS,
    "rdm6300": Model(Kind.CARD_READER, Rdm6300Settings, claims_port, _rdm6300, wirings.RDM6300, signs.rdm6300),
    "simulated-rdm6300": Model(Kind.CARD_READER, SimulatedRdm6300Settings, claims_nothing, _simulated_rdm6300),
    "camera": Model(Kind.CODE_SCANNER, CameraSettings, _camera_path, _camera, wirings.CAMERA),
    "picamera": Model(Kind.CODE_SCANNER, PicameraSettings, _camera_number, _picamera, wirings.PICAMERA),
    "folder": Model(Kind.CODE_SCANNER, FolderSettings, claims_nothing, _camera, wirings.FOLDER),
    "video": Model(Kind.CODE_SCANNER, VideoSettings, claims_nothing, _camera, wirings.VIDEO),
    "simulated-camera": Model(Kind.CODE_SCANNER, SimulatedCameraSettings, claims_nothing, _simulated_camera),
    "gpio-input": Model(Kind.CONTACT, InputSettings, _pin, _gpio_input, wirings.GPIO_INPUT),
    "simulated-input": Model(Kind.CONTACT, SimulatedInputSettings, _pin, _simulated_input),
    "gpio-beam-pair": Model(Kind.PASSAGE_SENSOR, BeamPairSettings, _beams, _beam_pair, wirings.GPIO_BEAM_PAIR),
    "simulated-beam-pair": Model(Kind.PASSAGE_SENSOR, SimulatedBeamPairSettings, _beams, _simulated_beam_pair),
    "gpio-output": Model(Kind.OUTPUT, OutputSettings, _pin, _gpio_output, wirings.GPIO_OUTPUT),
    "simulated-output": Model(Kind.OUTPUT, SimulatedOutputSettings, _pin, _simulated_output),
    "loudspeaker": Model(Kind.SPEAKER, LoudspeakerSettings, _sound_card, _loudspeaker, wirings.LOUDSPEAKER),
    "simulated-loudspeaker": Model(Kind.SPEAKER, SimulatedLoudspeakerSettings, _sound_file, _loudspeaker),
    **READER_MODELS,
}
"""Model names, as in a gate's configuration."""
