"""From the road into the database: exactly once, acknowledged after the commit."""

from typing import Final

LENT_S: Final = 10.0  # how long an ingest process that has died keeps its gates, where several share them
