"""The office's own authority: certificates for gates, broker and office, what was revoked of them, and what a gate is given."""
