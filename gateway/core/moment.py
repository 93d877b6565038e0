"""A point in time, as an argument."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """`mono_ms`: milliseconds since boot, never stepped; `at_ms`: Unix milliseconds as the clock says;
    `trusted`: whether that clock was set from outside since boot. All durations are taken from `mono_ms`."""

    mono_ms: int
    at_ms: int
    trusted: bool = True

    def after(self, ms: int) -> "Moment":
        """This moment plus `ms` milliseconds."""
        return Moment(self.mono_ms + ms, self.at_ms + ms, self.trusted)
