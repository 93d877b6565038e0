"""Health codes of a service: which texts they are, what its answers mean, and what happens when there is none."""

import json
import queue
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.settings import RequestFormat, ResolverConfig, WhenNoAnswer
from gateway.core.events import CredentialResolved, Outcome, Verdict
from gateway.core.moment import Moment
from gateway.credentials.anchors import Anchors
from gateway.directory import Card, Directory, DirectoryFile, Holder
from gateway.resolve import Resolver, ResolveWorkers, Trust, schemes_with
from gateway.resolve.asking import QUESTIONS
from gateway.resolve.server import FAILURES, PAUSE_MS, Breaker, Memory
from gateway.resolve.server_code import ServerCodes
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, Step
from tests.certificates import Authority
from tests.gateway.resolve.service import WAIT_S, Service, says, serving, waits

CODE = "JKM:s3cret-c0de"
NOW = Moment(mono_ms=1_000_000, at_ms=1_800_000_000_000)


def config(**changes: Any) -> ResolverConfig:
    settings: dict[str, Any] = {
        "pattern": "JKM:{code}",
        "endpoint": "https://jkm.example.gov.cn/",
        "request_field": "bizExtData",
        "answer_field": "data.status",
    }
    return ResolverConfig(**(settings | changes))


def later(seconds: float) -> Moment:
    """So much after NOW."""
    return Moment(NOW.mono_ms + round(seconds * 1000), NOW.at_ms + round(seconds * 1000))


def status(word: object) -> dict[str, object]:
    """An answer."""
    return {"data": {"status": word}}


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    directory = Directory(tmp_path / "directory.sqlite")
    directory.replace(
        DirectoryFile(
            version=7,
            holders=(Holder(holder="h-1", pass_type=PassType.RESIDENT),),
            cards=(Card(uid="000414CD7E", holder="h-1"),),
        )
    )
    return Trust(site="demo", anchors=Anchors, directory=directory, hash_key=b"k" * 32)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def service(authority: Authority) -> Iterator[Service]:
    with serving(says(status("green")), authority.issue("good")) as started:
        yield started


@pytest.fixture
def asked(service: Service, authority: Authority, trust: Trust) -> Any:
    """A resolver that asks the service: `asked(cache_s=…)`."""

    def make(**changes: Any) -> Resolver:
        return with_service(trust, service.config(ca_file=authority.file, **changes))

    return make


def with_service(trust: Trust, *configs: ResolverConfig) -> Resolver:
    """What a gate makes of its configuration."""
    return Resolver(trust, schemes_with(configs))


# which texts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("JKM:a-b_c.9", "a-b_c.9"),
        ("JKM:" + "a" * 256, "a" * 256),
        ("JKM:" + "a" * 257, None),
        ("JKM:", None),
        ("jkm:abc", None),
        ("XJKM:abc", None),
        ("JKM:a b", None),
        ("JKM:a\nb", None),
        ("JKM:a/../b", None),
        ("JKM:a?b=c&d#e", None),
        ("JKM:ａｂｃ", None),
        ("JKM:абв", None),
        ("JKM:١٢٣", None),
        ("JKM:\ud800", None),
        ("", None),
    ],
)
def test_a_code_is_literal_text_around_plain_characters(text: str, code: str | None) -> None:
    assert ServerCodes(config()).code(text) == code


def test_a_code_between_two_texts_never_shares_their_characters() -> None:
    codes = ServerCodes(config(pattern="ab{code}ba", code_min_length=1))
    assert codes.code("ab1ba") == "1"
    assert codes.code("aba") is None and codes.code("abba") is None


def test_other_characters_and_lengths_where_the_site_says_so() -> None:
    codes = ServerCodes(config(code_characters="+/=", code_min_length=3, code_max_length=4))
    assert [codes.code(f"JKM:{code}") for code in ("a+/=", "ab", "abcde", "a-b")] == ["a+/=", None, None, None]


@given(st.text(max_size=400))
def test_whatever_is_scanned_stays_a_value(text: str) -> None:
    codes = ServerCodes(config(request={"appId": "gate", "level": 2, "live": True}))
    code = codes.code("JKM:" + text)
    if code is not None:
        assert json.loads(codes.question(code)) == {"appId": "gate", "level": 2, "live": True, "bizExtData": text}


def test_a_question_as_a_form() -> None:
    codes = ServerCodes(config(request={"app": "门岗 1", "live": True}, request_format=RequestFormat.FORM))
    assert codes.question("a&b=c") == b"app=%E9%97%A8%E5%B2%97+1&live=true&bizExtData=a%26b%3Dc"


