"""The page's process: it is told how to serve, serves until the gate's end of the line closes, and ends with the gate.

It holds no PIN, no log-in and no record: of what guards ask for, the gate decides.
"""

import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from drivers.no_dumps import forbid_core_dumps
from gateway.page.app import make_app
from gateway.page.line import Line
from gateway.page.messages import MAX_PACKET, Beat, Setup, decode_to_page
from gateway.page.serving import make_server, open_socket

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>
BEAT_S: Final = 1.0
logger = logging.getLogger("menshen.page")


async def serve(setup: Setup) -> None:
    """Until the gate is gone."""
    gone = asyncio.Event()
    line = Line(0, setup, gone.set)
    server = make_server(setup, make_app(line))
    line.listen()
    serving = asyncio.create_task(server.serve([open_socket(setup.host, setup.port)]))
    beating = asyncio.create_task(_beat(line, lambda: server.started))
    waiting = asyncio.create_task(gone.wait())
    await asyncio.wait({serving, waiting, beating}, return_when=asyncio.FIRST_COMPLETED)


async def _beat(line: Line, listening: Callable[[], bool]) -> None:
    while True:
        with suppress(BlockingIOError):
            line.send(Beat(listening=listening()))
        await asyncio.sleep(BEAT_S if listening() else 0.05)


def main() -> None:
    """Run; exit code 1 when it cannot serve, which it says."""
    forbid_core_dumps()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C is the gate's, which ends this one
    logging.basicConfig(stream=sys.stderr, level=os.environ.get("MENSHEN_LOG", "INFO"), format="page: %(message)s")
    connection = socket.socket(fileno=os.dup(0))
    first = decode_to_page(connection.recv(MAX_PACKET + 1))
    connection.close()
    if not isinstance(first, Setup):
        raise SystemExit("page: the gate did not say how to serve")
    try:
        asyncio.run(serve(first))
    except OSError as error:
        raise SystemExit(f"page: cannot serve at {first.host} port {first.port}: {error}") from error
    os._exit(0)  # what browsers still hold open ends with it


if __name__ == "__main__":
    main()
