"""A gate's state message is of one moment: it never looks later than the alarms that it lists."""

from pathlib import Path

from gateway.core.checkpoint import Checkpoint
from gateway.core.events import TamperInput
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.status import StatusBoard
from sync.contract.alarms import AlarmKind
from tests.gateway.journaling import BOOT, NOW, body, opened, write


def test_a_state_made_in_the_middle_of_a_turn_is_the_one_before_it_whole(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.sqlite") as journal:
        time = [NOW]
        checkpoint = Checkpoint(Policy(), ids=lambda: f"{7:032x}")
        checkpoint.start(NOW)
        board = StatusBoard(checkpoint, journal, lambda: time[0], boot=BOOT, version="1")
        before = board.message(1)
        raised = time[0] = Moment(NOW.mono_ms + 10, NOW.at_ms + 10)
        checkpoint.handle(TamperInput(active=True), raised)
        write(journal, body(1))
        time[0] = Moment(NOW.mono_ms + 20, NOW.at_ms + 20)
        middle = board.message(1)
        assert middle == before, "were its time or head later, the office would take the alarm for closed"
        assert (middle.mono_ms, middle.head) < (raised.mono_ms, journal.head().seq)
        board.take()
        after = board.message(2)
        assert [alarm.kind for alarm in after.alarms] == [AlarmKind.TAMPER]
        assert (after.connection, after.mono_ms, after.at_ms) == (2, NOW.mono_ms + 20, NOW.at_ms + 20)
        assert (after.log_id, after.head) == (journal.log_id, journal.head().seq)
        assert after.boot == BOOT.hex()


def test_no_more_is_told_as_acknowledged_than_as_written(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.sqlite") as journal:
        checkpoint = Checkpoint(Policy(), ids=lambda: f"{7:032x}")
        checkpoint.start(NOW)
        board = StatusBoard(checkpoint, journal, lambda: NOW, boot=BOOT, version="1")
        head = board.message(1).head
        write(journal, body(1))  # on disk and acknowledged before the deciding thread's next turn
        journal.acknowledge(*journal.head())
        told = board.message(1)
        assert (told.head, told.acked) == (head, head)
        board.take()
        assert (board.message(1).acked, board.message(1).head) == (head + 1, head + 1)
