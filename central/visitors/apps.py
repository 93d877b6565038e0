"""The app's name for people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VisitorsConfig(AppConfig):
    """Registrations, and what a site wants of them."""

    name = "central.visitors"
    verbose_name = _("Visitors")
