"""The page's addresses. Who asks is asked of the gate each time; nothing is kept here."""

import hashlib
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.page import messages
from gateway.page.line import Line
from gateway.page.messages import Answer, Person
from gateway.page.scanning import Scanned, Scanner, in_texts
from gateway.page.security import BadForm, Guarded, csrf_of, new_cookie, read_form, read_picture
from gateway.page.view import HERE, REASONS, View, unheard
from gateway.page.words import LANGUAGES
from gateway.words import has_word

ACTIONS: Final[Mapping[str, type[messages.Action]]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (
        messages.Acknowledge, messages.NoteAlarm, messages.StopSiren, messages.Release, messages.Register,
        messages.Vehicle, messages.Correct, messages.Switch, messages.Stamp, messages.Shift, messages.Confirm,
    )
}  # fmt: skip
STATIC: Final = {
    "page.js": "text/javascript",
    "bell.js": "text/javascript",
    "watch.js": "text/javascript",
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
}
BEAT_S: Final = 2.0  # a browser that hears nothing for longer says so
ASK_AGAIN_S: Final = 20.0  # whether a stream's log-in still stands
MOST_STREAMS: Final = 12
MOST_OUT: Final = 64
MOST_SAID: Final = 200  # characters of what a form's answer was
MOST_ACCEPTED: Final = 256  # characters of an Accept-Language header
_QUALITY: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
YEAR_S: Final = 31_536_000
TABLET_S: Final = 30 * 86_400


