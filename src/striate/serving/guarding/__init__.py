"""Who may ask, how much and for how long, and what every answer says to a browser."""
