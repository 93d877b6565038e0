"""A question that is compiled once finds what the ORM finds each time."""

import pytest
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.test.utils import CaptureQueriesContext

from central.compiled import Compiled
from central.registry.models import Gate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


class Asked:
    """A question that counts how often it was built."""

    def __init__(self) -> None:
        self.built = 0

    def __call__(self, keys: list[str], sites: list[str]) -> QuerySet[Gate]:
        self.built += 1
        also = Exists(Gate.objects.filter(site=OuterRef("site"), name="main"))
        asked = Gate.objects.annotate(has_main=also, always=Value("0/0")).filter(pk__in=keys, site__in=sites)
        return asked.order_by("pk")


@pytest.fixture(autouse=True)
def gates() -> None:
    """Three gates of two sites, one of them the main one of its site."""
    for key, site, name in (("a", "north", "main"), ("b", "north", ""), ("c", "south", "")):
        Gate.objects.create(pk=key, site=site, name=name, devices=[{"name": "reader"}], admitted=True)


def test_the_rows_are_the_orms() -> None:
    asked = Asked()
    compiled = Compiled(Gate, asked)
    for keys, sites in (
        (["a", "c"], ["north", "south"]),
        (["c", "b"], ["south", "south"]),
        (["b", "zz"], ["north", "x"]),
    ):
        found, expected = compiled.ask(keys, sites), list(asked(keys, sites))
        assert [vars(gate) | {"_state": 0} for gate in found] == [vars(gate) | {"_state": 0} for gate in expected]
        assert [bool(vars(gate)["has_main"]) for gate in found] == [gate.site == "north" for gate in found]


def test_it_is_built_once_for_as_many_words() -> None:
    asked = Asked()
    compiled = Compiled(Gate, asked)
    for key in ("a", "b", "c"):
        assert [gate.pk for gate in compiled.ask([key], ["north", "south"])] == [key]
    assert asked.built == 1
    assert len(compiled.ask(["a", "b", "c"], ["north"])) == 2
    assert asked.built == 2


@pytest.mark.parametrize("word", ["\x000/0", "%s", "' OR 1=1 --", "a\\", "a"])
def test_a_word_is_a_value_and_nothing_else(word: str) -> None:
    if "\0" in word and connection.vendor == "postgresql":
        pytest.skip("PostgreSQL takes no NUL in a word, from whoever asks")
    found = Compiled(Gate, Asked()).ask([word, "b"], ["north"])
    assert [gate.pk for gate in found] == [key for key in sorted({word, "b"}) if key in "ab"]


def test_held_rows_are_held_and_in_order() -> None:
    for wanted in (["c", "a"], {"b", "a"}, Gate.objects.values_list("pk", flat=True), iter(["b"])):
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            held = Gate.hold(wanted)
        assert [gate.pk for gate in held] == sorted(gate.pk for gate in held)
        assert len(held) in (1, 2, 3)
        if connection.vendor == "postgresql":
            assert queries[-1]["sql"].endswith("FOR NO KEY UPDATE")
    assert Gate.hold([]) == []
