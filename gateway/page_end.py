"""The guard's page as the gate is joined to it. A gate without one has `NoPage`, and loads nothing of it."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gateway.clock import Clock
from gateway.config import GateConfig
from gateway.core.effects import Effect
from gateway.core.events import CredentialResolved, Event
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.directory import Directory
from gateway.journal import Journal
from gateway.status import StatusBoard

if TYPE_CHECKING:
    from gateway.page.desk import PageDesk


class NoPage:
    """Has nothing to show, and nobody to hear."""

    def start(self) -> None:
        """Nothing is to be started."""

    def stop(self) -> None:
        """Nor stopped."""

    def watch(self, _effect: Effect, _now: Moment) -> None:
        """Nobody watches."""

    def turned(self) -> None:
        """Nobody is told of a turn."""

    def adopt(self, _policy: Policy) -> None:
        """Nobody goes by it."""

    def seeing(self, post: Callable[[CredentialResolved], None]) -> Callable[[CredentialResolved], None]:
        """No guard logs in by card."""
        return post


def page_of(
    config: GateConfig,
    board: StatusBoard,
    clock: Clock,
    post: Callable[[Event], None],
    directory: Directory,
    journal: Journal,
) -> "PageDesk | NoPage":
    """The page's desk, where the configuration has a page; not started yet. It knows what the journal's last records say."""
    if config.page is None:
        return NoPage()
    from gateway.page.desk import Gate, PageDesk
    from gateway.page.recall import recall

    gate = Gate(
        status=lambda: board.latest,
        turned_ms=lambda: board.turned_ms,
        devices=lambda: board.devices,
        now=clock.now,
        post=post,
        directory=directory,
    )
    desk = PageDesk(config, gate)
    recall(journal, desk.recorded)
    return desk


def serve(page: "PageDesk | NoPage", stack: ExitStack) -> None:
    """Start it, until the stack ends."""
    page.start()
    stack.callback(page.stop)
