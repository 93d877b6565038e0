"""The directory as the office publishes it: keyed rows of each site, with versions, for its gates to follow."""
