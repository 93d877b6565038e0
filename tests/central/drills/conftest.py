"""What the browser's tests of the pages need: an office that is being served, and a window at it."""

from tests.central.web.conftest import quick_passwords, seated, server, window  # noqa: F401  fixtures
