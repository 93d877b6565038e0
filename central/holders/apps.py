"""The app's name for people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HoldersConfig(AppConfig):
    """Holders, cards and orders."""

    name = "central.holders"
    verbose_name = _("Directory")
