"""A real provider of identities in a process of its own: oidc-provider, behind TLS of our own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from tests.certificates import Authority
from tests.npm import install_packages

CLIENT_ID: Final = "codometer"
CLIENT_SECRET: Final = "shared with the provider only"  # noqa: S105 - of a test
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class RealProvider:
    """Where it will be; `running` runs it once it is known where browsers return to."""

    port: int
    folder: Path
    authority: Authority

    @property
    def issuer(self) -> str:
        """What it calls itself. To a browser `localhost` is another site than 127.0.0.1."""
        return f"https://localhost:{self.port}"

    @contextmanager
    def running(self, return_to: str, groups: Mapping[str, Sequence[str]]) -> Iterator[None]:
        """Run it for a `with` block. Whoever says a name and any password is let in by that name.

        Raises:
            InstallFailed: npm could not bring it.
        """
        program = install_packages(_HERE)
        server = program / "server.mjs"  # beside its packages, where node looks for them
        shutil.copy(_HERE / "server.mjs", server)
        issued = self.authority.issue("provider")
        key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
        client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        settings = {
            "issuer": self.issuer,
            "port": self.port,
            "certificate": str(issued.certificate),
            "key": str(issued.key),
            "client": {**client, "redirect_uris": [return_to]},
            "groups": groups,
        }
        log = self.folder / "provider.log"
        arguments = [
            "node",
            str(server),
            json.dumps(settings),
            json.dumps([key.as_dict(private=True)]),
        ]
        with (
            log.open("wb") as errors,
            subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors) as process,
        ):
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n", log.read_text(encoding="utf-8")
                yield
            finally:
                process.kill()
