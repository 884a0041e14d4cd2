"""What is said beyond the most probable class: calibration, operating points, abstaining, sets, unknown pictures."""
