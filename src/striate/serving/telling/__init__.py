"""What the page is told: explanations, the inside of a network, kernels, training."""
