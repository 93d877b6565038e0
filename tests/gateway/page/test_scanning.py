"""A picture of a vehicle's papers comes to the page: from whom, how large, what its reader makes of it, and what is said of that."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.camera.one_picture import MOST_BYTES
from gateway.page.messages import Answer
from gateway.page.scanning import MOST_PICTURE, READER, Scanned, Scanner
from gateway.page.security import csrf_of
from gateway.page.words import LANGUAGES, Words
from tests.drivers.camera.pictures import drawn
from tests.gateway.page.asking import COOKIE, FakeLine, Said, ask, form

REASONS = (
    "plate-read",
    "no-code",
    "no-plate",
    "no-picture",
    "picture-too-large",
    "scan-busy",
    "scan-failed",
    "scan-unsent",
    "too-slow",
)


def run(what: Coroutine[Any, Any, Scanned | list[Scanned]]) -> Scanned | list[Scanned]:
    """In a thread of its own: a browser of another test may have left a loop running in this one."""
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: asyncio.run(what)).result()


def picture_with(*contents: str) -> bytes:
    return bytes(cv2.imencode(".jpg", drawn(*contents))[1])


def send(
    body: bytes | list[bytes] = b"x",
    line: FakeLine | None = None,
    scanner: Scanner | None = None,
    cookie: str | None = COOKIE,
    **headers: str,
) -> Said:
    """As the page's script does."""
    given = {
        "accept": "application/json", "content-type": "application/octet-stream", "x-csrf": csrf_of(COOKIE),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    return ask(
        line or FakeLine(), "/plate/picture", method="POST", body=body, headers=given, cookie=cookie, scanner=scanner
    )


class NoScanner(Scanner):
    """Fails the test when it is given a picture."""

    async def read(self, picture: AsyncIterator[bytes]) -> Scanned:
        raise AssertionError("a picture was looked at")


# what the real reader makes of it


@pytest.mark.parametrize(
    ("body", "status", "reason", "plate"),
    [
        (picture_with("https://permit.example/7", "车牌:粤B·12345"), 200, "plate-read", "粤B12345"),
        (picture_with("https://permit.example/7"), 409, "no-plate", ""),
        (bytes(cv2.imencode(".png", np.full((300, 300), 200, np.uint8))[1]), 409, "no-code", ""),
        (b"GIF89a", 409, "no-picture", ""),
        (b"", 409, "no-picture", ""),
    ],
    ids=["plate", "no-plate", "no-code", "no-picture", "empty"],
)
def test_a_picture_becomes_a_plate_or_a_sentence(body: bytes, status: int, reason: str, plate: str) -> None:
    line = FakeLine()
    said = send([body[:1000], body[1000:]], line)
    told = json.loads(said.body)
    text = f"{Words('en').said(reason)} {plate}".strip()
    assert (said.status, told) == (status, {"ok": bool(plate), "reason": reason, "text": text, "plate": plate})
    assert line.orders == []  # nothing is noted by it


def test_what_the_reader_takes_is_what_the_page_takes() -> None:
    assert MOST_PICTURE == MOST_BYTES


# who may send one, and what


def test_only_who_is_logged_in() -> None:
    said = send(line=FakeLine(person=None), scanner=NoScanner())
    assert (said.status, json.loads(said.body)["reason"]) == (401, "logged-out")
    assert send(line=FakeLine(refuse="gate-lost"), scanner=NoScanner()).status == 503


@pytest.mark.parametrize(
    ("headers", "cookie", "status"),
    [
        ({"x_csrf": ""}, COOKIE, 403), ({"x_csrf": csrf_of("other")}, COOKIE, 403), ({"x_csrf": "é"}, COOKIE, 403), ({}, None, 403),
        ({"origin": "https://evil.example"}, COOKIE, 403), ({"sec_fetch_site": "cross-site"}, COOKIE, 403),
        ({"content_type": "application/x-www-form-urlencoded"}, COOKIE, 415), ({"content_type": "text/plain"}, COOKIE, 415),
    ],
)  # fmt: skip
def test_only_from_this_page(headers: dict[str, str], cookie: str | None, status: int) -> None:
    line = FakeLine()
    assert send(line=line, scanner=NoScanner(), cookie=cookie, **headers).status == status
    assert line.asked == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("body", "length"), [(b"x" * (MOST_PICTURE + 1), ""), ([b"x" * 1_000_000] * 9, "10"), (b"x", "1e9"), (b"x", "-1")],
    ids=["declared", "lied", "no-number", "negative"],
)  # fmt: skip
def test_one_that_is_too_large_is_refused_in_words(body: bytes | list[bytes], length: str, language: str) -> None:
    said = send(body, accept_language=language, **({"content_length": length} if length else {}))
    assert (said.status, json.loads(said.body)["text"]) == (413, Words(language).said("picture-too-large"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reason_has_its_sentence(language: str) -> None:
    assert [each for each in REASONS if not Words(language).has(f"said-{each}")] == []
    assert all(Words(language).said(each) != Words("en" if language == "zh" else "zh").said(each) for each in REASONS)


# a reader that does not do its work


def made_of(text: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", text)


@pytest.mark.parametrize(
    "reader",
    [
        made_of("kill -9 $$"), made_of("exit 1"), made_of("echo no list"), made_of('echo "[1]"'), made_of('echo "[\\"!\\"]"'),
        made_of("cat /dev/zero"), made_of("exec sleep 600"), ("/nowhere",), (*READER[:-1], "drivers.nowhere"),
        (sys.executable, "-c", "print(str([''] * 17).replace(chr(39), chr(34)))"),
        made_of(f'printf "[\\"%0{4 * 4096}d\\"]" 0'),
    ],
    ids=["killed", "fails", "no-list", "no-text", "no-base64", "endless", "hangs", "missing", "no-module", "too-many", "too-long"],
)  # fmt: skip
def test_a_reader_that_fails_is_told_and_the_next_picture_is_read(reader: tuple[str, ...]) -> None:
    scanner = Scanner(reader, limit_s=0.5)
    for _ in range(2):
        said = send(scanner=scanner)
        assert (said.status, json.loads(said.body)["reason"]) == (503, "scan-failed")


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def test_a_reader_that_hangs_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    scanner = Scanner(made_of(f"echo $$ > {told}; exec sleep 600"), limit_s=2.0)
    assert run(scanner.read(once(b"x"))) == Scanned("scan-failed")
    assert not Path(f"/proc/{int(told.read_text())}").exists()


def test_one_at_a_time_and_the_second_is_told(tmp_path: Path) -> None:
    async def two() -> list[Scanned]:
        scanner, begun, go = Scanner(made_of('echo "[]"')), asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            begun.set()
            await go.wait()
            yield b"x"

        first = asyncio.create_task(scanner.read(slow()))
        await begun.wait()
        second = await scanner.read(once(b"y"))
        go.set()
        return [await first, second, await scanner.read(once(b"z"))]

    assert run(two()) == [Scanned("no-code"), Scanned("scan-busy"), Scanned("no-code")]


def test_busy_is_said_in_words() -> None:
    class Busy(Scanner):
        async def read(self, picture: AsyncIterator[bytes]) -> Scanned:
            return Scanned("scan-busy")

    said = send(scanner=Busy())
    assert (said.status, json.loads(said.body)["text"]) == (429, Words("en").said("scan-busy"))


def test_a_browser_that_goes_away_leaves_the_place_to_the_next() -> None:
    class Gone(Exception):
        pass

    async def going() -> AsyncIterator[bytes]:
        yield b"x"
        raise Gone

    async def two() -> Scanned:
        scanner = Scanner(made_of('echo "[]"'))
        with pytest.raises(Gone):
            await scanner.read(going())
        return await scanner.read(once(b"y"))

    before = held_pictures()
    assert run(two()) == Scanned("no-code")
    assert held_pictures() == before  # none is left in memory


def held_pictures() -> int:
    """How many of them this process has."""
    return sum("memfd:picture" in str(each.resolve()) for each in Path("/proc/self/fd").iterdir())


# what a hand scanner has typed


@pytest.mark.parametrize(
    ("text", "status", "reason", "plate"),
    [
        ("https://permit.example/p?plate=粤B12345", 200, "plate-read", "粤B12345"),
        ("https://permit.example/p?id=12345", 409, "no-plate", ""),
        ("", 409, "no-plate", ""),
    ],
)
def test_a_plate_is_taken_from_a_long_text(text: str, status: int, reason: str, plate: str) -> None:
    line = FakeLine()
    said = ask(line, "/plate/text", method="POST", body=form(text=text), headers={"accept": "application/json"})
    told = json.loads(said.body)
    assert (said.status, told["reason"], told["plate"]) == (status, reason, plate)
    assert line.orders == []


def test_a_text_is_taken_from_this_page_and_who_is_logged_in_alone() -> None:
    json_wanted = {"accept": "application/json"}
    assert ask(FakeLine(), "/plate/text", method="POST", body=b"text=x", headers=json_wanted).status == 403
    lost = FakeLine(person=None, told=Answer(id=1, ok=False))
    assert ask(lost, "/plate/text", method="POST", body=form(text="AB 12"), headers=json_wanted).status == 401


def test_without_scripts_there_is_no_such_control() -> None:
    page = ask(FakeLine(), "/").body
    assert '<div id="scan" class="scan" role="group" aria-label="Scan" hidden ' in page
    assert 'maxlength="16"' in page
