"""The duty roster (值班表): who is on duty when, told to the gates; and the gates' own records of shifts beside it."""
