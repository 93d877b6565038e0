"""What both ends must agree on: record kinds and bodies, topics, the alarm and state messages, the signed pass."""
