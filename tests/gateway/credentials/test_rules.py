"""The site's rule: ages, courses, boosters, and several statements in one certificate."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.policy import CertificatePolicy, Statement
from gateway.credentials import certificate as forms
from gateway.credentials.rules import GREEN, RED, Ruling, judge
from sync.contract.colours import HealthCode

NOW = datetime(2022, 3, 1, 12, tzinfo=UTC)
NOW_S = NOW.timestamp()
POLICY = CertificatePolicy()
BIONTECH, JANSSEN = "EU/1/20/1528", "EU/1/20/1525"


def ruled(*statements: forms.HealthStatement, policy: CertificatePolicy = POLICY) -> str:
    ruling = judge(statements, policy, NOW_S)
    return ruling.reason if ruling.health_code is None else ruling.health_code.value


def dose(days_ago: int, number: int = 2, course: int = 2, product: str = BIONTECH) -> forms.Vaccination:
    return forms.Vaccination(on=NOW.date() - timedelta(days=days_ago), dose=number, course=course, product=product)


def sampled(hours_ago: float, *, rapid: bool = False, detected: bool = False) -> forms.Test:
    return forms.Test(taken_s=NOW_S - hours_ago * 3600, rapid=rapid, detected=detected)


def recovered(days_ago: int, until: date | None = None) -> forms.Recovery:
    return forms.Recovery(positive_on=NOW.date() - timedelta(days=days_ago), until=until)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (dose(13), "vaccination-too-fresh"),
        (dose(14), "green"),
        (dose(270), "green"),
        (dose(271), "vaccination-too-old"),
        (dose(-1), "vaccination-too-fresh"),
        (dose(30, 1, 2), "vaccination-incomplete"),
        (dose(400, 1, 2), "vaccination-incomplete"),
        (dose(14, 1, 1, JANSSEN), "green"),
        (dose(271, 1, 1, JANSSEN), "vaccination-too-old"),
        (dose(0, 3, 3), "green"),
        (dose(0, 3, 2), "green"),
        (dose(0, 2, 1, JANSSEN), "green"),
        (dose(-1, 3, 3), "green"),  # where it was given it is tomorrow already
        (dose(-2, 3, 3), "vaccination-too-fresh"),
        (dose(3650, 3, 3), "green"),
        (dose(3651, 3, 3), "vaccination-too-old"),
        (sampled(0), "green"),
        (sampled(72), "green"),
        (sampled(72.01), "test-too-old"),
        (sampled(24, rapid=True), "green"),
        (sampled(24.01, rapid=True), "test-too-old"),
        (sampled(-0.01), "test-in-future"),
        (sampled(1, detected=True), "red"),
        (sampled(-1, detected=True), "red"),
        (sampled(11 * 24, rapid=True, detected=True), "red"),
        (sampled(11 * 24 + 1, detected=True), "test-too-old"),
        (recovered(10), "recovery-too-fresh"),
        (recovered(11), "green"),
        (recovered(180), "green"),
        (recovered(181), "recovery-too-old"),
        (recovered(20, NOW.date()), "green"),
        (recovered(20, NOW.date() - timedelta(days=1)), "recovery-too-old"),
    ],
)
def test_one_statement(statement: forms.HealthStatement, expected: str) -> None:
    assert ruled(statement) == expected


@pytest.mark.parametrize(
    ("kind", "statement"),
    [(Statement.VACCINATION, dose(20)), (Statement.TEST, sampled(1)), (Statement.RECOVERY, recovered(20))],
)
def test_kinds_that_a_site_does_not_accept(kind: Statement, statement: forms.HealthStatement) -> None:
    others = tuple(each for each in Statement if each is not kind)
    assert ruled(statement, policy=replace(POLICY, accepted=others)) == f"{kind.value}-not-accepted"
    assert ruled(statement, policy=replace(POLICY, accepted=(kind,))) == "green"


def test_a_test_that_found_the_virus_is_red_where_tests_are_not_accepted() -> None:
    assert ruled(sampled(1, detected=True), policy=replace(POLICY, accepted=(Statement.VACCINATION,))) == "red"


def test_accepted_products() -> None:
    policy = replace(POLICY, vaccines=(BIONTECH, "208"))
    assert ruled(dose(20), policy=policy) == "green"
    assert ruled(dose(20, product="208"), policy=policy) == "green"
    assert ruled(dose(20, product="Sputnik-V"), policy=policy) == "vaccine-not-accepted"
    assert ruled(dose(40, 1, 2), dose(20, 2, 2, "Sputnik-V"), policy=policy) == "vaccination-incomplete"


def test_a_day_without_waiting() -> None:
    policy = replace(POLICY, vaccination_from_days=0)
    assert ruled(dose(0), policy=policy) == "green"
    assert ruled(dose(-1), policy=policy) == "green"
    assert ruled(dose(-2), policy=policy) == "vaccination-too-fresh"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((), "no-statement"),
        ((dose(60, 1), dose(20, 2)), "green"),
        ((dose(20, 2), dose(60, 1)), "green"),
        ((dose(60, 1), dose(5, 2)), "vaccination-too-fresh"),
        ((dose(60, 1), dose(60, 1)), "vaccination-incomplete"),  # the same dose twice is one
        ((dose(60, 1), dose(20, 1)), "green"),  # two days, so two doses
        ((dose(400, 1), dose(380, 2), dose(0, 3)), "green"),  # the third of a course of two
        ((dose(400, 1, 1), dose(300, 1, 1)), "green"),  # and the second of a course of one: boosters
        ((dose(400), sampled(1)), "green"),
        ((sampled(100), dose(400)), "vaccination-too-old"),  # the reason is the vaccination's
        ((sampled(100), recovered(400)), "recovery-too-old"),
        ((dose(20), sampled(1, detected=True)), "red"),
        ((dose(20), sampled(1000, detected=True)), "green"),
    ],
)
def test_several_statements(statements: tuple[forms.HealthStatement, ...], expected: str) -> None:
    assert ruled(*statements) == expected


_STATEMENTS = (
    st.builds(dose, st.integers(-400, 4000), st.integers(1, 9), st.integers(1, 9))
    | st.builds(sampled, st.floats(-1000, 10_000), rapid=st.booleans(), detected=st.booleans())
    | st.builds(recovered, st.integers(-400, 4000))
)


@given(st.lists(_STATEMENTS, max_size=5), st.randoms())
def test_the_order_of_vaccinations_and_a_copy_change_nothing(
    statements: list[forms.HealthStatement], random: object
) -> None:
    colour = judge(statements, POLICY, NOW_S).health_code
    random.shuffle(statements)  # type: ignore[attr-defined]  # hypothesis's own Random
    assert judge([*statements, *statements], POLICY, NOW_S).health_code == colour


@given(st.lists(_STATEMENTS, max_size=5))
def test_every_ruling_is_a_colour_or_a_reason(statements: list[forms.HealthStatement]) -> None:
    ruling = judge(statements, POLICY, NOW_S)
    assert ruling in (GREEN, RED) or (ruling.health_code is None and ruling.reason not in {"", "ok"})
    assert ruling != Ruling(HealthCode.YELLOW)
