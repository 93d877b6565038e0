"""What is switched at the gate: lock, lamp, tones. Tells only what changes."""

from collections.abc import Set as AbstractSet
from itertools import chain

from gateway.core.effects import Effect, SetLamp, SetLock, SetLoud, SetTone, Tone
from sync.contract.colours import Lamp


class Panel:
    """The outputs as they were last told."""

    def __init__(self) -> None:
        self._lock: bool | None = None
        self._lamp: Lamp | None = None
        self._tones: frozenset[Tone] = frozenset()
        self._loud = False

    def changes(
        self, *, released: bool, lamp: Lamp, tones: AbstractSet[Tone], loud: bool = False
    ) -> tuple[Effect, ...]:
        """What to switch, the lock first."""
        if released is self._lock and lamp is self._lamp and loud is self._loud and tones == self._tones:
            return ()
        effects: list[Effect] = []
        if released is not self._lock:
            effects.append(SetLock(released))
        if lamp is not self._lamp:
            effects.append(SetLamp(lamp))
        if loud is not self._loud:
            effects.append(SetLoud(loud))
        stopped, begun = self._tones - tones, tones - self._tones
        effects += chain(
            (SetTone(tone, False) for tone in sorted(stopped)), (SetTone(tone, True) for tone in sorted(begun))
        )
        self._lock, self._lamp, self._tones, self._loud = released, lamp, frozenset(tones), loud
        return tuple(effects)
