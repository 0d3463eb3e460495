"""How long an experiment takes, and what its counts say (docs/experiments.md)."""
