"""The default channel group of a session where the export does not carry it."""

from __future__ import annotations

# SQL over `sessions`.
CHANNEL_GROUP_SQL = "channel_group"
