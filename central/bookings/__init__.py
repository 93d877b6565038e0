"""Booked time slots (预约, 错峰): who may come when, and how many at a time."""
