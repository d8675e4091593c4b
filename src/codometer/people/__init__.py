"""Persons: who they are, what may be known of them, and what they may ask for."""
