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
    "unknown-key": _("signed by somebody who is not known here"),
    "bad-signature": _("forged: the signature is wrong"),
    "unknown-code": _("unknown code"),
    "unknown-card": _("unknown card"),
    "lost-card": _("card reported lost"),
    "not-yet-valid": _("not valid yet"),
    "expired": _("expired"),
    "revoked": _("revoked"),
    "wrong-site": _("pass or card of another site"),
    "resolver-failed": _("the check itself failed"),
    "directory-unavailable": _("the gate's directory could not be read"),
    "directory-empty": _("no directory was ever loaded at the gate"),
    "too-old": _("read too long ago"),
    "not-registered": _("card that nobody was given yet"),
    "code-used": _("code of a phone that was used before"),
    "screenshot": _("old code of a phone: perhaps a picture"),
    "proof-missing": _("pass of a phone without the phone: perhaps a picture"),
    "phone-clock": _("the phone's clock is ahead"),
    "no-phone-key": _("signed by a phone, on a pass that is bound to none"),
    "bad-proof": _("forged: the phone's signature is wrong"),
    "bad-counter": _("signed by a phone for a time that does not exist"),
    "key-not-in-force": _("pass from outside its issuer's time"),
    "key-revoked": _("its issuer's key was withdrawn"),
    "algorithm": _("signed in a way that is not taken"),
    "trust-empty": _("no trust list at the gate yet"),
    "trust-old": _("the gate's trust list is too old"),
    "clock-untrusted": _("the gate's clock is not set"),
    "too-many": _("too many scans at once"),
    # a code that is not written as it should be
    "empty": _("empty code"),
    "too-long": _("code that is too long"),
    "control-characters": _("code with control characters"),
    "look-alike": _("imitated code: letters that only look alike"),
    "wrong-prefix": _("code that does not begin as its kind does"),
    "not-a-pass": _("not a pass of ours"),
    "not-base45": _("malformed code: not base45"),
    "not-base64url": _("malformed code: not base64url"),
    "not-digits": _("malformed code: not in pairs of digits"),
    "not-canonical": _("malformed code: not written in the one right way"),
    "not-zlib": _("malformed code: cannot be unpacked"),
    "not-deflate": _("malformed code: its content cannot be unpacked"),
    "not-compressed": _("malformed code: not packed"),
    "too-big": _("code that unpacks to too much"),
    "not-cbor": _("malformed code: not CBOR"),
    "not-json": _("malformed code: not JSON"),
    "not-cose": _("malformed code: not signed as COSE"),
    "not-jws": _("malformed code: not signed as JWS"),
    "too-deep": _("malformed code: nested too deep"),
    "duplicate-key": _("malformed code: the same field twice"),
    "number-too-large": _("malformed code: a number too large"),
    "trailing-bytes": _("malformed code: more behind its end"),
    "signature-size": _("malformed code: a signature of another size"),
    "bad-headers": _("malformed code: headers that are not taken"),
    "critical-header": _("asks for something that this gate does not know"),
    "bad-claims": _("pass with content that is not in order"),
    # a health certificate, or what it states
    "unknown-issuer": _("health card of an unknown issuer"),
    "signer-expired": _("health certificate whose signer's time is over"),
    "signer-not-yet-valid": _("health certificate from before its signer's time"),
    "key-usage": _("health certificate of a kind its signer may not sign"),
    "bad-schema": _("health certificate with content that is not in order"),
    "bad-times": _("health certificate with impossible times"),
    "wrong-type": _("not a health card of the kind that is taken"),
    "chunked": _("health card in several codes: not taken"),
    "no-statement": _("health certificate that states nothing"),
    "several-statements": _("health certificate that states several things"),
    "other-disease": _("health certificate about another disease"),
    "unknown-test": _("test of a kind that is not known"),
    "vaccination-not-accepted": _("vaccinations do not count here"),
    "vaccine-not-accepted": _("vaccine does not count here"),
    "vaccination-incomplete": _("vaccination not complete"),
    "vaccination-too-fresh": _("vaccinated too recently"),
    "vaccination-too-old": _("vaccinated too long ago"),
    "test-not-accepted": _("tests do not count here"),
    "test-too-old": _("tested too long ago"),
    "test-in-future": _("tested in the future"),
    "recovery-not-accepted": _("recoveries do not count here"),
    "recovery-too-fresh": _("recovered too recently"),
    "recovery-too-old": _("recovered too long ago"),
    # a health code that a service is asked about
    "code-not-found": _("the service does not know this code"),
    "check-failed": _("the service could not check this code"),
    "last-answer": _("the service is away: its last answer stands"),
    "no-answer": _("no answer from the service in time"),
    "server-unreachable": _("the service cannot be reached"),
    "server-certificate": _("the service could not prove who it is"),
    "server-insecure": _("the service offers no safe connection"),
    "server-refused": _("the service refused the question"),
    "server-error": _("the service failed"),
    "server-redirects": _("the service sends elsewhere: not followed"),
    "answer-too-large": _("answer of the service too large"),
    "answer-not-understood": _("answer of the service not understood"),
    # the temperature
    "normal": _("temperature normal"),
    "normal-repeated": _("temperature normal on repeating"),
    "high": _("temperature high"),
    "once-more": _("high: measured once more"),
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
    # a command of the office
    "forged": _("forged: not signed by the office as a command"),
    "retained": _("the broker had kept it for later"),
    "other-gate": _("meant for another gate"),
    "other-boot": _("from before the gate was started anew"),
    "late": _("came too late"),
    "life-too-long": _("good for longer than a command may be"),
    "replayed": _("the same command a second time"),
    "too-many-commands": _("too many commands at a time"),
    "other-portal": _("there is no such portal at this gate"),
    "unknown-phrase": _("nothing that this gate says at a command"),
    "no-speaker": _("this gate has no loudspeaker"),
    "nothing-to-acknowledge": _("no such alarm is open, or it is acknowledged already"),
    "broker-not-reached": _("the broker could not be reached"),
    "gate-offline": _("the gate is not online"),
    "no-answer-from-gate": _("no answer from the gate in time"),
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
    "home-observation": _("under home observation"),
    "full": _("as many inside as may be"),
    "directory-old": _("the gate's directory is too old"),
    "journal-failed": _("the record could not be written"),
    "no-credential": _("no pass or card"),
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
    "disk": _("Room for records is scarce"),
    "clock": _("Clock wrong"),
    "home-observation": _("On the way out under home observation"),
    "call": _("Call button pressed"),
    # raised here, about a gate
    "records-missing": _("Records missing"),
    "log-fork": _("Gate offers other records than before"),
    "record-doubtful": _("Doubtful record"),
    "cloned-gate": _("Two machines run as this gate"),
}

