"""The real driver, with a simulated instrument at the far end of its line. Nothing in the driver knows."""

from collections.abc import Callable
from typing import Generic, TypeVar

from drivers.interfaces import Post
from drivers.serial_device import Link, SerialDevice
from drivers.simulators.line import UNPLUGGED, SerialLine
from drivers.threaded import RETRY, Retry

S = TypeVar("S", bound=SerialLine)


class SimulatedSerialDevice(SerialDevice, Generic[S]):
    """`simulator`: what people act on. It is plugged in when the device starts."""

    def __init__(self, name: str, simulator: S, link: Callable[[int], Link], *, retry: Retry = RETRY) -> None:
        super().__init__(name, UNPLUGGED, link, retry=retry)
        self.simulator = simulator

    def start(self, post: Post) -> None:
        """Plug the instrument in, then start as on any port."""
        self.simulator.start()
        super().start(post)

    def stop(self) -> None:
        """Stop the driver, then the simulator."""
        super().stop()
        self.simulator.stop()

    def _path(self) -> str:
        return self.simulator.path
