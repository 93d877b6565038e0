"""The gate: decides, remembers, speaks."""
