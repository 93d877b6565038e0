"""The app's name for people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DrillsConfig(AppConfig):
    """Drills."""

    name = "central.drills"
    verbose_name = _("Drills")
