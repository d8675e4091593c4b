"""Secrets that never were: of each kind one, as whoever gives them out would make it.

They are put together here, so that no scanner finds one in this file.
"""

import random
import string
from binascii import crc32
from typing import Final

_CHANCE: Final = random.Random(20_261_123)  # noqa: S311 - of tests
_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase


def some(count: int, signs: str = _BASE62) -> str:
    return "".join(_CHANCE.choices(signs, k=count))


def hexes(count: int) -> str:
    return some(count, "0123456789abcdef")


def github(random_part: str | None = None) -> str:
    part = random_part or some(30)
    number, check = crc32(part.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = _BASE62[digit] + check
    return "ghp_" + part + check


def uuid() -> str:
    return "-".join(hexes(count) for count in (8, 4, 4, 4, 12))


UPPER: Final = string.ascii_uppercase + string.digits
SEEDS: Final = {
    "github": github(),
    "anthropic": "sk-ant-" + "api03-" + some(48),
    "openai": "sk-" + "proj-" + some(48),
    "aws": "AKIA" + some(16, UPPER),
    "aws-bedrock": "ABSK" + some(100),
    "github-pat": "github_pat_" + some(59),
    "gitlab": "glpat-" + some(20),
    "gitlab-runner": "GR1348941" + some(20),
    "slack": "xoxb-" + some(12, string.digits) + "-" + some(24),
    "slack-hook": "hooks.slack.com/" + "services/T0000/B0000/" + some(24),
    "google": "AIza" + some(35),
    "google-oauth": "GOCSPX-" + some(28),
    "stripe": "sk_live_" + some(24),
    "npm": "npm_" + some(36),
    "pypi": "pypi-" + "AgEIcHlwaS5vcmc" + some(60),
    "jwt": "eyJ" + some(30) + "." + some(60) + "." + some(43),
    "azure": some(3) + "8Q~" + some(34),
    "azure-key": "AccountKey=" + some(86) + "==",
    "digitalocean": "dop_v1_" + hexes(64),
    "heroku": "HRKU-" + some(60),
    "sendgrid": "SG." + some(22) + "." + some(43),
    "mailgun": "key-" + hexes(32),
    "mailchimp": hexes(32) + "-us14",
    "twilio": "SK" + hexes(32),
    "telegram": "1234567890" + ":AA" + some(33),
    "discord": "M" + some(23) + "." + some(6) + "." + some(38),
    "discord-hook": "discord.com/api/" + "webhooks/123456789012345678/" + some(68),
    "huggingface": "hf_" + some(34),
    "replicate": "r8_" + some(37),
    "model-provider": "gsk_" + some(52),
    "databricks": "dapi" + hexes(32),
    "vault": "hvs." + some(90),
    "terraform": some(14) + ".atlasv1." + some(67),
    "doppler": "dp.pt." + some(43),
    "planetscale": "pscale_tkn_" + some(43),
    "supabase": "sbp_" + hexes(40),
    "linear": "lin_api_" + some(40),
    "notion": "ntn_" + some(46),
    "figma": "figd_" + some(40),
    "postman": "PMAK-" + hexes(24) + "-" + hexes(34),
    "shopify": "shpat_" + hexes(32),
    "square": "sq0atp-" + some(22),
    "new-relic": "NRAK-" + some(27, UPPER),
    "grafana": "glsa_" + some(32) + "_" + hexes(8),
    "sentry": "sntrys_" + some(80),
    "dynatrace": "dt0c01." + some(24, UPPER) + "." + some(64, UPPER),
    "docker": "dckr_pat_" + some(27),
    "registry": "rubygems_" + hexes(48),
    "artifactory": "AKC" + some(64),
    "atlassian": "ATATT3" + some(180),
    "pulumi": "pul-" + hexes(40),
    "prefect": "pnu_" + some(36),
    "age": "AGE-SECRET-KEY-1" + some(58, UPPER),
    "fly": "fm2_" + some(80),
    "tailscale": "tskey-auth-" + some(12) + "-" + some(24),
    "dropbox": "sl." + some(130),
    "facebook": "EAA" + some(100),
    "easypost": "EZAK" + some(54),
    "cloudflare": "v1.0-" + hexes(24) + "-" + hexes(146),
    "launchdarkly": "sdk-" + uuid(),
    "codometer": "cdm_pat_" + some(36),
    "authorization": "Authorization: Bearer " + some(24),
    "url": "postgres://app:" + some(12) + "@db.internal/shop",
    "password": "password = " + some(10),
    "token": "API_KEY=" + some(12),
}
"""By kind, in the context that such a secret has where it needs one."""

CONTEXT: Final = {
    "azure-key": "AccountKey=",
    "authorization": "Authorization: Bearer ",
    "url": "postgres://app:",
    "password": "password = ",
    "token": "API_KEY=",
}


def secret_in(kind: str) -> str:
    """Return the part of a seed that must go."""
    return SEEDS[kind].removeprefix(CONTEXT.get(kind, "")).partition("@")[0]
