"""A picture that a guard took of a vehicle's papers: kept in memory, read by a process of its own that ends with it, one at a time.

Nothing of the picture and of what its codes say is kept, written or told to anybody but the plate to the guard who took it.
"""

import asyncio
import fcntl
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from gateway.page.plates import plate_of, text_of

logger = logging.getLogger("menshen.page")
MOST_PICTURE: Final = 8 * 1024 * 1024  # bytes
READER: Final = (sys.executable, "-P", "-m", "drivers.camera.one_picture")
LIMIT_S: Final = 12.0  # from its start; it takes 10 s of computing at most
_MOST_SAID: Final = 128 * 1024  # bytes: sixteen codes of the largest size, in base64
Codes = Annotated[list[Annotated[bytes, Meta(max_length=8192)]], Meta(max_length=16)]


class Scanned(NamedTuple):
    """What came of it. `reason`: `plate-read`, or why there is no `plate`, in one machine word."""

    reason: str
    plate: str = ""


class _Failed(Exception):
    """The reader did not end as it should."""


class Scanner:
    """Reads one picture at a time, by `reader`, a command, which is killed after `limit_s`."""

    def __init__(self, reader: Sequence[str] = READER, limit_s: float = LIMIT_S) -> None:
        self._reader = reader
        self._limit_s = limit_s
        self._reads = False

    async def read(self, picture: AsyncIterator[bytes]) -> Scanned:
        """The plate in a picture file as it comes. Raises whatever `picture` does."""
        if self._reads:
            return Scanned("scan-busy")
        self._reads = True
        try:
            with os.fdopen(os.memfd_create("picture"), "w+b") as held:  # never whole in this process's own memory
                async for chunk in picture:
                    held.write(chunk)
                held.seek(0)
                return await self._looked_at(held)
        except (OSError, _Failed, TimeoutError) as error:
            logger.warning("a picture could not be read: %s", str(error) or f"not within {self._limit_s:.0f} s")
            return Scanned("scan-failed")
        finally:
            self._reads = False

    async def _looked_at(self, held: IO[bytes]) -> Scanned:
        with _pipe() as (ours, theirs):
            process = await asyncio.create_subprocess_exec(*self._reader, stdin=held, stdout=theirs)
            try:
                async with asyncio.timeout(self._limit_s):
                    code = await process.wait()
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):  # it has ended just now
                        process.kill()
                    await process.wait()
            if code == os.EX_DATAERR:
                return Scanned("no-picture")
            if code != os.EX_OK:
                raise _Failed(f"its reader ended with {code}")
            return _told(os.read(ours, _MOST_SAID))


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """One that holds all that a reader may say, so that it is read once, after its end: whoever says more waits, and is killed. Raises OSError."""
    ours, theirs = os.pipe()
    try:
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _MOST_SAID)
        os.set_blocking(ours, False)
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def _told(said: bytes) -> Scanned:
    try:
        codes = msgspec.json.decode(said, type=Codes)
    except msgspec.DecodeError as error:
        raise _Failed(f"its reader says what is no list of codes: {error}") from error
    if not codes:
        return Scanned("no-code")
    return in_texts([text_of(code) for code in codes])


def in_texts(texts: Sequence[str]) -> Scanned:
    """The plate in what codes say."""
    plate = plate_of(texts)
    return Scanned("plate-read", plate) if plate else Scanned("no-plate")
