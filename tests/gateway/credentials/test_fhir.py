"""What a FHIR bundle states, by our reading of it."""

from datetime import UTC, date, datetime

import pytest

from gateway.core.policy import Fact
from gateway.credentials.certificate import HealthStatement, Vaccination
from gateway.credentials.certificate import Test as Sample  # pytest would take it for a test of its own
from gateway.credentials.fhir import CVX, LOINC, SNOMED, read_bundle
from sync.errors import CredentialRefused
from tests.health_cards import bundle, immunization, observation, patient


def stated(*resources: object) -> tuple[HealthStatement, ...]:
    return read_bundle(bundle(patient(), *resources))[0]


@pytest.mark.parametrize(
    ("codes", "doses"),
    [
        (["208"], [(1, 2)]),
        (["208", "208"], [(1, 2), (2, 2)]),
        (["207", "207", "229"], [(1, 2), (2, 2), (3, 2)]),
        (["212"], [(1, 1)]),
        (["212", "208"], [(1, 1), (2, 1)]),
        (["208", "212"], [(1, 2), (2, 2)]),
        (["513", "513", "513"], [(1, 3), (2, 3), (3, 3)]),
        (["229"], [(1, 2)]),  # a booster that stands alone is a first dose
    ],
)
def test_doses_are_numbered_and_the_first_one_says_how_many_there_should_be(
    codes: list[str], doses: list[tuple[int, int]]
) -> None:
    given = [immunization(f"2026-0{month}-01", code) for month, code in enumerate(codes, start=1)]
    found = stated(*reversed(given))
    assert [(each.dose, each.course) for each in found if isinstance(each, Vaccination)] == doses
    assert [each.product for each in found if isinstance(each, Vaccination)] == codes


def test_one_dose_that_two_registers_reported_is_one() -> None:
    assert len(stated(immunization("2026-01-01", "208"), immunization("2026-01-01T09:00:00Z", "213"))) == 1


@pytest.mark.parametrize(
    "resource",
    [
        immunization("2026-01-01", "140"),  # influenza
        immunization("2026-01-01", "206"),  # monkeypox
        immunization("2026-01-01", status="not-done"),
        immunization("2026-01-01", status="entered-in-error"),
        immunization("2026-01-01", vaccineCode={"coding": [{"system": "http://id.who.int/icd11/mms", "code": "208"}]}),
        immunization("2026-01-01", vaccineCode={"coding": [{"system": CVX, "code": 208}]}),
        immunization("2026-01-01", vaccineCode="208"),
        immunization("2026-01"),
        immunization("2026"),
        immunization("2026-02-30"),
        immunization("20260101"),
        immunization("2026-W01-1"),
        immunization("2026-01-01T10:00"),
        immunization("2026-01-01T10:00:00"),
        immunization("2026-01-01\n"),
        immunization("２０２６-01-01"),
        immunization(""),
        observation("2026-01-01", "94563-4"),  # antibodies
        observation("2026-01-01", status="preliminary"),
        observation("2026-01-01", snomed="419984006"),  # inconclusive
        observation("2026-01-01", valueCodeableConcept={"coding": [{"system": LOINC, "code": "260415000"}]}),
        observation("2026-01"),
        {"resourceType": "DiagnosticReport", "status": "final"},
        {"resourceType": ["Immunization"]},
        {},
        None,
        [],
        "Immunization",
    ],
)
def test_what_is_not_understood_states_nothing(resource: object) -> None:
    assert stated(resource) == ()


@pytest.mark.parametrize("content", [{}, {"entry": None}, {"entry": {}}, {"entry": ["x", None, {"resource": 1}]}])
def test_a_bundle_of_anything_states_nothing(content: dict[str, object]) -> None:
    assert read_bundle(content) == ((), {})


def test_the_day_of_a_dose_is_the_day_where_it_was_given() -> None:
    (found,) = stated(immunization("2026-01-01T23:30:00-10:00"))
    assert isinstance(found, Vaccination) and found.on == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("loinc", "snomed", "rapid", "detected"),
    [
        ("94500-6", "260415000", False, False),
        ("94500-6", "260373001", False, True),
        ("94558-4", "260415000", True, False),
        ("97097-0", "10828004", True, True),
        ("94309-2", "720735008", False, True),  # presumptive positive
        ("94309-2", "260385009", False, False),
    ],
)
def test_tests(loinc: str, snomed: str, rapid: bool, detected: bool) -> None:
    moment = datetime(2026, 1, 1, 9, 30, 15, tzinfo=UTC)
    assert stated(observation("2026-01-01T10:30:15+01:00", loinc, snomed)) == (
        Sample(moment.timestamp(), rapid=rapid, detected=detected),
    )


def test_a_test_of_a_mere_day_was_taken_when_that_day_began_first() -> None:
    (found,) = stated(observation("2026-01-02"))
    assert isinstance(found, Sample) and found.taken_s == datetime(2026, 1, 1, 10, tzinfo=UTC).timestamp()


def test_a_code_among_others_is_found() -> None:
    codings = [{"system": SNOMED, "code": "1"}, "x", {"system": CVX, "code": "208"}, {"system": CVX, "code": "140"}]
    assert len(stated(immunization("2026-01-01", vaccineCode={"coding": codings}))) == 1


@pytest.mark.parametrize(
    ("person", "name"),
    [
        (patient("Anyperson", "John", "B."), "John B. Anyperson"),
        (patient("张", "伟"), "伟 张"),
        ({"resourceType": "Patient", "name": [{"text": "A B"}]}, "A B"),
        ({"resourceType": "Patient", "name": [{"family": 7, "given": "x"}]}, None),
        ({"resourceType": "Patient", "name": "A B"}, None),
        ({"resourceType": "Patient"}, None),
    ],
)
def test_names(person: dict[str, object], name: str | None) -> None:
    assert read_bundle(bundle(person))[1].get(Fact.NAME) == name


def test_doses_of_two_people_do_not_count_together() -> None:
    doses = [immunization("2021-01-01"), immunization("2021-02-01")]
    assert len(read_bundle(bundle(patient("A", "Ann"), *doses))[0]) == 2
    with pytest.raises(CredentialRefused, match="bad-schema"):
        read_bundle(bundle(patient("A", "Ann"), patient("B", "Bob"), *doses))


def test_facts() -> None:
    given = (immunization("2026-01-01"), observation("2026-01-02"))
    content = bundle(patient("A", born="2000-02-03"), *given)
    assert read_bundle(content)[1] == {
        Fact.STATEMENT: "vaccination test",
        Fact.NAME: "A",
        Fact.BIRTH_DATE: "2000-02-03",
    }