# what an answer means


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (b'{"data": {"status": "green"}}', HealthCode.GREEN),
        (b'{"data": {"status": "00"}}', HealthCode.GREEN),
        (b'{"data": {"status": 1}}', HealthCode.YELLOW),
        (b'{"data": {"status": true}}', HealthCode.RED),
        (b'{"data": {"status": "over"}}', "expired"),
        (b'{"data": {"status": "nobody"}}', "code-not-found"),
        (b'{"data": {"status": "busy"}}', "check-failed"),
        (b'{"data": "{\\"status\\": \\"green\\"}"}', HealthCode.GREEN),
        (b'{"data": {"status": "Green"}}', "answer-not-understood"),
        (b'{"data": {"status": 1.0}}', "answer-not-understood"),
        (b'{"data": {"status": null}}', "answer-not-understood"),
        (b'{"data": {"status": ["green"]}}', "answer-not-understood"),
        (b'{"data": {"status": "red", "status": "green"}}', "answer-not-understood"),
        (b'{"data": {"status": "green"}} x', "answer-not-understood"),
        (b'{"status": "green"}', "answer-not-understood"),
        (b'{"data": ["green"]}', "answer-not-understood"),
        (b'{"data": 7}', "answer-not-understood"),
        (b'{"data": "nonsense"}', "answer-not-understood"),
        (b'{"data": {"status": NaN}}', "answer-not-understood"),
        (b'{"data": {"status": ' + b"9" * 5000 + b"}}", "answer-not-understood"),
        (b"[" * 60_000, "answer-not-understood"),
        (b'"green"', "answer-not-understood"),
        (b"<html>green</html>", "answer-not-understood"),
        (b"\xff\xfe", "answer-not-understood"),
        (b"", "answer-not-understood"),
    ],
)
def test_what_an_answer_means(answer: bytes, meaning: HealthCode | str) -> None:
    codes = ServerCodes(
        config(
            green=("green", "00"),
            yellow=("1",),
            red=("true",),
            expired=("over",),
            not_found=("nobody",),
            failed=("busy",),
        )
    )
    assert codes.meaning(answer) == meaning


def test_an_answer_as_one_province_gave_it() -> None:
    """The shape that the health code of Hubei had: JSON in a text, and in it a list (docs/resolvers.md)."""
    inner = json.dumps({"data": {"healthyReport": [{"healthyStaus": "00"}]}})
    codes = ServerCodes(config(answer_field="data.content.data.healthyReport.0.healthyStaus", green=("00",)))
    assert codes.meaning(json.dumps({"errcode": 0, "data": {"content": inner}}).encode()) is HealthCode.GREEN
    assert codes.meaning(json.dumps({"data": {"content": '{"data": {"healthyReport": []}}'}}).encode()) == (
        "answer-not-understood"
    )


@given(st.binary(max_size=300))
def test_any_other_answer_is_not_understood(answer: bytes) -> None:
    assert ServerCodes(config()).meaning(answer) == "answer-not-understood"


# verdicts


@pytest.mark.parametrize("colour", HealthCode)
def test_each_colour(asked: Any, service: Service, trust: Trust, colour: HealthCode) -> None:
    service.behave = says(status(colour.value))
    verdict = asked().text(CODE, NOW)
    assert verdict == Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind="health-code",
        credential=trust.reference(CODE),
        serves=frozenset({Step.HEALTH_CODE}),
        health_code=colour,
    )
    assert [json.loads(body) for body in service.bodies] == [{"bizExtData": "s3cret-c0de"}]


@pytest.mark.parametrize(
    ("answer", "http", "outcome", "reason"),
    [
        (status("expired"), 200, Outcome.EXPIRED, "expired"),
        (status("not-found"), 200, Outcome.UNKNOWN, "code-not-found"),
        (status("failed"), 200, Outcome.NEEDS_ONLINE, "check-failed"),
        (status("purple"), 200, Outcome.NEEDS_ONLINE, "answer-not-understood"),
        (b"<html>", 200, Outcome.NEEDS_ONLINE, "answer-not-understood"),
        (status("green"), 500, Outcome.NEEDS_ONLINE, "server-error"),
        (status("green"), 403, Outcome.NEEDS_ONLINE, "server-refused"),
        (status("green"), 302, Outcome.NEEDS_ONLINE, "server-redirects"),
        (b" " * 70_000, 200, Outcome.NEEDS_ONLINE, "answer-too-large"),
    ],
)
def test_every_other_answer_serves_nothing(
    asked: Any, service: Service, answer: object, http: int, outcome: Outcome, reason: str
) -> None:
    service.behave = says(answer, http)
    verdict = asked().text(CODE, NOW)
    assert (verdict.outcome, verdict.reason, verdict.kind) == (outcome, reason, "health-code")
    assert not verdict.serves and verdict.health_code is None
    assert "s3cret" not in repr(verdict)


