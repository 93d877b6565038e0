"""What the tests of scanners and readers share: a simulated device that is listened to, and streams that are cut up."""

from collections.abc import Callable
from typing import Any, TypeVar

from drivers.protocols.packets import Packet, PacketReader
from drivers.readings import CardRead
from drivers.simulators.line import SerialLine
from drivers.simulators.serial_device import SimulatedSerialDevice
from drivers.threaded import Retry
from tests.drivers.listening import Listener

BRISK = Retry(first_s=0.02, longest_s=0.1)
T = TypeVar("T")


class Bed(Listener):
    """The real driver over a pty, with a model of its device at the far end."""

    def __init__(self, simulator: Any, link: Callable[[int], Any]) -> None:
        assert isinstance(simulator, SerialLine)
        self.simulator: Any = simulator
        self.device = SimulatedSerialDevice("device", simulator, link, retry=BRISK)
        super().__init__(self.device)

    @property
    def cards(self) -> list[str]:
        """The cards read."""
        return [one.uid for one in self.heard if isinstance(one, CardRead)]


def read(packet: Packet[T], *chunks: bytes) -> list[T]:
    """What a new reader gives for these chunks, each of its bytes accounted for."""
    reader = PacketReader(packet)
    messages = [message for chunk in chunks for message in reader.feed(chunk)]
    assert reader.good_bytes + reader.noise + reader.pending == sum(map(len, chunks))
    assert reader.pending < packet.longest
    return messages


def every_split(packet: Packet[T], data: bytes) -> None:
    """Cut anywhere in two, or into single bytes, it is the same."""
    whole = read(packet, data)
    assert whole
    for cut in range(1, len(data)):
        assert read(packet, data[:cut], data[cut:]) == whole
    assert read(packet, *(bytes((byte,)) for byte in data)) == whole
