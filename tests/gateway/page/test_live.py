"""The live stream: it ends with the log-in that it was opened with."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import ASGIApp, Message

from gateway.page.app import make_app
from gateway.page.line import Line
from gateway.page.messages import Answer, Ask, Person, decode_from_page, encode
from tests.gateway.page.asking import COOKIE, SETUP, form, scope_of, snapshot


class Stream:
    """A browser that listens."""

    def __init__(self, app: ASGIApp, cookie: str) -> None:
        self.events: list[str] = []
        self.begun = asyncio.Event()
        scope = scope_of("/live", "GET", 0, b"", cookie, None)
        self.over = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        await asyncio.get_running_loop().create_future()  # it stays
        raise AssertionError

    async def _send(self, message: Message) -> None:
        for line in message.get("body", b"").decode().splitlines():
            if line.startswith("event: "):
                self.events.append(line.removeprefix("event: "))
                self.begun.set()


async def log_out(app: ASGIApp, cookie: str) -> int:
    """One guard logs out; the answer's status."""
    body, statuses = form(), list[int]()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    await app(scope_of("/logout", "POST", len(body), b"", cookie, None), receive, send)
    return statuses[0]


async def scenario() -> tuple[list[str], bool]:
    """Two tablets listen and one logs out: what it heard, and whether the other one still listens."""
    ours, gate = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, gate:
        line = Line(ours.fileno(), SETUP, lambda: None)

        def answer() -> None:
            asked: Any = decode_from_page(gate.recv(65536))
            assert isinstance(asked, Ask)
            gate.send(encode(Answer(id=asked.id, ok=True, person=Person(name="Li", leader=False))))

        asyncio.get_running_loop().add_reader(gate, answer)
        line.listen()
        line.now = snapshot()
        app = make_app(line)
        mine, other = Stream(app, COOKIE), Stream(app, "d" * 43)
        async with asyncio.timeout(10):  # less than it takes until the gate would be asked whose log-in it is
            await mine.begun.wait()
            await other.begun.wait()
            assert await log_out(app, COOKIE) == 303
            await mine.over
        goes_on = not other.over.done()
        other.over.cancel()
        asyncio.get_running_loop().remove_reader(gate)
        asyncio.get_running_loop().remove_reader(ours)
        return mine.events, goes_on


def test_a_stream_ends_with_its_log_out_and_nobody_elses() -> None:
    with ThreadPoolExecutor(1) as alone:  # a browser of another test keeps a loop in this thread
        events, goes_on = alone.submit(lambda: asyncio.run(scenario())).result()
    assert events[0] == "now" and events[-1] == "end" and events.count("end") == 1
    assert goes_on
