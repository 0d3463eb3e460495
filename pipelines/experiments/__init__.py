"""Experiments: how long one takes, and what its counts say (docs/experiments.md). No Dagster."""
