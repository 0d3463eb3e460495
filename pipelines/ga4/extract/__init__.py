"""How each kind of report is asked for, page by page, and what a pull makes of the answers."""
