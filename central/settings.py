"""Django's settings for the office."""

SECRET_KEY = "to be replaced"  # noqa: S105  replaced before anything is served
INSTALLED_APPS: list[str] = []
USE_TZ = True
