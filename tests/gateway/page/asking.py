"""The page's application without a server or a gate: requests as a hostile client may make them, answers as they come."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from gateway.page import messages
from gateway.page.app import make_app
from gateway.page.messages import AlarmNote, Answer, HandOver, OnDuty, Passed, Person, Setup, Snapshot, StepDone
from gateway.page.scanning import Scanner
from gateway.page.security import csrf_of
from sync.contract.alarms import Alarm, AlarmKind, DeviceReport, Level
from sync.contract.directory import DutyRole

SETUP = Setup(
    gate="g-1", name="<b>East</b> gate", languages=("en", "zh"), timezone="Asia/Shanghai", host="127.0.0.1", port=1,
    names=("gate.local",),
)  # fmt: skip
COOKIE = "c" * 43


def snapshot(**changed: Any) -> Snapshot:
    """A gate with something of everything, all of it as nasty as it may be."""
    nasty = "<script>alert(1)</script>"
    alarms = tuple(
        Alarm(id=f"{at:032x}", kind=kind, portal="main", since_ms=at, count=3, detail=nasty, level=Level.LEADER,
              acknowledged=bool(at % 2), acknowledged_by=nasty)
        for at, kind in enumerate(AlarmKind)
    )  # fmt: skip
    values: dict[str, Any] = {
        "at_ms": 1_800_000_000_000, "alive": True, "office": True, "mode": "normal", "drill": True,
        "stages": ("ordered",), "door": "locked", "inside": 3, "limit": 10, "guard": nasty, "visiting": True,
        "alarms": alarms, "more_alarms": 2, "lost": (nasty,), "due": {nasty: 1},
        "steps": (StepDone(step="credential", passed=False, reason=nasty),),
        "visits": (Passed(at_ms=1, direction="entry", outcome="denied", reasons=("fever", nasty), pass_type="visitor",
                          health_code="red", object_c=38.25),),
        "devices": (DeviceReport(name=nasty, state=nasty, frames=864_003, bad=2),
                    DeviceReport(name="reader", state="ok", valid_at_ms=1_800_000_000_000, frames=5)),
        "answered": (Alarm(id="ef" * 16, kind=AlarmKind.CALL, portal="main", since_ms=1, acknowledged=True,
                           acknowledged_by=nasty, detail=nasty),),
        "notes": {each: (AlarmNote(at_ms=1, by=nasty, what=what, note=nasty),)
                  for each, what in (("ef" * 16, "done"), (f"{0:032x}", "instruction"), (f"{1:032x}", nasty))},
        "handed_over": HandOver(at_ms=1, by=nasty, to=nasty, note=nasty),
        "duty": (OnDuty(name=nasty, role=DutyRole.LEADER, phone='1"><i>'),),
    }  # fmt: skip
    return Snapshot(**(values | changed))


@dataclass
class FakeLine:
    """The gate's answers, and what it was asked."""

    setup: Setup = SETUP
    now: Snapshot | None = field(default_factory=snapshot)
    version: int = 1
    lost: bool = False
    person: Person | None = field(default_factory=lambda: Person(name="Li", leader=False))
    refuse: str = ""
    told: Answer | None = None
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    async def ask(self, token: str, address: str, what: Any) -> Answer:
        self.asked.append((token, address, what))
        if self.refuse or self.person is None:
            return Answer(id=1, ok=False, reason=self.refuse or "logged-out")
        if self.told is not None and not isinstance(what, messages.Who):
            return self.told
        return Answer(id=1, ok=True, person=self.person, token="new-token", tablet="tablet")

    async def newer(self, than: int, within_s: float, unless: Callable[[], bool]) -> None:
        await asyncio.sleep(0)

    async def wake(self) -> None:
        pass

    @property
    def orders(self) -> list[Any]:
        return [what for _, _, what in self.asked if not isinstance(what, messages.Who)]


@dataclass
class Said:
    """An answer."""

    status: int
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str:
        return "; ".join(value for key, value in self.headers if key == name)


def ask(
    line: FakeLine,
    path: str,
    *,
    method: str = "GET",
    body: bytes | list[bytes] = b"",
    query: bytes = b"",
    cookie: str | None = COOKIE,
    headers: dict[str, str] | None = None,
    scanner: Scanner | None = None,
) -> Said:
    """One request."""
    chunks = body if isinstance(body, list) else [body]
    scope = scope_of(path, method, sum(map(len, chunks)), query, cookie, headers)
    # In a thread of its own: a browser that another test of this process has opened keeps a loop in this one.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: asyncio.run(_run(make_app(line, scanner), scope, chunks))).result()  # type: ignore[arg-type]


def scope_of(
    path: str, method: str, length: int, query: bytes, cookie: str | None, headers: dict[str, str] | None
) -> dict[str, Any]:
    """A request as a server hands it over."""
    given = {"host": "10.0.0.1:8443", "content-type": "application/x-www-form-urlencoded"}
    if method == "POST":
        given["content-length"] = str(length)
    if cookie is not None:
        given["cookie"] = f"menshen={cookie}"
    given.update(headers or {})
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
        "scheme": "http", "server": ("10.0.0.1", 8443), "client": ("10.0.0.9", 5), "http_version": "1.1",
        "headers": [(key.encode(), value.encode("latin-1")) for key, value in given.items()], "root_path": "",
    }  # fmt: skip


async def _run(app: ASGIApp, scope: dict[str, Any], chunks: list[bytes]) -> Said:
    waiting = list(chunks)
    sent: list[Message] = []

    async def receive() -> Message:
        chunk = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = [(key.decode(), value.decode()) for key, value in sent[0]["headers"]]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Said(sent[0]["status"], headers, body.decode())


def form(**fields: str) -> bytes:
    """A form that this browser was given."""
    from urllib.parse import urlencode

    return urlencode({"csrf": csrf_of(COOKIE), **fields}).encode()
