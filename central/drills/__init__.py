"""Drills (应急演练): planned, ordered as every order of a mode is, stamped by people and by gates, and reported."""
