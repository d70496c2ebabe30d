"""The whole flow under the real `ava up`, disturbed by a seeded plan of faults: `python -m tests.chaos --seed 1`."""
