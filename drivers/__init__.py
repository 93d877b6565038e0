"""The devices: bytes and pin levels in, typed readings out. Knows nothing of gates."""
