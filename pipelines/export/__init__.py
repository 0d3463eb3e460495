"""The GA4 event export: find its files, land each day once as flat columns, count reports there."""
