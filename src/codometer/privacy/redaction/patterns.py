"""What secrets look like, as data: a word that is near, a shape, and what tells it from others.

From the public formats of those who give them out, as secret scanners such as
gitleaks (https://github.com/gitleaks/gitleaks, 2026-11) collect them. Every
repetition has an upper bound, so that no text makes a pattern slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from codometer.privacy.redaction import checks


class Pattern(NamedTuple):
    """One shape. The value is what its first group takes, else all of it."""

    kind: str
    near: tuple[str, ...]
    """Words, in lower case, without one of which it is not looked for."""
    shape: re.Pattern[str]
    is_real: Callable[[str], bool] | None = None
    """Tells the value from what only looks like one."""


_BEGIN: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))"
"""Where a token begins, also after an escape of a JSON text that was cut off."""
_QUOTES: Final = r"[\"'`\\]{0,4}"
_ASSIGNED: Final = rf"{_QUOTES}\s{{0,8}}(?::=|=>|->|=|:)\s{{0,8}}"
_VALUE: Final = (
    r"(?:\\{0,3}\"([^\"\n\\]{4,512})|\\{0,3}'([^'\n\\]{4,512})|[`\\]{0,2}([^\s\"'`\\,;]{4,512}))"
)


def _token(kind: str, near: str, shape: str) -> Pattern:
    return Pattern(kind, tuple(near.lower().split()), re.compile(_BEGIN + shape))


def _anywhere(kind: str, near: str, shape: str) -> Pattern:
    return Pattern(kind, tuple(near.lower().split()), re.compile(shape))


_GITHUB: Final = Pattern(
    "github",
    ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    re.compile(r"gh[pousr]_[A-Za-z0-9]{36}"),
    checks.is_github,
)

_TOKENS: Final = (
    _anywhere("anthropic", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{8,512}"),
    _token("openai", "sk-", r"sk-[A-Za-z0-9_-]{16,512}"),
    _anywhere("aws", "akia asia abia acca agpa aida aroa aipa anpa anva",
              r"(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z0-9]{16}"),
    _anywhere("aws-bedrock", "absk bedrock-api-key-",
              r"(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/]{40,512}"),
    _anywhere("github-pat", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    _token("gitlab", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- gloas- glsoat-",
           r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_.-]{16,300}"),
    _token("gitlab-runner", "gr1348941", r"GR1348941[A-Za-z0-9_-]{16,64}"),
    _token("slack", "xox xapp-", r"(?:xox[a-z]|xapp)-[A-Za-z0-9.-]{10,256}"),
    _anywhere("slack-hook", "hooks.slack.com",
              r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_+-]{16,128}"),
    _anywhere("google", "aiza", r"AIza[A-Za-z0-9_-]{35}"),
    _token("google-oauth", "ya29. gocspx- 1//0",
           r"(?:ya29\.|GOCSPX-|1//0)[A-Za-z0-9_-]{20,1024}"),
    _token("stripe", "sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ whsec_",
           r"(?:[srp]k_(?:live|test)|whsec)_[A-Za-z0-9+/=]{10,256}"),
    _anywhere("npm", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _token("pypi", "pypi-", r"pypi-[A-Za-z0-9_-]{16,512}"),
    # From where a token begins: if each eyJ in a row of them were tried, it would take minutes.
    _anywhere("jwt", "eyj",
              r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf]))"
              r"eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{2,8192}(?:\.[A-Za-z0-9_-]{0,2048}){0,3}"),
    _anywhere("azure", "8q~ 7q~ 6q~", r"[A-Za-z0-9_~.-]{3}[678]Q~[A-Za-z0-9_~.-]{31,34}"),
    _anywhere("azure-key", "accountkey= sharedaccesskey= sig=",
              r"(?i:accountkey|sharedaccesskey|[?&;\s]sig)=([A-Za-z0-9+/%=]{16,256})"),
    _anywhere("digitalocean", "doo_v1_ dop_v1_ dor_v1_", r"do[opr]_v1_[a-f0-9]{64}"),
    _token("heroku", "hrku-", r"HRKU-[A-Za-z0-9_-]{30,128}"),
    _token("sendgrid", "sg.", r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}"),
    _token("mailgun", "key-", r"key-[0-9a-f]{32}"),
    _token("mailchimp", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}"),
    _token("twilio", "sk ac", r"(?:SK|AC)[0-9a-f]{32}"),
    _anywhere("telegram", ":aa", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,40}"),
    _token("discord", ".", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,64}"),
    _anywhere("discord-hook", "/api/webhooks/",
              r"discord(?:app)?\.com/api/webhooks/[0-9]{10,24}/[A-Za-z0-9_-]{20,128}"),
    _token("huggingface", "hf_ api_org_", r"(?:hf|api_org)_[A-Za-z0-9]{30,64}"),
    _token("replicate", "r8_", r"r8_[A-Za-z0-9]{30,64}"),
    _token("model-provider", "gsk_ xai- pplx- fw_ tgp_v1_ nvapi- csk-",
           r"(?:gsk_|xai-|pplx-|fw_|tgp_v1_|nvapi-|csk-)[A-Za-z0-9_-]{20,256}"),
    _token("databricks", "dapi", r"dapi[a-f0-9]{32}(?:-[0-9])?"),
    _token("vault", "hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{20,512}"),
    _anywhere("terraform", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,128}"),
    _token("doppler", "dp.", r"dp\.[a-z]{2,5}\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,64}"),
    _token("planetscale", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,128}"),
    _token("supabase", "sbp_ sb_secret_", r"(?:sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,64})"),
    _token("linear", "lin_", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,128}"),
    _token("notion", "ntn_ secret_", r"(?:ntn|secret)_[A-Za-z0-9]{40,64}"),
    _token("figma", "figd_ figo_", r"fig[do]_[A-Za-z0-9_-]{32,128}"),
    _token("postman", "pmak-", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    _token("shopify", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _token("square", "sq0 eaaa", r"(?:sq0[a-z]{3}-[A-Za-z0-9_-]{22,64}|EAAA[A-Za-z0-9_-]{56,64})"),
    _token("new-relic", "nrak- nrjs- nrii- nral", r"NR(?:AK|JS|II|AL)-?[A-Za-z0-9-]{18,64}"),
    _token("grafana", "glsa_ glc_",
           r"(?:glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400})"),
    _token("sentry", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9+/=_-]{40,512}"),
    _token("dynatrace", "dt0", r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _token("docker", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{24,64}"),
    _token("registry", "rubygems_ clojars_ oy2 cio",
           r"(?:rubygems_[a-f0-9]{48}|CLOJARS_[a-z0-9]{60}|oy2[a-z0-9]{43}|cio[A-Za-z0-9]{32})"),
    _token("artifactory", "akc cmvmdgtu", r"(?:AKC[A-Za-z0-9]{20,128}|cmVmdGtu[A-Za-z0-9]{40,64})"),
    _token("atlassian", "atatt3 atctt3 atbb",
           r"(?:AT[AC]TT3[A-Za-z0-9_=-]{50,256}|ATBB[A-Za-z0-9]{24,64})"),
    _token("pulumi", "pul-", r"pul-[a-f0-9]{40}"),
    _token("prefect", "pnu_ pnb_", r"pn[ub]_[A-Za-z0-9]{36}"),
    _token("age", "age-secret-key-", r"AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{58,1024}"),
    _token("fly", "fm1 fm2_ fo1_", r"(?:fm1[ar]|fm2|fo1)_[A-Za-z0-9+/=_-]{40,512}"),
    _token("tailscale", "tskey-", r"tskey-[a-z]{2,16}-[A-Za-z0-9-]{10,64}"),
    _token("dropbox", "sl.", r"sl\.(?:u\.)?[A-Za-z0-9_-]{100,1024}"),
    _token("facebook", "eaa", r"EAA[A-Za-z0-9]{50,512}"),
    _token("easypost", "ezak ezat", r"EZ[AT]K[A-Za-z0-9]{54}"),
    _token("cloudflare", "v1.0-", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,160}"),
    _token("launchdarkly", "sdk- mob- api-",
           r"(?:sdk|mob|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    _token("codometer", "cdm_", r"cdm_[a-z]{3}_[A-Za-z0-9]{20,64}"),
)  # fmt: skip

_PASSWORDS: Final = (
    r"(?:pass(?:word|wort|wd|phrase|code)|pwd|secret|credential|private[_-]?key|client[_-]?secret)"
)
_KEYS: Final = (
    r"(?:token(?!s)|api[_-]?key|access[_-]?key|auth[_-]?key|account[_-]?key|encryption[_-]?key"
    r"|signing[_-]?key|session[_-]?id|cookie)"
)
SECRET_NAME: Final = re.compile(rf"(?i){_PASSWORDS}|{_KEYS}|^auth(?:orization)?$")
"""What a field is called whose value is a secret, whatever it looks like."""
_SUFFIX: Final = r"[A-Za-z0-9_.-]{0,24}"

_IN_CONTEXT: Final = (
    Pattern("url", ("://",),
            re.compile(r"://[^\s/@:\"'<>]{0,256}:(?![0-9]{1,5}[/?#])([^\s@\"'<>]{1,256})@")),
    Pattern("url", ("://",), re.compile(r"://([^\s/@:\"'<>]{8,256})@")),
    Pattern("authorization", ("authorization", "bearer ", "basic "),
            re.compile(r"(?i)\b(?:bearer|basic|token|apikey)[ \t]{1,4}"
                       r"([A-Za-z0-9._~+/=-]{8,4096})")),
    Pattern("password", ("pass", "pwd", "secret", "credential", "private"),
            re.compile(rf"(?i){_PASSWORDS}{_SUFFIX}{_ASSIGNED}{_VALUE}"), checks.is_value),
    Pattern("token", ("token", "key", "session", "cookie"),
            re.compile(rf"(?i){_KEYS}{_SUFFIX}{_ASSIGNED}{_VALUE}"), checks.is_token_value),
    Pattern("password", ("--pass", "--token", "--secret", "--api"),
            re.compile(r"(?i)--(?:pass[a-z]{0,6}|token|secret|api-?key)[ =]{1,2}[\"']?"
                       r"([^\s\"']{3,512})"), checks.is_value),
    Pattern("password", ("-u", "--user"),
            re.compile(r"(?<!\S)(?:-u|--user)[ =]?[\"']?[^\s:\"'/]{1,100}:([^\s\"']{1,256})")),
    Pattern("password", ("password",),
            re.compile(r"(?i)\b(?:login|user)\s{1,4}\S{1,100}\s{1,8}password\s{1,4}(\S{1,256})")),
    Pattern("password", ("identified by", "with password"),
            re.compile(r"(?i)(?:identified by|with password)\s{1,4}['\"]([^'\"\n]{1,256})")),
    Pattern("password", ("sshpass", "mysql"),
            re.compile(r"(?:sshpass|mysql|mysqldump)\s[^\n]{0,100}?-p[\"']?([^\s\"']{3,256})")),
)  # fmt: skip

SECRETS: Final = (_GITHUB, *_TOKENS, *_IN_CONTEXT)
"""All of them. A private key, which has no bounded length, is not among them."""

RANDOM: Final = re.compile(r"(?<!\\)[A-Za-z0-9+/_-]{20,512}={0,2}")
"""What may be a secret of nobody's make; `checks.is_random` tells."""
