"""Content over the API, as whoever asks: administrators, people, reviewers, strangers."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette

from codometer.access.account import Session
from codometer.access.permissions import Role
from codometer.privacy.profile import Profile
from codometer.serve.app import build_app
from codometer.serve.web.events import Changes
from codometer.settings import Settings
from tests.people.desk import PROJECT, WHO_ADA, Desk
from tests.people.household import PASSWORD, ROOT, Household
