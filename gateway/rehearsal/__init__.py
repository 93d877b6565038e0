"""A whole day of a busy gate, played through the core alone: no device, no thread, and the time is a number."""
