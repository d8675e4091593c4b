"""Secrets, and what names people, cut out of texts before they are stored."""

from codometer.privacy.redaction.redactor import Redactor, count_marks

__all__ = ["Redactor", "count_marks"]
