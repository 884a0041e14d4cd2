"""From a port to the last answer: what must be right before, the server, signals."""
