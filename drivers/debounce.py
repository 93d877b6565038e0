"""Which level an input has settled at, and whether it sticks there. Pure: edges come with their own times, so that a thread that is late loses none."""


class Debounce:
    """A level counts once it has held for `settle_ms`. Times in monotonic ms; levels as True for active."""

    def __init__(self, active: bool, settle_ms: int) -> None:
        self._settle_ms = settle_ms
        self._told = active
        self._level = active
        self._since_ms = 0
        self.told_since_ms = 0  # when the level that was told last began

    def edge(self, active: bool, at_ms: int) -> bool | None:
        """An edge to this level. The level before it, when that had settled and was not told yet."""
        settled = self.due(at_ms)
        if active != self._level:
            self._level, self._since_ms = active, at_ms
        return settled

    def look(self, active: bool, now_ms: int) -> bool | None:
        """The pin was read. The level that has settled by now and was not told yet; also makes good an edge that was lost."""
        if active != self._level:
            self._level, self._since_ms = active, now_ms
        return self.due(now_ms)

    def due(self, now_ms: int) -> bool | None:
        """The level to tell, once."""
        if self._level == self._told or now_ms - self._since_ms < self._settle_ms:
            return None
        self._told, self.told_since_ms = self._level, self._since_ms
        return self._level

    def due_ms(self) -> int | None:
        """When to look again; None: not before the next edge."""
        return None if self._level == self._told else self._since_ms + self._settle_ms


class Held:
    """For how long an input has been active; `limit_ms` 0: nobody asks."""

    def __init__(self, active: bool, limit_ms: int, now_ms: int) -> None:
        self._limit_ms = limit_ms
        self._since_ms = now_ms if active else None

    def level(self, active: bool, now_ms: int) -> None:
        """It has settled at this level."""
        self._since_ms = now_ms if active else None

    def too_long(self, now_ms: int) -> bool:
        """Whether nobody presses a button for so long, or stands in a beam."""
        return bool(self._limit_ms) and self._since_ms is not None and now_ms - self._since_ms >= self._limit_ms
