"""The soak: nights against a server that misbehaves at random, judged by the simulator's truth.

`python -m tests.soak` (`make soak`). A seed is a home with one to three properties and a row of
nights: under faults drawn from the seed, then one without. What must hold after each night stands
in `conditions`; which numbers are compared, in `numbers`.
"""
