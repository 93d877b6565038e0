"""The outputs as the executor switches them: what one does not take is tried again until it does."""

import logging
from collections.abc import Callable

from drivers.errors import DeviceLost
from drivers.interfaces import Output
from gateway.core.events import DeviceChanged

logger = logging.getLogger("menshen.gate")


class Switch:
    """One output and the level it should have. A lost one is told once, and once when it works again."""

    def __init__(self, output: Output, post: Callable[[DeviceChanged], None]) -> None:
        self._output = output
        self._post = post
        self._wanted = False
        self._lost = False

    def set(self, *, active: bool) -> None:
        """Switch it."""
        self._wanted = active
        self._try()

    def again(self) -> None:
        """Try again what it did not take."""
        if self._lost:
            self._try()

    def _try(self) -> None:
        try:
            self._output.set(self._wanted)
        except DeviceLost as error:
            self._become(lost=True, detail=str(error))
        else:
            self._become(lost=False)

    def _become(self, *, lost: bool, detail: str = "") -> None:
        if lost is self._lost:
            return
        self._lost = lost
        state = "lost" if lost else "ok"
        logger.log(logging.ERROR if lost else logging.WARNING, "%s: %s %s", self._output.name, state, detail)
        self._post(DeviceChanged(self._output.name, state, detail))
