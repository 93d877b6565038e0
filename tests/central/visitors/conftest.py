"""A site at which visitors register by phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.timezone import now as office_now

from central.registry.models import Gate
from central.visitors import forms, public
from central.visitors.models import VisitorPolicy
from central.visitors.signs import renew, token_of
from menshen.keys import make_key_file
from tests.central.web.conftest import clerk, office, quick_passwords, seated, server, window  # noqa: F401  fixtures

SITE = "garden-court"


@pytest.fixture(autouse=True)
def nobody_waits() -> None:
    for limit in (public.PER_ADDRESS, public.PER_GATE, public.STRANGE):
        limit.forget()


@pytest.fixture(autouse=True)
def quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests fill in a form faster than people."""
    monkeypatch.setattr(forms, "FILLED_IN_S", -1)


@pytest.fixture
def key(office_folder: Path) -> Iterator[Path]:
    """The office's key for passes."""
    path = office_folder / "passes.key"
    make_key_file(path)
    yield path
    path.unlink()


@pytest.fixture
def policy(db: None) -> VisitorPolicy:
    return VisitorPolicy.objects.create(site=SITE, shown_name="花园小区", decides="ask")


@pytest.fixture
def address(policy: VisitorPolicy) -> str:
    """Of the form that the sign at the gate leads to."""
    gate = Gate.objects.create(pk="north-gate", name="北门", admitted=True, site=SITE)
    return f"/v/{token_of(renew(gate, office_now()))}/"
