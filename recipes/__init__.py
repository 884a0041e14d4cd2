"""One file per promised number: `python -m recipes` lists them, `python -m recipes NAME` runs one again."""
