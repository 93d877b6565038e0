"""The tests that `make test` leaves to `make test-all`: the same path in another language or window, and whole installations whose
parts are tested one by one elsewhere. What is here is known by its node id, so that a test's own file says nothing of how long it takes.
"""

import re
from typing import Final

LONG: Final = re.compile(
    "|".join(
        (
            # the guard's page: one path through a real browser is always tested
            r"gateway/page/test_browser\.py::(?!test_an_alarm_is_acknowledged_by_one_tap\w*\[tablet)",
            # the post: that it sounds and its button answers is always tested
            r"gateway/post/test_site\.py::(?!test_an_alarm_sounds)",
            # the office's pages: a phone in Chinese, or a desk in English
            r"central/visitors/test_browser\.py::\w+\[(?!390-zh)",
            r"central/duty/test_browser\.py::\w+\[(?!1200-en)",
            r"central/drills/test_browser\.py::\w+\[(?!390|en)",
            r"central/web/test_escalation_browser\.py::\w+\[390",
            r"central/holders/test_browser\.py::test_the_pages\w*\[(?!390-zh)",
            # whole installations
            r"e2e/test_(booked_times|site_capacity|visitors)\.py",
            r"e2e/test_independent_receiver\.py::test_a_file",
            r"e2e/test_demo\.py::test_(without_mosquitto|photographs)",
            r"gateway/page/test_serving\.py",
            # what goes by Django's queries alone, on the second database
            r"central/(visitors|bookings|capacity|duty|drills|holders|cards)/.*\[.*postgresql",
            r"central/(visitors|bookings|capacity|duty|drills|holders)/test_browser\.py::(?!test_the_pass_is_read|test_a_command_is)",
        )
    )
)
"""Node ids, below tests/."""
