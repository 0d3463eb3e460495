"""Simulation study of the statistics: `make study`."""