def test_without_an_answer_a_site_may_refuse(asked: Any, service: Service) -> None:
    service.behave = says(b"", 500)
    verdict = asked(when_no_answer=WhenNoAnswer.REFUSE).text(CODE, NOW)
    assert (verdict.outcome, verdict.reason, verdict.denied) == (Outcome.NEEDS_ONLINE, "server-error", True)


def test_a_lie_about_the_certificate_is_for_the_guard(trust: Trust, authority: Authority) -> None:
    with serving(says(status("green")), authority.issue("liar", host="jkm.example")) as liar:
        verdict = with_service(trust, liar.config(ca_file=authority.file)).text(CODE, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.NEEDS_ONLINE, "server-certificate")


def test_services_are_asked_in_order_and_other_texts_none(trust: Trust, service: Service, authority: Authority) -> None:
    first = service.config(ca_file=authority.file)
    second = service.config(ca_file=authority.file, pattern="JKM:x{code}", request_field="other")
    resolver = with_service(trust, first, second)
    assert resolver.asks_servers and resolver.asks(CODE) and resolver.asks("JKM:xy")
    resolver.text("JKM:xy", NOW)
    assert [json.loads(body) for body in service.bodies] == [{"bizExtData": "xy"}]
    for text in ("any other text", "MP1:JKM:abc", "JKM:\n", ""):
        assert not resolver.asks(text)
        resolver.text(text, NOW)
    assert len(service.bodies) == 1
    assert not Resolver(trust).asks_servers


def test_a_gate_that_asks_nobody_has_nothing_in_memory_to_ask_with() -> None:
    probe = "import sys, gateway.gate; print([name for name in ('urllib3', 'gateway.resolve.asking') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# memory


def test_an_answer_is_remembered_for_a_while(asked: Any, service: Service) -> None:
    resolver = asked(cache_s=60)
    first = resolver.text(CODE, NOW)
    service.behave = says(status("red"))
    assert resolver.text(CODE, later(59.9)) == first
    assert len(service.bodies) == 1
    assert resolver.text(CODE, later(60)).health_code is HealthCode.RED
    assert resolver.text("JKM:other", NOW).health_code is HealthCode.RED


def test_nothing_is_remembered_where_the_site_does_not_want_it(asked: Any, service: Service) -> None:
    resolver = asked(cache_s=0)
    resolver.text(CODE, NOW)
    resolver.text(CODE, NOW)
    assert len(service.bodies) == 2


def test_the_last_answer_stands_in_only_where_the_site_wants_it(asked: Any, service: Service) -> None:
    never, for_a_while = asked(cache_s=1), asked(cache_s=1, offline_cache_s=3600)
    for resolver in (never, for_a_while):
        assert resolver.text(CODE, NOW).reason == "ok"
    service.behave = says(b"", 503)
    assert never.text(CODE, later(10)).reason == "server-error"
    stands_in = for_a_while.text(CODE, later(10))
    assert (stands_in.outcome, stands_in.health_code, stands_in.reason) == (
        Outcome.VALID,
        HealthCode.GREEN,
        "last-answer",
    )
    assert for_a_while.text(CODE, later(3600)).reason == "server-error"
    assert for_a_while.text("JKM:other", later(10)).reason == "server-error"


def test_a_failure_is_not_remembered(asked: Any, service: Service) -> None:
    resolver = asked()
    service.behave = says(b"", 500)
    assert resolver.text(CODE, NOW).reason == "server-error"
    service.behave = says(status("green"))
    assert resolver.text(CODE, NOW).reason == "ok"


