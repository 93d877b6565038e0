"""How the gate decides on collections of certificates with known answers: `python -m bench.score NAME`."""
