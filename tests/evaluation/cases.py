"""Truth and probabilities of any kind: absent classes, ties, one image, extreme imbalance."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def judged(
    draw: st.DrawFn, smallest: int = 1, largest: int = 60, most_classes: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Coarse probabilities bring ties, few images absent classes, a skewed draw imbalance."""
    images, classes = draw(st.integers(smallest, largest)), draw(st.integers(2, most_classes))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = generator.integers(1, draw(st.sampled_from([3, 1000000])), (images, classes)).astype(float)
    present = draw(st.integers(1, classes))
    shares = generator.dirichlet(np.full(present, draw(st.sampled_from([0.1, 1.0, 100.0]))))
    truth = generator.choice(present, size=images, p=shares)
    return truth, weights / weights.sum(axis=1, keepdims=True)
