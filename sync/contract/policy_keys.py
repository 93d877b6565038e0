"""What the office may set of a gate's policy. Made from the gate's declarations by `python -m gateway.config.office_keys`."""

from collections.abc import Mapping
from typing import Final

from sync.contract.policy_values import PolicyKey

FIXED: Final = frozenset(
    {
        "alarms.post",
        "portal.escape_route",
        "portal.exit_needs_credential",
        "portal.kind",
        "portal.lock",
        "portal.name",
        "timezone",
        "visit.presence_sensor",
    }
)
"""What is set in the gate's own file alone: it says how the place is built."""

POLICY_KEYS: Final[Mapping[str, PolicyKey]] = {
    "when_journal_fails": PolicyKey(kind="str", choices=("guard", "closed", "open")),
    "portal.release_s": PolicyKey(kind="float", unit="s", low=1, high=60),
    "portal.extended_s": PolicyKey(kind="float", unit="s", low=0, high=120),
    "portal.held_open_s": PolicyKey(kind="float", unit="s", low=5, high=3600),
    "portal.pre_alarm_after_s": PolicyKey(kind="float", unit="s", low=1, high=3600),
    "portal.forced_debounce_s": PolicyKey(kind="float", unit="s", low=0.1, high=5),
    "portal.unlatched_after_s": PolicyKey(kind="float", unit="s", low=1, high=60),
    "portal.anti_passback": PolicyKey(kind="str", choices=("off", "soft", "hard", "timed")),
    "portal.anti_passback_min": PolicyKey(kind="int", unit="min", low=1, high=1440),
    "steps.resident": PolicyKey(
        kind="str", listed=True, choices=("credential", "temperature", "health-code", "registration")
    ),
    "steps.tenant": PolicyKey(
        kind="str", listed=True, choices=("credential", "temperature", "health-code", "registration")
    ),
    "steps.returnee": PolicyKey(
        kind="str", listed=True, choices=("credential", "temperature", "health-code", "registration")
    ),
    "steps.visitor": PolicyKey(
        kind="str", listed=True, choices=("credential", "temperature", "health-code", "registration")
    ),
    "temperature.threshold_c": PolicyKey(kind="float", unit="°C", low=35, high=42),
    "temperature.lowest_c": PolicyKey(kind="float", unit="°C", low=25, high=35),
    "temperature.highest_c": PolicyKey(kind="float", unit="°C", low=40, high=50),
    "temperature.too_cold_c": PolicyKey(kind="float", unit="°C", low=30, high=37),
    "temperature.ambient_lowest_c": PolicyKey(kind="float", unit="°C", low=-40, high=30),
    "temperature.ambient_highest_c": PolicyKey(kind="float", unit="°C", low=20, high=60),
    "temperature.spread_c": PolicyKey(kind="float", unit="°C", low=0.05, high=2),
    "temperature.samples": PolicyKey(kind="int", low=3, high=50),
    "temperature.offset_c": PolicyKey(kind="float", unit="°C", low=-5, high=5),
    "temperature.ambient_factor": PolicyKey(kind="float", low=-1, high=1),
    "temperature.reference_c": PolicyKey(kind="float", unit="°C", low=10, high=30),
    "temperature.warm_up_s": PolicyKey(kind="float", unit="s", low=0, high=600),
    "temperature.repeat_after_s": PolicyKey(kind="float", unit="s", low=0.2, high=30),
    "temperature.repeats": PolicyKey(kind="int", low=0, high=5),
    "visit.presence_lost_s": PolicyKey(kind="float", unit="s", low=0.2, high=10),
    "visit.between_steps_s": PolicyKey(kind="float", unit="s", low=5, high=120),
    "visit.code_hint_s": PolicyKey(kind="float", unit="s", low=0, high=600),
    "visit.reading_valid_s": PolicyKey(kind="float", unit="s", low=1, high=30),
    "visit.registration_valid_s": PolicyKey(kind="float", unit="s", low=0, high=1800),
    "visit.commit_limit_s": PolicyKey(kind="float", unit="s", low=0.2, high=10),
    "visit.bad_credentials": PolicyKey(kind="int", low=1, high=5),
    "visit.lock_out_s": PolicyKey(kind="float", unit="s", low=5, high=3600),
    "credentials.when_clock_untrusted": PolicyKey(kind="str", choices=("accept", "guard", "refuse")),
    "credentials.trust_max_age_days": PolicyKey(kind="int", unit="d", low=1, high=3650),
    "credentials.when_trust_is_old": PolicyKey(kind="str", choices=("accept", "guard", "refuse")),
    "credentials.keep": PolicyKey(
        kind="str", listed=True, most=4, choices=("statement", "country", "name", "birth-date")
    ),
    "certificates.accepted": PolicyKey(kind="str", listed=True, most=3, choices=("vaccination", "test", "recovery")),
    "certificates.vaccination_from_days": PolicyKey(kind="int", unit="d", low=0, high=90),
    "certificates.vaccination_max_days": PolicyKey(kind="int", unit="d", low=1, high=3650),
    "certificates.booster_max_days": PolicyKey(kind="int", unit="d", low=1, high=3650),
    "certificates.vaccines": PolicyKey(kind="str", listed=True, most=64),
    "certificates.molecular_test_max_h": PolicyKey(kind="int", unit="h", low=1, high=720),
    "certificates.rapid_test_max_h": PolicyKey(kind="int", unit="h", low=1, high=720),
    "certificates.recovery_from_days": PolicyKey(kind="int", unit="d", low=0, high=90),
    "certificates.recovery_max_days": PolicyKey(kind="int", unit="d", low=1, high=3650),
    "night.begins": PolicyKey(kind="str", pattern="^([01]\\d|2[0-3]):[0-5]\\d$", example="22:00"),
    "night.ends": PolicyKey(kind="str", pattern="^([01]\\d|2[0-3]):[0-5]\\d$", example="06:00"),
    "capacity.limit": PolicyKey(kind="int", low=0, high=1000000),
    "capacity.percent": PolicyKey(kind="int", unit="%", low=1, high=100),
    "capacity.warn_percent": PolicyKey(kind="int", unit="%", low=1, high=100),
    "capacity.booked": PolicyKey(kind="str", choices=("off", "reserved", "required")),
    "capacity.site_wide": PolicyKey(kind="bool"),
    "capacity.site_max_age_s": PolicyKey(kind="float", unit="s", low=10, high=3600),
    "capacity.share_percent": PolicyKey(kind="int", unit="%", low=0, high=100),
    "directory.max_age_days": PolicyKey(kind="int", unit="d", low=1, high=3650),
    "directory.when_old": PolicyKey(kind="str", choices=("accept", "guard", "refuse")),
    "modes.closed_admits": PolicyKey(
        kind="str", listed=True, most=4, choices=("resident", "tenant", "returnee", "visitor")
    ),
    "prompter.again_s": PolicyKey(kind="float", unit="s", low=1, high=600),
    "prompter.leaver_s": PolicyKey(kind="float", unit="s", low=0, high=60),
    "prompter.mask": PolicyKey(kind="bool"),
    "prompter.distance_s": PolicyKey(kind="float", unit="s", low=1, high=600),
    "prompter.slogans": PolicyKey(kind="str", listed=True, pattern="^slogan-[a-z0-9-]{1,32}\\Z", most=32),
    "prompter.slogan_s": PolicyKey(kind="float", unit="s", low=8, high=86400),
    "prompter.bay": PolicyKey(kind="str", most=40),
    "quiet.begins": PolicyKey(kind="str", pattern="^(([01]\\d|2[0-3]):[0-5]\\d|24:00)\\Z", example="22:00"),
    "quiet.ends": PolicyKey(kind="str", pattern="^(([01]\\d|2[0-3]):[0-5]\\d|24:00)\\Z", example="06:00"),
    "quiet.volume_percent": PolicyKey(kind="int", unit="%", low=0, high=100),
    "alarms.louder_after_s": PolicyKey(kind="float", unit="s", low=0, high=3600),
    "alarms.duty_room_after_s": PolicyKey(kind="float", unit="s", low=0, high=7200),
    "alarms.leader_after_s": PolicyKey(kind="float", unit="s", low=0, high=14400),
    "alarms.offline_after_min": PolicyKey(kind="int", unit="min", low=0, high=1440),
    "watch.begins": PolicyKey(kind="str", pattern="^(([01]\\d|2[0-3]):[0-5]\\d|24:00)\\Z", example="01:00"),
    "watch.ends": PolicyKey(kind="str", pattern="^(([01]\\d|2[0-3]):[0-5]\\d|24:00)\\Z", example="05:00"),
    "watch.every_min": PolicyKey(kind="int", unit="min", low=0, high=240),
    "watch.answer_s": PolicyKey(kind="float", unit="s", low=10, high=900),
}
