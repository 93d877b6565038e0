"""Visits on record, decided again from their evidence."""
