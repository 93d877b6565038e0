"""Sound: a process of its own that plays by priority, so that a busy interpreter never breaks an alarm."""
