"""From scanned text or card UID to a `Verdict`: whatever needs a signature, the directory or a server, before the core."""

from gateway.resolve.resolver import Resolver, Scheme
from gateway.resolve.workers import ResolveWorkers

__all__ = ["ResolveWorkers", "Resolver", "Scheme"]
