"""Builds every part of the server by hand, runs them, and stops them in reverse order."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import uvloop

from codometer.access.access import Access
from codometer.access.admission import Admission, DefaultNames
from codometer.access.rate_limit import RateLimit
from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.claude_code.catalogue import EXTRA_ATTRIBUTES
from codometer.agents.origin import ACCOUNT_ATTRIBUTES, OriginRules, Origins
from codometer.agents.unknown import UnknownAgent
from codometer.analysis.measures.grain import Grain, any_grain
from codometer.analysis.measures.run import run_query
from codometer.intake.billing import pricer, unit_prices
from codometer.intake.content import ContentKeeper
from codometer.intake.limits import ByteBudget, Limits, allow_connections
from codometer.intake.normalise import Normaliser
from codometer.intake.pipeline import Intake, spared_collector
from codometer.intake.receivers.http_server import HttpServer
from codometer.intake.receivers.otlp_grpc import OtlpGrpc
from codometer.intake.receivers.otlp_http import OtlpHttp
from codometer.intake.receivers.tls import ClientCertificates, Tls, read_certificates
from codometer.jobs import Periodic
from codometer.log import begin_log
from codometer.networks import is_loopback, parse_network
from codometer.operate.connect import connection_lines, grpc_url, otlp_url
from codometer.people.own import OwnData
from codometer.people.people import People
from codometer.people.queue import Queue
from codometer.people.requests import Requests
from codometer.people.retention import Retention
from codometer.pricing import load_catalogue, normalise_model
from codometer.privacy.encryption import Purpose
from codometer.privacy.redaction import Redactor
from codometer.serve.api.accounts import invitation_link
from codometer.serve.api.status import ToldStatus
from codometer.serve.app import build_app
from codometer.serve.web.events import Changes
from codometer.settings import pages_url
from codometer.store.store import Store

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from codometer.access.account import Invitation
    from codometer.analysis.measures.query import Query
    from codometer.analysis.measures.run import Answer
    from codometer.intake.receivers.export import Accept
    from codometer.networks import Network
    from codometer.pricing import PriceCatalogue
    from codometer.settings import Listen, Settings

_log: Final = logging.getLogger(__name__)

Beside = Callable[["PriceCatalogue", "Accept"], Coroutine[Any, Any, None]]

_GRACE_SECONDS: Final = 10.0
_RETAIN_EVERY_SECONDS: Final = 600.0
_RENEW_EVERY_SECONDS: Final = 30.0


class Server:
    """All parts of one server, in one process and one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Open the store and build the parts; nothing listens yet.

        Raises:
            StoreBusy: another server has the data folder.
        """
        self._settings = settings
        listen = settings.listen
        self._tls = Tls(listen.tls_certificate, listen.tls_key) if listen.tls_certificate else None
        self._clients = _client_certificates(settings)
        self._zone = ZoneInfo(settings.organisation.time_zone)
        catalogue = self.catalogue = load_catalogue()
        self.store = Store(
            settings.data,
            self._zone,
            memory_limit=settings.store.memory_limit,
            threads=settings.store.threads,
            resource_keys=settings.dimensions.resource_attributes,
        )
        self.store.set_prices(unit_prices(catalogue))
        self.access = self._open_access()
        self.people = self._open_people()
        self._intake = self._make_intake()
        self.retention = Retention(self.people, settings.retention, self._zone)
        self._retaining = Periodic("retention", _RETAIN_EVERY_SECONDS, self._retain)
        self.otlp_http, self.otlp_grpc = self._make_receivers()
        self.changes = Changes(lambda: self.store.version, freshen=self.store.catch_up)
        self.app = self._build_app()
        self.web = HttpServer(
            self.app,
            host=listen.host,
            port=listen.port,
            limits=_limits(settings),
            tls=self._tls.make_context() if self._tls else None,
            proxies=_proxies(settings),
        )

    def _build_app(self) -> Starlette:
        return build_app(
            settings=self._settings,
            ask=self.ask,
            look=self.look,
            minimum_people=self.find_minimum_now,
            find_grain=self.find_grain,
            status=ToldStatus(self.store, self.find_minimum_ever),
            check_ready=self._check,
            access=self.access,
            retention=self.retention,
            changes=self.changes,
        )

    def _open_access(self) -> Access:
        try:
            access = Access(self._settings)
            try:
                access.check_listening(self._settings.listen)
            except BaseException:
                access.close()
                raise
        except BaseException:
            self.store.close()
            raise
        return access

    def _make_intake(self) -> Intake:
        origins = Origins(
            _origin_rules(self._settings),
            self.people.identifier,
            self.people.memberships,
            salt=self.access.keys.ring.newest(Purpose.FINGERPRINT).secret.hex(),
        )
        agents = (ClaudeCode(origins, normalise_model), UnknownAgent(origins))
        normaliser = Normaliser(agents, time.time_ns, self.people.in_force)
        content = ContentKeeper(
            self.people,
            normaliser,
            Redactor(self.access.keys.ring.newest(Purpose.FINGERPRINT).secret),
        )

        def before_commit() -> None:
            self.people.identifier.save()
            content.save()

        intake = Intake(
            normaliser,
            pricer(self.catalogue),
            self.store,
            min_interval_seconds=self._settings.ingest.commit_interval_ms / 1000,
            before_commit=before_commit,
            content=content,
        )
        self.people.attach(intake.paused, origins.forget)
        return intake

    def _make_receivers(self) -> tuple[HttpServer, OtlpGrpc]:
        settings, tls, clients = self._settings, self._tls, self._clients
        listen, limits = settings.listen, _limits(settings)
        budget = ByteBudget(limits.budget_bytes)
        host, proxies = listen.host, _proxies(settings)
        admission = Admission(
            self.access.known,
            required=settings.ingest.credentials == "required" or listen.is_public,
            names=_default_names(settings),
            limit=_limit_of_one(settings),
        )
        over_http = HttpServer(
            OtlpHttp(self._intake.accept, authenticate=admission, limits=limits, budget=budget),
            host=host,
            port=listen.otlp_port,
            limits=limits,
            tls=tls.make_context(clients) if tls else None,
            proxies=proxies,
        )
        over_grpc = OtlpGrpc(
            self._intake.accept,
            authenticate=admission,
            host=host,
            port=listen.grpc_port,
            limits=limits,
            budget=budget,
            credentials=tls.make_credentials(clients) if tls else None,
            proxies=proxies,
        )
        return over_http, over_grpc

    def _open_people(self) -> People:
        try:
            people = People(
                self.access,
                self.store,
                known_attributes=EXTRA_ATTRIBUTES,
                content_days=self._settings.retention.content_days,
                services=self._settings.privacy.services,
            )
            people.content_views.find_own = OwnData(Requests(people)).find_person
        except BaseException:
            self.access.close()
            self.store.close()
            raise
        return people

    def ask(self, query: Query) -> Answer:
        """Answer a query as of now."""
        self.store.catch_up()
        return self.look(query)

    def look(self, query: Query) -> Answer:
        """Answer a query as of the last refresh of the sums, at once."""
        return run_query(
            self.store,
            query,
            organisation_zone=self._zone,
            minimum_people=self.find_minimum_people(min(each.start for each in query.periods)),
            find_grain=self.find_grain,
        )

    @property
    def listen(self) -> Listen:
        """Where it listens, with the ports that were found."""
        return dataclasses.replace(
            self._settings.listen,
            port=self.web.port,
            otlp_port=self.otlp_http.port,
            grpc_port=self.otlp_grpc.port,
        )

    def find_minimum_people(self, since: datetime) -> int:
        """Return the fewest that a number of a period from a time on may cover.

        That is for those who may not see people. In local mode there is nobody to protect but
        whoever looks. Elsewhere it is what the profile says, or more where the setting asks for it.
        """
        if not self.access.sessions.have_accounts:
            return 1
        least = self.people.find_strictest(since).min_people
        return max(self._settings.privacy.minimum_people, least)

    def find_minimum_now(self) -> int:
        """Return the fewest that a number of what happens now may cover."""
        return self.find_minimum_people(self.access.audit.now())

    def find_minimum_ever(self) -> int:
        """Return the fewest that a number of all that is stored may cover."""
        return self.find_minimum_people(datetime.min.replace(tzinfo=UTC))

    def find_grain(self, since: datetime) -> Grain:
        """Return how finely groups may be told of from a time on; in local mode, by hour."""
        if not self.access.sessions.have_accounts:
            return any_grain(since)
        return Grain(self.people.find_strictest(since).finest_cut, self.access.audit.now())

    def _retain(self) -> None:
        self.people.contents.sweep()
        Queue(Requests(self.people)).sweep()
        self.retention.run_if_due()

    def _check(self) -> None:
        self.store.check()
        self.access.control.check()

    async def run(self, until: asyncio.Event, *, beside: Beside | None = None) -> None:
        """Listen until the event is set, then finish what is in flight and close everything.

        `beside` is begun when everything listens, and cancelled before it ends. A fault
        in it ends the server too.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self.store.close)
            stack.callback(self.access.close)
            self.store.start()
            self.access.start()
            self._intake.start()
            stack.callback(self._intake.stop)
            self.people.start()
            stack.callback(self.people.stop)
            self._retaining.start()
            stack.callback(self._retaining.stop)
            if self._tls:
                renewal = Periodic("certificate", _RENEW_EVERY_SECONDS, self._tls.renew)
                renewal.start()
                stack.callback(renewal.stop)
            for part in (self.otlp_grpc, self.otlp_http, self.web):
                await part.start()
                stack.push_async_callback(part.stop, _GRACE_SECONDS)
            self.changes.start()
            stack.push_async_callback(self.changes.stop)
            ending = asyncio.create_task(until.wait())
            work = asyncio.create_task(_forever(beside, self.catalogue, self._intake.accept))
            stack.push_async_callback(_cancel, ending)
            stack.push_async_callback(_cancel, work)
            await asyncio.wait({ending, work}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()


def run(settings: Settings, *, beside: Beside | None = None) -> None:
    """Say where to connect, and run a server until it is interrupted or terminated.

    `beside` is work that goes on while it runs.
    """
    begin_log()
    os.umask(0o077)  # whatever an engine writes is its owner's alone
    allow_connections(settings.ingest.max_connections)
    server = Server(settings)

    async def main() -> None:
        until = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, until.set)
        await server.run(until, beside=announced)

    async def announced(catalogue: PriceCatalogue, accept: Accept) -> None:
        found = dataclasses.replace(settings, listen=server.listen)
        _announce(found)
        if beside is None:
            _announce_sign_in(found.listen, server.access.accounts.invite_first())
        sys.stdout.write("Stop with Ctrl-C.\n")
        sys.stdout.flush()
        if beside is not None:  # a fleet on show, which needs no administrator
            await beside(catalogue, accept)

    with spared_collector(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def _forever(beside: Beside | None, catalogue: PriceCatalogue, accept: Accept) -> None:
    if beside is not None:
        await beside(catalogue, accept)
    await asyncio.Event().wait()


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _announce(settings: Settings) -> None:
    listen = settings.listen
    where = "this machine only" if is_loopback(listen.host) else listen.host
    if not (is_loopback(listen.host) or listen.tls_certificate):
        _log.warning("credentials come in clear to these ports, unless by a proxy with TLS")
    sys.stdout.write(
        f"Codometer listens on {where}, and keeps its data in {settings.data}.\n\n"
        f"  Pages      {pages_url(listen)}\n"
        f"  OTLP/HTTP  {otlp_url(listen)}\n"
        f"  OTLP/gRPC  {grpc_url(listen)}\n\n"
        f"{connection_lines(settings)}\n"
    )


def _announce_sign_in(listen: Listen, invitation: Invitation | None) -> None:
    if invitation is None:
        sys.stdout.write(f"People sign in at {pages_url(listen)}/sign-in\n")
    else:
        sys.stdout.write(
            "Nobody needs to sign in. To change that, make the first administrator, within 30"
            f" minutes:\n\n  {invitation_link(invitation, pages_url(listen))}\n\n"
        )


def _origin_rules(settings: Settings) -> OriginRules:
    dimensions = settings.dimensions
    return OriginRules(
        team=dimensions.team_attributes,
        cost_center=dimensions.cost_center_attributes,
        dimensions=dimensions.resource_attributes,
    )


def _default_names(settings: Settings) -> DefaultNames:
    dimensions = settings.dimensions
    return DefaultNames(
        team=dimensions.team_attributes,
        cost_center=dimensions.cost_center_attributes,
        person=ACCOUNT_ATTRIBUTES,
    )


def _limit_of_one(settings: Settings) -> RateLimit:
    """Return how much may come with one credential: so much a second, twice that at once."""
    per_second = settings.ingest.max_requests_per_second
    return RateLimit(2 * per_second, 2.0)


def _client_certificates(settings: Settings) -> ClientCertificates | None:
    ingest = settings.ingest
    if not ingest.client_ca:
        return None
    return ClientCertificates(
        read_certificates(ingest.client_ca, "ingest.client_ca"),
        required=ingest.client_certificates == "required",
    )


def _proxies(settings: Settings) -> tuple[Network, ...]:
    return tuple(map(parse_network, settings.listen.trusted_proxies))


def _limits(settings: Settings) -> Limits:
    ingest = settings.ingest
    return Limits(
        body_bytes=ingest.max_body_bytes,
        budget_bytes=ingest.max_in_flight_bytes,
        header_seconds=ingest.header_timeout_seconds,
        body_seconds=ingest.body_timeout_seconds,
        keep_alive_seconds=ingest.keep_alive_seconds,
        idle_seconds=ingest.idle_timeout_seconds,
        connections=ingest.max_connections,
    )
