"""Suites of expectations, one module per stage; each builds its suites from the catalog."""
