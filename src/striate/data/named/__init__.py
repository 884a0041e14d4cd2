"""Data known by name: what is published where, fetched and verified, prepared as the courses do."""
