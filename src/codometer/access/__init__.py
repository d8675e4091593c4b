"""Who may do what, what they prove it with, and the record of what they did."""
