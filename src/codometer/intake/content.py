"""Content: kept where both a project and a person agreed, redacted first; else never looked at.

The pipeline drops content, as it always did, and hands on requests and the
origins of the events that they came to. Where one of these is covered by
consents, the requests are read again for their texts, and each text that is
covered is redacted. What goes wrong here costs the text, never the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from codometer.intake.normalise import Normalised
from codometer.intake.pipeline import fill_in
from codometer.intake.receivers.otlp_content import Written, read_content
from codometer.intake.receivers.otlp_decode import decode
from codometer.model.identity import Identities, hash128
from codometer.people.contents import Text
from codometer.people.identifier import list_named
from codometer.privacy.policy import (
    CONTENT_PARTS,
    MAX_CONTENT_LENGTH,
    MAX_CONTENT_OF_REQUEST,
    PLACEHOLDERS,
)
from codometer.privacy.pseudonym import is_pseudonym

if TYPE_CHECKING:
    from codometer.intake.normalise import Normaliser
    from codometer.intake.receivers.export import ExportRequest
    from codometer.model.event import Event, Origin
    from codometer.people.covering import Cover
    from codometer.people.people import People
    from codometer.privacy.redaction import Redactor

_NS_PER_SECOND: Final = 10**9


class _Covered(NamedTuple):
    event: Event
    cover: Cover
    written: list[Written]


class ContentKeeper:
    """Takes the content of requests whose events are covered."""

    def __init__(
        self,
        people: People,
        normaliser: Normaliser,
        redactor: Redactor,
    ) -> None:
        self._contents = people.contents
        self._normaliser = normaliser
        self._identifier = people.identifier
        self._redactor = redactor

    @property
    def is_wanted(self) -> bool:
        """Whether content of anybody is to be kept."""
        return self._contents.has_consents

    def keep(self, requests: Sequence[ExportRequest], origins: Sequence[Origin]) -> None:
        """Take what requests have of content, if one of these origins is covered. Never raises."""
        if not any(map(self._contents.find_cover, origins)):
            return
        for request in requests:
            try:
                left = MAX_CONTENT_OF_REQUEST
                for covered in self._read(request):
                    left = self._take(covered, left)
            except Exception:  # noqa: BLE001 - no event may be lost for content that was not read
                self._contents.drop("unreadable")

    def save(self) -> None:
        """Write what was taken."""
        self._contents.save()

    def _read(self, request: ExportRequest) -> Iterator[_Covered]:
        """Find out anew which event each record is: the origins alone do not tell."""
        texts = [
            [each for each in written if each.text not in PLACEHOLDERS]
            for written in read_content(request, CONTENT_PARTS)
        ]
        if not any(texts):
            return
        signals = decode(request)
        fill_in(signals, request.defaults)
        for signal, written in zip(signals, texts, strict=True):
            if not written:
                continue
            one = Normalised()
            self._normaliser.normalise([[signal]], one)
            for event in one.events:
                if cover := self._contents.find_cover(event.origin):
                    yield _Covered(event, cover, written)

    def _take(self, covered: _Covered, left: int) -> int:
        """Take the texts of a record, of at most `left` characters; return what is left then."""
        event = covered.event
        subject = self._subject(event.origin)
        # Clients send the same text under several names; the first of them tells what it is.
        texts = {each.text: each.attribute for each in reversed(covered.written)}
        for text, attribute in texts.items():
            left -= min(len(text), 2 * MAX_CONTENT_LENGTH)
            if left < 0:
                self._contents.drop("too_much")
                continue
            if (redacted := self._redacted(text)) is None:
                continue
            self._contents.add(
                Text(
                    id=f"{hash128(event.key, attribute, redacted):032x}",
                    cover=covered.cover,
                    subject=subject,
                    session=event.origin.session,
                    time=datetime.fromtimestamp(event.time_ns // _NS_PER_SECOND, UTC),
                    name=event.name,
                    part=CONTENT_PARTS[attribute],
                    text=redacted,
                )
            )
        return left

    def _redacted(self, text: str) -> str | None:
        try:
            return self._redactor.redact(text, longest=MAX_CONTENT_LENGTH)
        except Exception:  # noqa: BLE001 - fail closed: what could not be redacted is dropped
            self._contents.drop("redaction")
            return None

    def _subject(self, origin: Origin) -> str:
        """Return the pseudonym of the strongest identity, also where persons are plain."""
        told = Identities(
            person=origin.person,
            person_kind=origin.person_kind,
            installation=origin.installation,
            account_uuid=origin.account_uuid,
            account_id=origin.account_id,
            email=origin.email,
            enduser_id=origin.enduser_id,
        )
        kind, name = list_named(told)[0]  # who is covered is somebody
        return name if is_pseudonym(name) else self._identifier.pseudonym(kind, name)
