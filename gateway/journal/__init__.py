"""The journal: every record in order, durable before anybody acts on it, and the core's state beside it."""

from gateway.journal.errors import JournalError
from gateway.journal.journal import Journal, Removed
from gateway.journal.reading import Verified
from sync.log.view import Head

__all__ = ["Head", "Journal", "JournalError", "Removed", "Verified"]
