"""A stand-in for GA4 on this machine: a shop simulator and a server that answers from it."""
