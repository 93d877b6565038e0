"""The same clerks and browsers as the pages' tests have."""

from tests.central.web.conftest import clerk, office, quick_passwords, seated, server, window  # noqa: F401
