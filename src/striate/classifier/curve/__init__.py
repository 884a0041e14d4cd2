"""Trainings on ever larger parts of the images, for what more of them would give."""
