"""The morning page: one HTML file over a published version. No Dagster.

`rows/` is what it reads, `sections/` turns rows into words and charts, `page.py` puts them into
`template/`.
"""
