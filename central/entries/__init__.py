"""The entry log: visits as clerks read them."""