TABLES: Mapping[str, Words] = {
    "outcome": OUTCOMES,
    "health_code": _HEALTH,
    "pass_type": _PASSES,
    "reason": _REASONS,
    "alarm": _ALARMS,
    "found": {
        "valid": _("Valid"),
        "invalid": _("Not valid"),
        "unknown": _("Unknown"),
        "expired": _("Expired"),
        "revoked": _("Withdrawn"),
        "needs-online": _("To be asked online"),
        "unchecked": _("Not checked"),
        "unreadable": _("Unreadable"),
    },
    "credential_kind": {
        "card": _("Card"),
        "pass": pgettext_lazy("kind of credential", "Pass"),
        "health-code": _("Health code"),
        "eu-certificate": _("EU certificate"),
        "smart-health-card": _("SMART Health Card"),
        "text": _("Code of no known kind"),
    },
    "fact": {
        "statement": _("States"),
        "country": _("Country"),
        "name": _("Name"),
        "birth-date": _("Date of birth"),
    },
    "statement": {
        "vaccination": _("vaccination"),
        "test": _("test"),
        "recovery": _("recovery"),
    },
    "order": {
        "sent": _("Sent, no answer yet"),
        "executed": _("Carried out"),
        "refused": _("Refused by the gate"),
        "not-delivered": _("Not delivered"),
    },
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
        "set": _("the gate's clock was set meanwhile"),
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