class Page:
    """The addresses."""

    def __init__(self, line: Line, scanner: Scanner) -> None:
        self._line = line
        self._scanner = scanner
        self._files = {name: (HERE / "static" / name).read_bytes() for name in STATIC}
        version = hashlib.blake2s(b"".join(self._files.values())).hexdigest()[:12]
        self._view = View(line.setup, version)
        self._tls = bool(line.setup.certificate)
        self._cookie = "__Host-menshen" if self._tls else "menshen"
        self._streams = 0
        self._out: deque[str] = deque(maxlen=MOST_OUT)  # log-ins that have ended here

    def app(self) -> ASGIApp:
        """As an application."""
        routes = [
            Route("/", self._home),
            Route("/login", self._log_in_page),
            Route("/login", self._log_in, methods=["POST"]),
            Route("/login/card", self._log_in_by_card, methods=["POST"]),
            Route("/logout", self._log_out, methods=["POST"]),
            Route("/language", self._language, methods=["POST"]),
            Route("/watch", self._watch),
            Route("/live", self._live),
            Route("/now", self._now),
            Route("/do/{action}", self._do, methods=["POST"]),
            Route("/plate/picture", self._scan, methods=["POST"]),
            Route("/plate/text", self._scan_text, methods=["POST"]),
            Route("/static/{name}", self._static),
        ]
        starlette = Starlette(routes=routes, exception_handlers={BadForm: self._bad_form})
        return Guarded(starlette, self._line.setup.names, tls=self._tls)

    # who asks

    def _token(self, request: Request) -> str:
        token = request.cookies.get(self._cookie, "")
        return (
            token if len(token) <= 64 and token.isascii() and token.replace("-", "").replace("_", "").isalnum() else ""
        )

    def _tablet(self, request: Request) -> str:
        token = request.cookies.get(f"{self._cookie}-tablet", "")
        return (
            token if len(token) <= 64 and token.isascii() and token.replace("-", "").replace("_", "").isalnum() else ""
        )

    def _spoken(self, request: Request) -> str:
        language = request.cookies.get(f"{self._cookie}-language", "")
        first = self._line.setup.languages[0] if self._line.setup.languages else "zh"
        return language if language in LANGUAGES else preferred(request.headers.get("accept-language", "")) or first

    async def _ask(self, request: Request, what: Any) -> Answer:
        address = request.client.host if request.client is not None else ""
        return await self._line.ask(self._token(request), address, what)

    def _set(self, response: Response, name: str, value: str, seconds: int | None, *, strict: bool = True) -> None:
        response.set_cookie(
            self._cookie + name, value, max_age=seconds, path="/", secure=self._tls, httponly=True,
            samesite="strict" if strict else "lax",
        )  # fmt: skip

    # logging in

    async def _log_in_page(self, request: Request) -> Response:
        cookie = self._token(request)
        fresh = cookie or new_cookie()
        said = request.query_params.get("said", "")
        response = HTMLResponse(await self._login(request, fresh, self._word(request, said)))
        if not cookie:
            self._set(response, "", fresh, None)
        return response

    async def _login(self, request: Request, cookie: str, said: str, name: str = "") -> str:
        tablet = self._tablet(request)
        answer = await self._ask(request, messages.Watch(tablet=tablet)) if tablet else Answer(id=0, ok=False)
        now = self._line.now if answer.ok and not self._line.lost else None
        by_card = bool(answer.tablet)  # not before somebody has given his PIN here since the gate started
        return self._view.log_in(self._spoken(request), csrf_of(cookie), tablet=by_card, said=said, name=name, now=now)

    async def _watch(self, request: Request) -> Response:
        """How the gate stands, for a tablet at the wall on which nobody is logged in: no names, and nothing to do."""
        answer = await self._ask(request, messages.Watch(tablet=self._tablet(request)))
        now, language = self._line.now, self._spoken(request)
        if not answer.ok or now is None:
            lost = answer.ok or answer.reason in ("gate-lost", "busy")
            return JSONResponse({"reason": answer.reason}, 503 if lost else 401)
        told = {
            "lost": self._line.lost,
            "title": self._view.title(language, now, lost=self._line.lost),
            "alarms": [alarm.id for alarm in unheard(now.alarms)],
            "regions": self._view.watched(language, now),
        }
        return JSONResponse(told)

    async def _log_in(self, request: Request) -> Response:
        fields = await read_form(request, self._token(request))
        try:
            asked = msgspec.convert({**fields, "type": "log-in", "tablet": self._tablet(request)}, messages.LogIn)
        except msgspec.ValidationError:
            wrong = Answer(id=0, ok=False, reason="not-understood")
            return await self._not_in(request, wrong, fields.get("name", ""))
        return await self._entered(request, await self._ask(request, asked), asked.name)

    async def _log_in_by_card(self, request: Request) -> Response:
        await read_form(request, self._token(request))
        answer = await self._ask(request, messages.LogInByCard(tablet=self._tablet(request)))
        return await self._entered(request, answer, "")

    async def _entered(self, request: Request, answer: Answer, name: str) -> Response:
        if not answer.ok:
            return await self._not_in(request, answer, name)
        response = RedirectResponse("/", 303)
        self._set(response, "", answer.token, None)
        self._set(response, "-tablet", answer.tablet, TABLET_S)
        return response

    async def _not_in(self, request: Request, answer: Answer, name: str) -> Response:
        said = self._word(request, "wait" if answer.wait_s else answer.reason)
        said = f"{said} {answer.wait_s}" if answer.wait_s else said
        status = 429 if answer.wait_s else 403
        return HTMLResponse(await self._login(request, self._token(request), said, name[:64]), status)

    async def _log_out(self, request: Request) -> Response:
        await read_form(request, self._token(request))
        await self._ask(request, messages.LogOut())
        self._out.append(self._token(request))
        await self._line.wake()
        response = RedirectResponse("/login", 303)
        self._set(response, "", new_cookie(), None)
        return response

    async def _language(self, request: Request) -> Response:
        fields = await read_form(request, self._token(request))
        other = "en" if self._spoken(request) == "zh" else "zh"
        response = RedirectResponse("/login" if fields.get("at") == "login" else "/", 303)
        self._set(response, "-language", other, YEAR_S)
        return response

    def _said(self, request: Request) -> str:
        """What the last form's answer was; no more of it than the gate has words for."""
        said, why = (request.query_params.get(name, "")[:MOST_SAID] for name in ("said", "why"))
        reasons = [each for each in why.split(",") if has_word(each)]
        number = request.query_params.get("number", "")
        place = int(number) if number.isascii() and number.isdigit() and len(number) <= 6 else 0
        known = self._view.words(self._spoken(request)).has(f"said-{said}")
        return self._outcome(request, said, reasons, place) if known else ""

    def _word(self, request: Request, reason: str) -> str:
        words = self._view.words(self._spoken(request))
        return words.said(reason) if words.has(f"said-{reason}") else ""

    # the page

    async def _home(self, request: Request) -> Response:
        answer = await self._ask(request, messages.Who())
        now = self._line.now
        if answer.reason == "gate-lost" or now is None:
            return PlainTextResponse(self._view.words(self._spoken(request))("gate-lost"), 503)
        if answer.person is None:
            return RedirectResponse("/login", 303)
        said = self._said(request)
        html = self._view.page(
            self._spoken(request), csrf_of(self._token(request)), answer.person, now, lost=self._line.lost, said=said
        )
        return HTMLResponse(html)

    async def _now(self, request: Request) -> Response:
        answer = await self._ask(request, messages.Who())
        if answer.person is None:
            return JSONResponse({"reason": answer.reason}, 503 if answer.reason == "gate-lost" else 401)
        return JSONResponse(self._state(request, answer.person))

    def _state(self, request: Request, person: Person) -> dict[str, Any]:
        now, language = self._line.now, self._spoken(request)
        state: dict[str, Any] = {
            "title": self._view.title(language, now, lost=self._line.lost),
            "lost": self._line.lost,
            "office": now is not None and now.office,
            "visit": now.visit if now is not None else "",
        }
        if now is not None:
            state["at"] = self._view.clock(now.at_ms)
            state["alarms"] = [alarm.id for alarm in unheard(now.alarms)]
            state["regions"] = self._view.regions(language, csrf_of(self._token(request)), person, now)
        return state

    async def _live(self, request: Request) -> Response:
        answer = await self._ask(request, messages.Who())
        if answer.person is None or self._streams >= MOST_STREAMS:
            return PlainTextResponse("", 401 if answer.person is None else 503)
        return StreamingResponse(
            self._stream(request, answer.person), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    async def _stream(self, request: Request, person: Person) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            version, lost, rounds = -1, False, 0
            token = self._token(request)
            while True:
                if self._line.version != version or self._line.lost is not lost:
                    version, lost = self._line.version, self._line.lost
                    yield _event("now", self._state(request, person))
                else:
                    at = self._view.clock(self._line.now.at_ms) if self._line.now is not None else ""
                    yield _event("beat", {"at": at, "lost": lost})
                await self._line.newer(version, BEAT_S, lambda: token in self._out)
                rounds += 1
                if token in self._out:
                    yield _event("end", {})
                    return
                if rounds % int(ASK_AGAIN_S / BEAT_S) == 0:
                    answer = await self._ask(request, messages.Who())
                    if answer.reason == "logged-out":
                        yield _event("end", {})
                        return
        finally:
            self._streams -= 1

    # doing

    async def _do(self, request: Request) -> Response:
        kind = ACTIONS.get(request.path_params["action"])
        if kind is None:
            return PlainTextResponse("no such thing\n", 404)
        fields = await read_form(request, self._token(request))
        try:
            action: Any = msgspec.convert(self._given(request, kind, fields), kind, strict=False)
        except msgspec.ValidationError:
            chosen = kind is not messages.Release or bool(self._reason(request, fields))
            return self._told(request, Answer(id=0, ok=False, reason="not-understood" if chosen else "no-reason"))
        return self._told(request, await self._ask(request, action))

    def _given(self, request: Request, kind: type[Any], fields: dict[str, str]) -> dict[str, str]:
        """The fields as the message has them: what was left empty is not said; a picked reason in words."""
        given = {name: value.strip() for name, value in fields.items() if value.strip()}
        if kind is messages.Release:
            given = {name: value for name, value in given.items() if name not in ("picked", "other")}
            given["reason"] = self._reason(request, fields)
        return {**given, "type": str(kind.__struct_config__.tag)}

    def _reason(self, request: Request, fields: Mapping[str, str]) -> str:
        """Why the gate is opened: what was picked, in words, and what was written beside it; "" for neither."""
        picked = fields.get("picked", "")
        named = self._view.words(self._spoken(request))(f"reason-{picked}") if picked in REASONS else ""
        return ": ".join(part for part in (named, fields.get("other", "").strip()) if part)

    def _told(self, request: Request, answer: Answer) -> Response:
        text = self._outcome(request, answer.reason, answer.why, answer.number) or self._view.words(
            self._spoken(request)
        )("done")
        status = (
            200
            if answer.ok
            else {"logged-out": 401, "gate-lost": 503, "not-understood": 422, "no-reason": 422}.get(answer.reason, 409)
        )
        if request.headers.get("accept", "").startswith("application/json"):
            return JSONResponse({"ok": answer.ok, "text": text, "reason": answer.reason}, status)
        told = {"said": answer.reason, "why": ",".join(answer.why), "number": str(answer.number or "")}
        query = urlencode({name: value for name, value in told.items() if value})
        return RedirectResponse(f"/?{query}" if query else "/", 303)

    def _outcome(self, request: Request, reason: str, why: Sequence[str] = (), number: int = 0) -> str:
        """What became of it, in words: those for its first reason, where there are any, else all its reasons; "" for nothing."""
        words = self._view.words(self._spoken(request))
        if why and words.has(f"said-{reason}-{why[0]}"):
            return words.said(f"{reason}-{why[0]}") + (f" {number}" if number else "")
        named = [words.machine(each) for each in why if each != "ok"]
        return " ".join([words.said(reason), ", ".join(named)]).strip() if reason else ""

    # a plate from a vehicle's papers: for the guard to look at, nothing is done with it

    async def _scan(self, request: Request) -> Response:
        picture = read_picture(request, self._token(request))
        return await self._refusal(request) or self._read(request, await self._scanner.read(picture))

    async def _scan_text(self, request: Request) -> Response:
        """What a hand scanner has typed, when it is too long to be a plate itself."""
        fields = await read_form(request, self._token(request))
        return await self._refusal(request) or self._read(request, in_texts([fields.get("text", "")]))

    async def _refusal(self, request: Request) -> Response | None:
        """The answer to who is not logged in."""
        answer = await self._ask(request, messages.Who())
        return self._told(request, answer) if answer.person is None else None

    def _read(self, request: Request, scanned: Scanned) -> Response:
        text = self._view.words(self._spoken(request)).said(scanned.reason)
        said = {"ok": bool(scanned.plate), "text": f"{text} {scanned.plate}".strip(), "reason": scanned.reason}
        status = 200 if scanned.plate else {"scan-busy": 429, "scan-failed": 503}.get(scanned.reason, 409)
        return JSONResponse({**said, "plate": scanned.plate}, status)

    async def _bad_form(self, request: Request, error: Exception) -> Response:
        status, reason = (error.status, error.reason) if isinstance(error, BadForm) else (400, "not-understood")
        text = self._view.words(self._spoken(request)).said(reason)
        if request.headers.get("accept", "").startswith("application/json"):
            return JSONResponse({"ok": False, "text": text}, status)
        return PlainTextResponse(text, status)

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._files:
            return PlainTextResponse("no such thing\n", 404)
        return Response(
            self._files[name], media_type=STATIC[name], headers={"Cache-Control": f"max-age={YEAR_S}, immutable"}
        )


def make_app(line: Line, scanner: Scanner | None = None) -> ASGIApp:
    """The whole application."""
    return Page(line, scanner or Scanner()).app()


def preferred(accepted: str) -> str:
    """The language of ours that an Accept-Language header likes best (RFC 9110, 12.5.4); "" where it names none."""
    liked: dict[str, float] = {}
    for part in accepted[:MOST_ACCEPTED].split(","):
        tag, _, quality = part.strip().partition(";")
        found = _QUALITY.fullmatch(quality.strip() or "q=1")
        language = tag.strip().partition("-")[0].lower()
        if language in LANGUAGES and found and float(found[1]) > 0:
            liked[language] = max(liked.get(language, 0.0), float(found[1]))
    return max(liked, key=lambda each: liked[each], default="")


def _event(what: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {what}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
