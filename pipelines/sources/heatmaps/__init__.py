"""Click maps and scroll maps that somebody downloaded from a heatmap tool, as CSV files.

No tool documents its columns, so a shop says what they mean in `heatmap_columns.yml`.
"""
