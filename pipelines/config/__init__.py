"""What a user decides: the settings, and the tracking plan of the seeds and the shop's own file."""
