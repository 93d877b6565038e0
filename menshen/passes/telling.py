"""A pass in words. Everything that comes out of a pass is made harmless: it may have been made to be shown."""

from typing import Final
from zoneinfo import ZoneInfo

from menshen.passes.times import shown as time_shown
from sync.contract.colours import PassType
from sync.contract.passes import STEP_S, Pass, Shown
from sync.contract.text import harmless

TYPES: Final = {
    PassType.RESIDENT: "resident 常住 (green 绿)",
    PassType.TENANT: "tenant 租住 (blue 蓝)",
    PassType.RETURNEE: "recent returnee 近期返京 (red 红)",
    PassType.VISITOR: "visitor 来访 (pink 粉)",
}


def tell(pass_shown: Shown, zone: ZoneInfo) -> str:
    """What it says, one thing a line."""
    content = pass_shown.content
    rows = [
        ("pass id", content.pass_id.hex()),
        ("type", TYPES[content.pass_type]),
        ("site", content.site),
        ("holder", content.holder),
        ("from", time_shown(content.not_before_s, zone)),
        ("until", f"{time_shown(content.expires_s, zone)} ({zone.key})"),
        ("carried on", _carrier(content)),
    ]
    if pass_shown.counter:
        at = time_shown(pass_shown.counter * STEP_S, zone)
        rows.append(("shown at", f"{at}, counter {pass_shown.counter}"))
    return "\n".join(f"{name:<12}{harmless(value)}" for name, value in rows)


def in_brief(content: Pass, zone: ZoneInfo) -> str:
    """The same on one line."""
    times = f"{time_shown(content.not_before_s, zone)} to {time_shown(content.expires_s, zone)}"
    return harmless(
        f"pass {content.pass_id.hex()}: {content.pass_type}, site {content.site}, holder {content.holder}, {times}"
    )


def _carrier(content: Pass) -> str:
    return f"the phone whose key is {content.phone.hex()}" if content.phone else "paper (a copy is as good)"
