"""The checkpoint core, without a clock."""
