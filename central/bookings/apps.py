"""The app's name for people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BookingsConfig(AppConfig):
    """Time slots and who booked them."""

    name = "central.bookings"
    verbose_name = _("Booked times")
