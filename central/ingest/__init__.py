"""From the road into the database: exactly once, acknowledged after the commit."""
