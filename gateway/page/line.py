"""The page's end of the line to the gate: what stands, and questions with their answers. One event loop uses it."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from gateway.page.messages import (
    MAX_PACKET,
    Action,
    Answer,
    Ask,
    Beat,
    LogIn,
    LogInByCard,
    LogOut,
    Setup,
    Snapshot,
    Watch,
    Who,
    decode_to_page,
    encode,
)

logger = logging.getLogger("menshen.page")
SILENT_S: Final = 6.0  # the gate tells at least every 2 s
MOST_ASKED: Final = 64  # questions that wait for their answer at a time
LIMIT_S: Final = 5.0
CARD_LIMIT_S: Final = 25.0


class Line:
    """Reads packets from `fd`, a socket to the gate; `gone` is called when the gate's end of it closes."""

    def __init__(self, fd: int, setup: Setup, gone: Callable[[], None]) -> None:
        self.setup = setup
        self.now: Snapshot | None = None
        self.version = 0
        self._heard_s = time.monotonic()
        self._fd = fd
        self._gone = gone
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._number = 0
        self._changed = asyncio.Condition()

    def listen(self) -> None:
        """Begin."""
        os.set_blocking(self._fd, False)
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    @property
    def lost(self) -> bool:
        """Whether the gate is silent, or does not decide any more."""
        silent = time.monotonic() - self._heard_s > SILENT_S
        return silent or self.now is None or not self.now.alive

    async def newer(self, than: int, within_s: float, unless: Callable[[], bool]) -> None:
        """Wait until there is a newer version, for so long, or until `unless` holds when somebody calls `wake`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: self.version > than or unless())

    async def ask(self, token: str, address: str, what: Action | LogIn | LogInByCard | LogOut | Who | Watch) -> Answer:
        """Ask the gate. No answer in time, too many questions or a gate that takes none is an answer, too."""
        if len(self._asked) >= MOST_ASKED:
            return Answer(id=0, ok=False, reason="busy")
        self._number += 1
        number = self._number
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self.send(Ask(id=number, token=token, address=address[:64], what=what))
            async with asyncio.timeout(CARD_LIMIT_S if isinstance(what, LogInByCard) else LIMIT_S):
                answer: Answer = await future
                return answer
        except (TimeoutError, BlockingIOError):
            return Answer(id=number, ok=False, reason="gate-lost")
        finally:
            del self._asked[number]

    def send(self, message: Ask | Beat) -> None:
        """Say something. Raises BlockingIOError when the gate takes nothing now."""
        try:
            os.write(self._fd, encode(message))
        except BlockingIOError:
            raise
        except OSError:
            self._gone()

    def _read(self) -> None:
        try:
            packet = os.read(self._fd, MAX_PACKET + 1)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._gone()
            return
        self._take(packet)

    def _take(self, packet: bytes) -> None:
        said = decode_to_page(packet)
        match said:
            case Snapshot():
                self._heard_s = time.monotonic()
                changed = self.now is None or msgspec.structs.replace(said, at_ms=self.now.at_ms) != self.now
                self.now = said
                if changed:
                    self.version += 1
                    self._task = asyncio.get_running_loop().create_task(self.wake())
            case Answer(id=number) if number in self._asked:
                future = self._asked[number]
                if not future.done():
                    future.set_result(said)
            case _:
                pass  # an answer that nobody waits for any more

    async def wake(self) -> None:
        """Have all who wait look again."""
        async with self._changed:
            self._changed.notify_all()
