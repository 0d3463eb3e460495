"""What SQL cannot compute: statistics, and the likely causes of a leak. Pure functions."""
