"""What a gate can say: the phrase ids that the core uses and the values each carries. The words themselves are data, in
`config/phrases/`; a test holds the packs against this list."""

from enum import StrEnum


class Phrase(StrEnum):
    """One thing to say. The pack gives it words in each language; a person's own recording may replace them."""

    WELCOME = "welcome"  # somebody steps up: show the pass, put the forehead to the thermometer
    NIGHT_WELCOME = "night-welcome"  # the same at night: the guard has been woken
    SHOW_PASS = "show-pass"  # noqa: S105  a phrase, no password: the credential is still missing
    SHOW_FOREHEAD = "show-forehead"  # the temperature is still missing
    SHOW_HEALTH_CODE = "show-health-code"  # the health code is still missing
    REGISTER = "register"  # the registration is still missing
    MEASURE_AGAIN = "measure-again"  # unsteady or implausible: hold still, again
    TOO_COLD = "too-cold"  # the skin is cold: wait a little, again
    HIGH_ONCE_MORE = "high-once-more"  # high: step back, it is measured once more
    GRANTED = "granted"  # please pass
    GRANTED_NORMAL = "granted-normal"  # the line people know: 体温正常，请通过
    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_CARD = "unknown-card"
    NOT_CHECKED = "not-checked"  # and the site denies what cannot be
    INVALID_PASS = "invalid-pass"  # noqa: S105  a phrase, no password
    EXPIRED_PASS = "expired-pass"  # noqa: S105  a phrase, no password
    REVOKED_PASS = "revoked-pass"  # noqa: S105  a phrase, no password
    SHOW_LIVE_CODE = "show-live-code"  # a used or old code of a phone, or a picture of one: show the next one
    PHONE_CLOCK = "phone-clock"  # the phone's clock is ahead
    HEALTH_CODE_EXPIRED = "health-code-expired"  # a code or certificate that was good once
    HEALTH_CODE_REFUSED = "health-code-refused"  # yellow or red
    CERTIFICATE_REFUSED = "certificate-refused"  # a health certificate that the site does not take
    FEVER = "fever"  # wait here, the guard comes
    GUARD_COMES = "guard-comes"  # referred to the guard
    CALL_HEARD = "call-heard"  # the call button was pressed
    LOCKED_OUT = "locked-out"  # too many bad credentials
    CLOSE_DOOR = "close-door"  # pre-alarm of a door held open
    DOOR_FORCED = "door-forced"
    DOOR_HELD_OPEN = "door-held-open"
    PASSED_WITHOUT_GRANT = "passed-without-grant"
    LOCKED_DOWN = "locked-down"
    STAY_HOME = "stay-home"  # under home observation, and on the way out
    FULL = "full"  # as many inside as may be
    FIRE = "fire"
    GOODBYE = "goodbye"  # somebody goes out


VALUES: dict[Phrase, tuple[str, ...]] = {Phrase.GRANTED_NORMAL: ("celsius",), Phrase.FEVER: ("celsius",)}
"""The values that `Say.values` carries for a phrase (all others: none). `celsius`: such as "36.5"."""
