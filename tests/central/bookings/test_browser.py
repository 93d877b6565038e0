"""The pages of slots, bookings and of what a site wants of visitors, in a real browser."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now as office_now
from playwright.sync_api import BrowserContext, expect

from central.accounts.models import User
from central.bookings.models import Booking, TimeSlot
from central.holders.models import Holder
from central.visitors.models import VisitorPolicy
from tests.central.holders.test_browser import look_at

pytestmark = pytest.mark.timeout(120)
SITE = "garden-court"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_pages_are_readable_by_everybody(window: BrowserContext, server: str, language: str, width: int) -> None:
    client = Client()
    client.force_login(User.objects.create_user("li", is_staff=True, is_superuser=True))
    window.add_cookies([
        {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server},
        {"name": "django_language", "value": language, "url": server},
    ])  # fmt: skip
    holder = Holder.objects.create(site=SITE, reference="h-1", name="李四")
    TimeSlot.objects.create(site=SITE, begins="09:00", ends="10:00", places=20)
    VisitorPolicy.objects.create(site=SITE)
    begins = office_now() + timedelta(hours=1)
    Booking.objects.create(site=SITE, holder=holder, begins=begins, ends=begins + timedelta(hours=1))
    page = window.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    for address in ("bookings/timeslot/", "bookings/timeslot/add/", "bookings/booking/", "visitors/visitorpolicy/add/"):
        look_at(page, f"/admin/{address}", width)
    page.goto("/admin/")
    expect(page.locator("a[href='/admin/bookings/booking/']").first).to_be_visible()
