"""The same browsers as the pages' tests have."""

from tests.central.web.conftest import quick_passwords, server, window  # noqa: F401  fixtures
