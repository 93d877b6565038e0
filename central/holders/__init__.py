"""Whom the office knows, and what it wants of its gates: kept on Django's admin pages, sent down as the sites' directories."""
