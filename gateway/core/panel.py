"""What is switched at the gate: lock, lamp, tones. Tells only what changes."""

from collections.abc import Set as AbstractSet
from itertools import chain

from gateway.core.effects import Effect, SetAlarmLamp, SetLamp, SetLock, SetLoud, SetTone, Tone
from sync.contract.colours import Lamp


class Panel:
    """The outputs as they were last told."""

    def __init__(self) -> None:
        self._lock: bool | None = None
        self._lamp: Lamp | None = None
        self._tones: frozenset[Tone] = frozenset()
        self._loud = self._alarm_lamp = False

    def changes(
        self, *, released: bool, lamp: Lamp, tones: AbstractSet[Tone], loud: bool = False, alarm_lamp: bool = False
    ) -> tuple[Effect, ...]:
        """What to switch, the lock first."""
        levels = (released, lamp, loud, alarm_lamp)
        if levels == (self._lock, self._lamp, self._loud, self._alarm_lamp) and tones == self._tones:
            return ()
        effects: list[Effect] = []
        if released is not self._lock:
            effects.append(SetLock(released))
        if lamp is not self._lamp:
            effects.append(SetLamp(lamp))
        if loud is not self._loud:
            effects.append(SetLoud(loud))
        if alarm_lamp is not self._alarm_lamp:
            effects.append(SetAlarmLamp(alarm_lamp))
        stopped, begun = self._tones - tones, tones - self._tones
        effects += chain(
            (SetTone(tone, False) for tone in sorted(stopped)), (SetTone(tone, True) for tone in sorted(begun))
        )
        self._lock, self._lamp, self._loud, self._alarm_lamp = levels
        self._tones = frozenset(tones)
        return tuple(effects)
