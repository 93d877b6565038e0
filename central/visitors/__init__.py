"""Visitors register at the gate with their own phone (登记), and are answered with a pink pass that has an end."""
