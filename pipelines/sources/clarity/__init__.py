"""Microsoft Clarity by its Data Export API: friction by page and device, a snapshot a night.

The API tells the last 24, 48 or 72 hours before a call, answers ten calls a day, and has no past:
what no night asked for is gone.
"""
