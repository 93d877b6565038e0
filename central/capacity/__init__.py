"""How many are inside of a site, by all its gates (限流)."""
