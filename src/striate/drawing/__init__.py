"""One visual language: scales, tiles, numbers with intervals, figures, the shell of a page."""
