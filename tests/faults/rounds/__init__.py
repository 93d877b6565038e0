"""`make faults`: many rounds of faults on the real processes, each judged record by record; see `__main__`."""
