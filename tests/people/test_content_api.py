"""Content over the API, as whoever asks: administrators, people, reviewers, strangers."""
