"""Hostile codes against the real resolver and the real gate."""
