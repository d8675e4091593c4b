"""Tests, and what they share. A regular package, so that no other one named tests hides it."""
