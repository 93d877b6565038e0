"""Alarms of all gates, and what the office did about them."""
