"""Calibration, operating points, abstaining and sets of a run: chosen on validation, kept, judged on other images."""
