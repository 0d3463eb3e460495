"""Speed and memory, side by side with the alternative in one run, as ratios. Never asserted."""
