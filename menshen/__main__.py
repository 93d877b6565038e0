"""`python -m menshen`."""

from menshen.cli import main

main()
