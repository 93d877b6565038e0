"""What a gate last said of itself: taken by the deciding thread after each turn, read by any other."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.checkpoint import Checkpoint, Status
from gateway.core.moment import Moment
from gateway.journal import Journal
from sync.contract.alarms import DeviceReport, StateMessage
from sync.log.follower import Held


@dataclass(frozen=True, slots=True)
class _Taken:
    """One moment, whole: whatever happened to an alarm up to `now`, or stands in a record up to `head`, is in `status`.

    The office closes an alarm that a later state does not list; so a state must never look later than its alarms."""

    status: Status
    now: Moment
    log_id: str
    head: int


class StatusBoard:
    """The latest `Status`, and the state message made of it."""

    def __init__(
        self, checkpoint: Checkpoint, journal: Journal, now: Callable[[], Moment], *, boot: bytes, version: str
    ) -> None:
        self._checkpoint = checkpoint
        self._journal = journal
        self._now = now
        self._boot = boot.hex()
        self._version = version
        self._directory: Callable[[], Held] = Held
        self._devices: Callable[[Moment], tuple[DeviceReport, ...]] = _no_devices
        self.take()

    def follow(self, directory: Callable[[], Held]) -> None:
        """Tell from now on which directory decides."""
        self._directory = directory

    def follow_devices(self, devices: Callable[[Moment], tuple[DeviceReport, ...]]) -> None:
        """Tell from now on how the devices are; may be called from any thread."""
        self._devices = devices

    @property
    def devices(self) -> tuple[DeviceReport, ...]:
        """How they are at this moment."""
        return self._devices(self._now())

    @property
    def latest(self) -> Status:
        """The status after the last turn."""
        return self._taken.status

    @property
    def turned_ms(self) -> int:
        """When that was, on the monotonic clock."""
        return self._taken.now.mono_ms

    def take(self) -> None:
        """Take the core's status. From the deciding thread only, at least every few seconds."""
        now, log_id, head = self._now(), self._journal.log_id, self._journal.head().seq
        self._taken = _Taken(self._checkpoint.status(), now, log_id, head)

    def message(self, connection: int) -> StateMessage:
        """The retained state of this connection, as of the last turn. From any thread."""
        taken, directory = self._taken, self._directory()
        status, now = taken.status, taken.now
        return StateMessage(
            online=True,
            boot=self._boot,
            connection=connection,
            mono_ms=now.mono_ms,
            at_ms=now.at_ms,
            clock_trusted=now.trusted,
            version=self._version,
            mode=status.mode,
            door=status.door,
            inside=status.inside,
            drill=status.drill,
            log_id=taken.log_id,
            head=taken.head,
            acked=min(self._journal.acked.seq, taken.head),  # it may be of a record that was written since
            directory_epoch=directory.mark.epoch,
            directory_version=directory.mark.version,
            directory_at_ms=directory.at_ms if directory.whole else 0,
            devices_lost=status.devices_lost,
            alarms=status.alarms,
            ended=status.ended,
            commands=status.commands,
            devices=self._devices(now),
        )


def _no_devices(_now: Moment) -> tuple[DeviceReport, ...]:
    return ()
