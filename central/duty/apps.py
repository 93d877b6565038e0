"""The app's name for people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DutyConfig(AppConfig):
    """The roster."""

    name = "central.duty"
    verbose_name = _("Duty")
