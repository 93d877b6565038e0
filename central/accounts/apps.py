"""The accounts application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Connects the throttle of logins."""

    name = "central.accounts"

    def ready(self) -> None:
        """Called by Django once."""
        from central.accounts import throttle

        throttle.connect()
