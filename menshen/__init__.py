"""Menshen's front door: the command line, and the demo that runs gate, broker and office on one machine."""
