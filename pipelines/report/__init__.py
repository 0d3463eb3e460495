"""The morning page: one HTML file over a published version. No Dagster.

`queries.py` asks the published schemas, `sections/` turns rows into words and charts, `page.py`
puts them into `template/`.
"""
