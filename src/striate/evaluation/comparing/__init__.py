"""Two or more classifiers on the same images: paired differences, tests, intervals."""
