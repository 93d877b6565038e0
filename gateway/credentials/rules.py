"""The site's rule: whether what a health certificate states counts as a green health code. One rule for every format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from gateway.core.policy import CertificatePolicy, Statement
from gateway.credentials.certificate import HealthStatement, Recovery, Test, Vaccination
from sync.contract.colours import HealthCode

_HOUR_S: Final = 3_600
_ANY_ZONE_D: Final = 1  # a date has no time zone: where it was written, it may be a day later than in UTC


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the site's rule makes of a certificate: a colour with the reason `ok`, or none and why not."""

    health_code: HealthCode | None
    reason: str = "ok"


GREEN: Final = Ruling(HealthCode.GREEN)
RED: Final = Ruling(HealthCode.RED)


def judge(statements: Sequence[HealthStatement], policy: CertificatePolicy, now_s: float) -> Ruling:
    """The ruling on what one certificate states, at `now_s` (Unix seconds).

    A recent test that found the virus makes it red, whatever else it states. Else one statement that counts is enough; when
    none does, the reason is the first one's, in the order vaccination, recovery, test. Vaccinations are taken together: of
    those with an accepted product, the last dose decides (see `_last_dose`). Days are counted in UTC.

    Reasons: `vaccination-not-accepted`, `test-not-accepted`, `recovery-not-accepted`; `vaccine-not-accepted`,
    `vaccination-incomplete`, `vaccination-too-fresh`, `vaccination-too-old`; `test-in-future`, `test-too-old`;
    `recovery-too-fresh`, `recovery-too-old`; `no-statement`."""
    if any(_found_now(statement, policy, now_s) for statement in statements):
        return RED
    rulings = list(_rulings(statements, policy, now_s))
    if GREEN in rulings:
        return GREEN
    return rulings[0] if rulings else Ruling(None, "no-statement")


def _rulings(statements: Sequence[HealthStatement], policy: CertificatePolicy, now_s: float) -> Iterator[Ruling]:
    today = datetime.fromtimestamp(now_s, UTC).date()
    doses = [each for each in statements if isinstance(each, Vaccination)]
    if doses:
        yield _if_accepted(Statement.VACCINATION, policy) or _vaccinations(doses, policy, today)
    for statement in statements:
        if isinstance(statement, Recovery):
            yield _if_accepted(Statement.RECOVERY, policy) or _recovery(statement, policy, today)
    for statement in statements:
        if isinstance(statement, Test):
            yield _if_accepted(Statement.TEST, policy) or _test(statement, policy, now_s)


def _if_accepted(kind: Statement, policy: CertificatePolicy) -> Ruling | None:
    return None if kind in policy.accepted else Ruling(None, f"{kind}-not-accepted")


def _found_now(statement: HealthStatement, policy: CertificatePolicy, now_s: float) -> bool:
    """Whether it is a test that found the virus, and not so long ago that the same infection could count as recovered."""
    if not (isinstance(statement, Test) and statement.detected):
        return False
    age_h = (now_s - statement.taken_s) / _HOUR_S
    return age_h <= max(policy.recovery_from_days * 24, policy.molecular_test_max_h, policy.rapid_test_max_h)


def _vaccinations(doses: Sequence[Vaccination], policy: CertificatePolicy, today: date) -> Ruling:
    accepted = [dose for dose in doses if not policy.vaccines or dose.product in policy.vaccines]
    if not accepted:
        return Ruling(None, "vaccine-not-accepted")
    last, dose = _last_dose(accepted)
    age_d = (today - last.on).days
    if dose < last.course:
        return Ruling(None, "vaccination-incomplete")
    booster = _is_booster(dose, last.course)
    from_d = 0 if booster else policy.vaccination_from_days
    if age_d < (from_d or -_ANY_ZONE_D):
        return Ruling(None, "vaccination-too-fresh")
    if age_d > (policy.booster_max_days if booster else policy.vaccination_max_days):
        return Ruling(None, "vaccination-too-old")
    return GREEN


def _last_dose(doses: Sequence[Vaccination]) -> tuple[Vaccination, int]:
    """The latest dose and its number: what it says itself, or the days on which doses were given where those are more. So a
    card that lists every dose as one of a course of its own (SMART) and one that counts them (EU) come to the same."""
    last = max(doses, key=lambda dose: (dose.on, dose.dose, dose.course, dose.product))
    return last, max(last.dose, len({dose.on for dose in doses}))


def _is_booster(dose: int, course: int) -> bool:
    """3/3 after a course of two, 2/1 after a course of one: how boosters are written (Implementing Decision (EU) 2021/2301,
    with Delegated Regulation (EU) 2021/2288, which sets no end to their acceptance)."""
    return dose > course or dose == course >= 3


def _recovery(recovery: Recovery, policy: CertificatePolicy, today: date) -> Ruling:
    age_d = (today - recovery.positive_on).days
    if age_d < policy.recovery_from_days:
        return Ruling(None, "recovery-too-fresh")
    if age_d > policy.recovery_max_days or (recovery.until is not None and today > recovery.until):
        return Ruling(None, "recovery-too-old")
    return GREEN


def _test(test: Test, policy: CertificatePolicy, now_s: float) -> Ruling:
    age_h = (now_s - test.taken_s) / _HOUR_S
    if age_h < 0:
        return Ruling(None, "test-in-future")
    # one that found the virus and came here is over, and says nothing about today
    if test.detected or age_h > (policy.rapid_test_max_h if test.rapid else policy.molecular_test_max_h):
        return Ruling(None, "test-too-old")
    return GREEN
