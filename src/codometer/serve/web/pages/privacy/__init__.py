"""Privacy: what is collected and what is not, why, who sees what, and what is about to change."""

from codometer.serve.web.pages.privacy.page import privacy_pages
from codometer.serve.web.pages.privacy.redaction import redaction_page
from codometer.serve.web.pages.privacy.requests import requests_pages
from codometer.serve.web.pages.privacy.retention import retention_page
from codometer.serve.web.pages.privacy.sources import PrivacySources

__all__ = ["PrivacySources", "privacy_pages", "redaction_page", "requests_pages", "retention_page"]
