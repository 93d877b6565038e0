"""From scanned text or card UID to a `Verdict`: whatever needs a signature, the directory or a server, before the core."""

from gateway.resolve.resolver import Resolver, schemes_with
from gateway.resolve.scheme import Scheme, Trust
from gateway.resolve.workers import ResolveWorkers

__all__ = ["ResolveWorkers", "Resolver", "Scheme", "Trust", "schemes_with"]
