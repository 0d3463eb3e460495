"""Keys of the long frames that `leak_table`, `segment_table` and `change_table` read."""

CELL = ["property_id", "window_name", "segment_name", "segment_value"]
"""A funnel; its steps are rows within it, told by step_number."""

STAGE = ["property_id", "window_name", "segment_name", "step_number"]
"""A step and one partition of it (segment_name); its segments are rows, told by segment_value."""
