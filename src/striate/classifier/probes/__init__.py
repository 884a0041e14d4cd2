"""What a linear classifier makes of every stage's features."""
