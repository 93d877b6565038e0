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
            r"gateway/page/test_browser_alarms\.py::(?!test_the_lanes_word\w*\[phone-zh)",
            # the post: that it sounds and its button answers is always tested
            r"gateway/post/test_site\.py::(?!test_an_alarm_sounds)",
            # the office's pages: a phone in Chinese, or a desk in English
            r"central/visitors/test_browser\.py::\w+\[(?!390-zh)",
            r"central/duty/test_browser\.py::\w+\[(?!1200-en)",
            r"central/drills/test_browser\.py::\w+\[(?!390|en)",
            r"central/web/test_escalation_browser\.py::\w+\[390",
            r"central/web/test_night_browser\.py::\w+\[1200",
            r"central/web/test_browser\.py::test_axe_finds_nothing\[en",
            r"central/web/test_browser\.py::test_on_a_tablet\w*\[(?!en-390)",
            r"central/holders/test_browser\.py::test_the_pages\w*\[(?!390-zh)",
            # whole installations
            r"e2e/test_(booked_times|site_capacity|visitors)\.py",
            r"e2e/test_independent_receiver\.py::test_a_file",
            r"e2e/test_directory_road\.py::test_(a_forged_directory|policy_comes)",
            r"e2e/test_demo\.py::test_(without_mosquitto|photographs|visits_to_an_exit\[16)",
            r"hostile/test_personal_data\.py::.*keep0",
            r"central/holders/test_importing\.py::test_20_000",
            r"central/capacity/test_page\.py::test_it_can_be_read_by_everybody\w*\[(?!390-zh)",
            # a picture that takes the most memory of all
            r"drivers/camera/test_one_picture\.py::test_the_picture_that_takes_most",
            # probing: each model as it is delivered is always tested, but one of the two that are asked last; so is one at both rates
            r"drivers/test_probing\.py::test_it_is_found_as_itself\w*\[((?!gy-mcu90615)[a-z0-9-]+-\d+-(waits|streams)|pn532|modbus-thermometer|gy-mcu90615-115200-waits)\]",
            # drivers: a model that streams and one that is asked are always tested, and every model by test_every_serial_model.py
            r"drivers/test_thermometers\.py::test_(garbage|a_broken_wire|a_flood|unplugged)\w*\[(?!gy-mcu90614|modbus-apart)",
            r"drivers/test_thermometers\.py::test_it_is_found\w*\[(gy-614v-{'baud': 19200|cjmcu-90614-{'baud': 57600|[a-z0-9-]+-{}\])",
            r"drivers/test_thermometers\.py::test_a_(sensor_without_such_a_register|thermal_camera_that_is_too_slow)",
            r"drivers/test_walk\.py::test_a_megabyte\w*\[calex-pyrousb",
            r"drivers/test_walk\.py::test_unplugged\w*\[(?!wiegand|mlx90614|hid-scanner)",
            # hints from pictures: one of each kind in each cause is always tested, and every scene by the search itself
            r"drivers/camera/test_unclear\.py::test_what_a_person_sees\w*\[held(2|4|7)",
            r"drivers/camera/test_unclear\.py::test_its_modules\w*\[.*-(45|70)\]",
            r"drivers/camera/test_unclear\.py::test_nothing_is_said\w*\[(?!page|checks|face)",
            # a night of readings in simulated time, of each model: a quarter of an hour of each is always tested, and one night
            r"drivers/protocols/test_stillness\.py::test_a_quiet_wall_for_a_night\[(?!gd60914)",
            # faults that take their minutes, or of which another kind is always tested
            r"faults/test_full_disk\.py::(test_offline_for_long|test_the_gate_goes_on)",
            r"faults/test_(clock_jumps|cloned_gate|lost_devices|damaged_journal)\.py",
            r"faults/test_rounds\.py::test_a_gate_that_does_not_offer",
            r"faults/test_kill\.py::test_the_tally_would_see_a_loss",
            r"faults/test_strange_messages\.py::test_a_gate_that_the_office_does_not_know",
            r"central/ingest/test_sharing\.py::test_the_database_crashes",
            r"e2e/test_commands\.py::test_nothing_else_opens_it",
            r"gateway/page/test_serving\.py",
            # what goes by Django's queries alone, on the second database
            r"central/(visitors|bookings|capacity|duty|drills|holders|cards)/.*\[.*postgresql",
            r"central/(visitors|bookings|capacity|duty|drills|holders)/test_browser\.py::(?!test_the_pass_is_read|test_a_command_is)",
        )
    )
)
"""Node ids, below tests/."""
