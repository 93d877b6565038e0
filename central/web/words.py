"""Every machine word that the pages show, in people's words: the one place where they are translated.

A word that is not listed (a newer gate's, or anything else that came from outside) is shown as it is, made harmless.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from central.text import harmless

Words = Mapping[str, Promise | str]

OUTCOMES: Words = {
    "granted": _("Granted"),
    "denied": _("Denied"),
    "referred": _("To the guard"),
    "abandoned": _("Left"),
    "unreadable": _("Unreadable"),
}
_HEALTH: Words = {
    "green": pgettext_lazy("health code", "Green"),
    "yellow": pgettext_lazy("health code", "Yellow"),
    "red": pgettext_lazy("health code", "Red"),
}
_PASSES: Words = {
    "resident": _("Resident"),
    "tenant": _("Tenant"),
    "returnee": _("Recent returnee"),
    "visitor": _("Visitor"),
}
_REASONS: Words = {
    "ok": _("all in order"),
    # the credential
    "malformed": _("malformed code"),
    "unknown-key": _("pass of an unknown issuer"),
    "bad-signature": _("forged pass: wrong signature"),
    "unknown-code": _("unknown code"),
    "unknown-card": _("unknown card"),
    "lost-card": _("card reported lost"),
    "not-yet-valid": _("not valid yet"),
    "expired": _("expired"),
    "revoked": _("revoked"),
    "wrong-site": _("pass of another site"),
    "needs-online": _("could not be checked without a network"),
    "resolver-failed": _("the check itself failed"),
    "directory-unavailable": _("the gate's directory could not be read"),
    "directory-empty": _("no directory was ever loaded at the gate"),
    "too-old": _("read too long ago"),
    # the temperature
    "normal": _("temperature normal"),
    "normal-repeated": _("temperature normal on repeating"),
    "high": _("temperature high"),
    "fever": _("fever"),
    "too-cold": _("skin too cold to measure"),
    "implausible": _("no plausible temperature"),
    "no-reading": _("no temperature reading"),
    "unsteady": _("temperature unsteady"),
    "stale": _("thermometer silent"),
    "lost": _("thermometer lost"),
    "ambient-out-of-range": _("too cold or too warm around to measure"),
    "no-thermometer": _("no working thermometer"),
    "no-presence-sensor": _("no working presence sensor"),
    # the health code
    "health-code-yellow": _("health code yellow"),
    "health-code-red": _("health code red"),
    "health-code-unknown": _("health code unknown"),
    # what was missing, and what ended the attempt
    "credential-missing": _("no pass shown"),
    "temperature-missing": _("temperature not taken"),
    "health-code-missing": _("no health code shown"),
    "registration-missing": _("not registered"),
    "presence-lost": _("walked away"),
    "time-out": _("took too long"),
    "second-credential": _("somebody else's pass came in between"),
    # the gate
    "locked-out": _("readers locked after too many bad attempts"),
    "lockdown": _("gate in lockdown"),
    "sealed": _("sealed entrance"),
    "journal-failed": _("the record could not be written"),
}
_ALARMS: Words = {
    "door-forced": _("Door forced"),
    "door-held-open": _("Door held open"),
    "tamper": _("Tampering"),
    "fire": _("Fire alarm"),
    "fever": _("Fever"),
    "lock-out": _("Readers locked: too many bad attempts"),
    "night-arrival": _("Somebody at the gate at night"),
    "passed-without-grant": _("Passed without leave"),
    "device-lost": _("Device lost"),
    "journal-failed": _("Records cannot be written"),
    "journal-replaced": _("Damaged journal replaced"),
    "clock": _("Clock wrong"),
    "call": _("Call button pressed"),
    # raised here, about a gate
    "records-missing": _("Records missing"),
    "log-fork": _("Gate offers other records than before"),
    "record-doubtful": _("Doubtful record"),
}

TABLES: Mapping[str, Words] = {
    "outcome": OUTCOMES,
    "health_code": _HEALTH,
    "pass_type": _PASSES,
    "reason": _REASONS,
    "alarm": _ALARMS,
    "direction": {"entry": pgettext_lazy("direction", "In"), "exit": pgettext_lazy("direction", "Out")},
    "action": {
        "raised": _("raised"),
        "repeated": _("raised again"),
        "acknowledged": _("acknowledged at the gate"),
        "office-ack": _("acknowledged at the office"),
        "cleared": _("over"),
    },
    "source": {
        "message": _("alarm message"),
        "state": _("the gate's state"),
        "record": _("record"),
        "office": _("office"),
    },
    "door": {
        "locked": _("Locked"),
        "committing": _("About to open"),
        "released": _("Unlocked"),
        "open": pgettext_lazy("door", "Open"),
        "held_open": _("Held open too long"),
        "forced": _("Forced open"),
        "free": _("Not locked"),
        "locked_down": _("Locked down"),
        "fault": _("State unknown: contact lost"),
    },
    "mode": {
        "normal": pgettext_lazy("mode", "Normal"),
        "free": _("Free passage"),
        "lockdown": _("Lockdown"),
    },
    "clock_doubt": {
        "untrusted": _("the gate's clock was not set"),
        "ahead": _("ahead of the office"),
        "back": _("earlier than the record before it"),
    },
    "online": {"online": _("Online"), "offline": _("Offline"), "pending": _("Not admitted")},
    "alarm_state": {
        "new": _("Not acknowledged"),
        "over": _("Over, not acknowledged"),
        "acknowledged": _("Acknowledged, still open"),
        "closed": _("Closed"),
    },
    "by": {"button": _("button")},
    "passed": {"yes": _("Passed"), "no": _("Not passed")},
    "whole": {"yes": _("Complete"), "no": _("Incomplete")},
    "clock": {"yes": _("Clock trusted"), "no": _("Clock not trusted")},
    "missing": {
        "trimmed": _("no longer kept at the gate"),
        "damaged": _("the gate's journal was damaged"),
        "rewound": _("the gate's card was set back"),
    },
    "log_opened": {
        "new": _("new"),
        "damaged": _("the one before was damaged"),
        "rewound": _("the gate's card was set back"),
    },
}


def word(table: str, machine: str) -> str:
    """The words for `machine` in the language of the page. Raises KeyError for a table that does not exist."""
    known = TABLES[table].get(machine)
    return harmless(machine) if known is None else str(known)


def machine_words(table: str, text: str) -> list[str]:
    """The machine words whose words contain `text`, so that people can search for what they read."""
    wanted = text.casefold()
    return [machine for machine in TABLES[table] if wanted in word(table, machine).casefold()]
