"""Fuzzing: one target a decoder, run by hypothesis with the suite and by atheris with `make fuzz` (docs/hostile.md)."""
