"""A run as an HTTP service with a page: what `predict` says, over a socket. Needs the extra `serve`."""
