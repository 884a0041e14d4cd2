"""One file a group of addresses; each has `router(service)`."""