def test_a_question_without_a_place_is_no_answer_and_no_fault_of_the_server(
    asked: Any, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = asked(timeout_s=WAIT_S, cache_s=60, offline_cache_s=3600, when_no_answer=WhenNoAnswer.REFUSE)
    assert resolver.text(CODE, NOW).reason == "ok"
    assert service.asked.acquire(timeout=WAIT_S)
    service.behave = waits
    with ThreadPoolExecutor(QUESTIONS) as others:
        for number in range(QUESTIONS):
            others.submit(resolver.text, f"JKM:{number}", later(61))
        assert all(service.asked.acquire(timeout=WAIT_S) for _ in range(QUESTIONS))
        assert resolver.text(CODE, later(61)).reason == "last-answer"
        unknown = resolver.text("JKM:other", later(61))
        assert (unknown.outcome, unknown.reason, unknown.denied) == (Outcome.UNCHECKED, "too-many", False)
        assert caplog.records == []
        service.over.set()
    service.behave = says(status("green"))
    assert resolver.text("JKM:other", later(3600)).reason == "ok"  # nothing of it was kept


def test_memory_is_bounded() -> None:
    memory = Memory(most=3)
    for name in "abcd":
        memory.keep(Verdict(outcome=Outcome.VALID, reason="ok", kind="health-code", credential=name), 0)
    assert [memory.recall(name, 1, 10) is not None for name in "abcd"] == [False, True, True, True]


# a server that is down


def test_after_some_failures_nobody_waits_and_it_is_tried_again(asked: Any, service: Service, caplog: Any) -> None:
    resolver = asked(cache_s=0, timeout_s=5.0)
    service.behave = says(b"", 500)
    reasons = [resolver.text(CODE, NOW).reason for _ in range(FAILURES + 2)]
    assert reasons == ["server-error"] * FAILURES + ["server-unreachable"] * 2
    assert len(service.bodies) == FAILURES
    service.behave = says(status("green"))
    assert resolver.text(CODE, later(5.0 + PAUSE_MS[0] / 1000)).reason == "ok"
    assert resolver.text(CODE, later(11)).reason == "ok"
    lines = [record.getMessage() for record in caplog.records if record.name == "menshen.resolve"]
    assert lines == ["resolver province: server-error", "resolver province: answers again"]


def test_a_pause_grows_while_the_server_stays_away() -> None:
    breaker = Breaker(3_000)
    now, pauses = 0, []
    for _ in range(FAILURES):
        breaker.note("no-answer", now)
    for _ in range(6):
        since = now
        while not breaker.lets(now):
            now += 500
        assert not breaker.lets(now)
        pauses.append(now - since - 3_000)
        breaker.note("no-answer", now)
    assert pauses == [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
    breaker.note("", now)
    assert breaker.lets(now)


def test_a_refusal_is_no_failure_of_the_server() -> None:
    breaker = Breaker(3_000)
    for _ in range(10):
        breaker.note("server-refused", 0)
    assert breaker.lets(0)


# workers


class Desk:
    """Workers and what they post."""

    def __init__(self, resolver: Resolver) -> None:
        self.answers: queue.Queue[CredentialResolved] = queue.Queue()
        self.workers = ResolveWorkers(resolver, self.answers.put, threads=1)

    def __enter__(self) -> "Desk":
        self.workers.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.workers.stop()

    def answer(self) -> Verdict:
        return self.answers.get(timeout=WAIT_S).verdict


def test_a_card_is_answered_before_a_slow_server(asked: Any, service: Service) -> None:
    service.behave = waits
    with Desk(asked(timeout_s=10.0)) as desk:
        desk.workers.text(CODE, "camera", Direction.ENTRY, NOW)
        assert service.asked.acquire(timeout=WAIT_S)
        desk.workers.card("000414CD7E", "reader", Direction.ENTRY, NOW)
        desk.workers.text("unknown", "camera", Direction.ENTRY, NOW)
        assert [desk.answer().reason for _ in range(2)] == ["ok", "unknown-code"]
        service.over.set()
        assert desk.answer().reason == "server-unreachable"


def test_more_codes_than_can_be_asked_about_are_for_the_guard_at_once(asked: Any, service: Service) -> None:
    service.behave = waits
    with Desk(asked(timeout_s=10.0)) as desk:
        for number in range(6):
            desk.workers.text(f"JKM:{number}", "camera", Direction.ENTRY, NOW)
        refusals = [desk.answer() for _ in range(2)]
        assert {(each.outcome, each.reason, each.kind) for each in refusals} == {
            (Outcome.UNCHECKED, "too-many", "health-code")
        }
        service.over.set()
        assert {desk.answer().reason for _ in range(4)} == {"server-unreachable"}
        service.behave = says(status("green"))
        desk.workers.text("JKM:next", "camera", Direction.ENTRY, NOW)
        assert desk.answer().reason == "server-unreachable"  # nobody waits for a server that just failed


def test_a_code_that_is_being_asked_about_is_asked_about_once(asked: Any, service: Service) -> None:
    def answers_when_told(given: Service, request: BaseHTTPRequestHandler) -> None:
        given.over.wait(WAIT_S)
        says(status("green"))(given, request)

    service.behave = answers_when_told
    with Desk(asked(timeout_s=10.0, cache_s=0)) as desk:
        for _ in range(3):
            desk.workers.text(CODE, "camera", Direction.ENTRY, NOW)
        assert service.asked.acquire(timeout=WAIT_S)
        service.over.set()
        assert desk.answer().reason == "ok"
        desk.workers.text(CODE, "camera", Direction.ENTRY, NOW)
        assert desk.answer().reason == "ok"
    assert desk.answers.empty() and len(service.bodies) == 2
