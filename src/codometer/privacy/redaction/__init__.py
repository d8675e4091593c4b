"""Secrets, and what names people, cut out of texts before they are stored."""

from codometer.privacy.redaction.redactor import Redactor

__all__ = ["Redactor"]
