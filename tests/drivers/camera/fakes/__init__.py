"""Libraries that are not on this machine, as far as they are used: their folder goes onto a process's path."""
