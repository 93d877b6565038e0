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
    CODE_CLOSER = "code-closer"  # a code is held up too far away to be read
    CODE_HOLD_STILL = "code-hold-still"  # it moves, or is out of focus
    REGISTER = "register"  # the registration is still missing
    MEASURE_AGAIN = "measure-again"  # unsteady or implausible: hold still, again
    TOO_COLD = "too-cold"  # the skin is cold: wait a little, again
    HIGH_ONCE_MORE = "high-once-more"  # high: step back, it is measured once more
    ONCE_MORE = "once-more"  # normal after a high one: it is measured once more
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
    FULL = "full"  # as many inside as may be: this one waits as number so and so
    NO_SLOT = "no-slot"  # a booked time is needed, and this is not it
    CLOSED_MANAGEMENT = "closed-management"  # only certain colours come in
    CLOSED_NOTICE = "closed-notice"  # the same, to whoever comes, before a pass is seen
    ALREADY_INSIDE = "already-inside"  # by this credential somebody is inside already, or gone out already
    APPROACH = "approach"  # somebody comes near, or leaves: register, be measured
    VEHICLE = "vehicle"  # the same for a vehicle
    DELIVERY = "delivery"  # where it stops
    MASK = "mask"
    ONE_METRE = "one-metre"
    PRESENCE_CHECK = "presence-check"  # to the guard: press the button
    DISINFECTION_DUE = "disinfection-due"
    ANNOUNCEMENT_DUE = "announcement-due"
    ROUND_DONE = "round-done"  # whoever was to do it has confirmed it by a card
    FIRE = "fire"
    GOODBYE = "goodbye"  # somebody goes out


SLOGAN = "slogan-"
"""What the names of slogans begin with: which there are, the packs say. Each is of at most `LONGEST_S`."""
LONGEST_S = 8.0  # of any phrase when spoken
VALUES: dict[Phrase, tuple[str, ...]] = {
    Phrase.GRANTED_NORMAL: ("celsius",),
    Phrase.FEVER: ("celsius",),
    Phrase.FULL: ("number",),
    Phrase.DELIVERY: ("bay",),
}
"""The values that `Say.values` carries for a phrase (all others: none). `celsius`: such as "36.5"; `number`: such as "3"; `bay`:
as the site calls it."""
