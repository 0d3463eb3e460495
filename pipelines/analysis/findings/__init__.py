"""Where exactly a step leaks, since when, and what became of it from night to night."""
