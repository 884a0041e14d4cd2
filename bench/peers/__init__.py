"""The same network on the same files in other frameworks, each in an environment of its own."""
