"""Every figure that README and docs claim, printed by one command: `make bench`, or `python -m bench NAME …`."""
