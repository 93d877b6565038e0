"""The checkpoint's decisions, pure: `Checkpoint.handle(event, now) -> effects`. No I/O, no clock, no sleep."""
