"""Cross-validation: a run a fold, every image judged by the network that was not given it, and the review list."""
