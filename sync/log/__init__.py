"""A replicated log over a road that loses, doubles and delays: sans-I/O, and blind to what it carries."""
