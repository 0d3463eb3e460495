"""Attacks on a home as a user runs it: `make chaos`. What is promised: docs/reliability.md."""
