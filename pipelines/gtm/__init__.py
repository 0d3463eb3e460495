"""A Tag Manager web container for the events that the tracking plan wants and GA4 does not get.

Pure: the tracking plan and what GA4 gets go in, an importable container comes out as a dict. Only
`coverage` reads, from a published version. No Dagster, no network.
"""
