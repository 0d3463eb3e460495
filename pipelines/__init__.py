"""Sluice: pulls GA4, builds funnel tables, guards and publishes them."""

from importlib.metadata import version

__version__ = version("sluice")
