"""Momentary commands to gates: ordered, sent once, and what became of them."""
