"""A process at work: prompts, and what the model and its tools make of them.

The attributes are those of client 2.1.330 with an account, as recorded; the
lengths of time and numbers of tokens are chosen to look like ordinary work.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from codometer.model.money import PICO_PER_USD
from codometer.operate.simulator import tools
from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.facts import (
    Add,
    Decision,
    Pairs,
    Process,
    Record,
    Request,
    Tokens,
)
from codometer.operate.simulator.fleet import Installation, Person
from codometer.operate.simulator.tools import Tool
from codometer.pricing import PriceCatalogue, price_request

_SECOND: Final = 1000

# How an event is stamped beside its counter, as recorded (1.0.60 to 2.1.330).
_EVENT_LAG_MS: Final = (1, 44)
_DECISION_LEAD_MS: Final = (1, 117)

_LARGEST_CONTEXT: Final = 150_000
_FIRST_CONTEXT: Final = 22_000
"""What the client's own instructions and the descriptions of its tools come to."""

_SKILL_SHARE: Final = 0.12
_TITLE_SHARE: Final = 0.25
_ATTEMPTS: Final = 11
"""After which a client gives up."""
_ERROR_SHARE: Final = 0.006
_REFUSED_SHARE: Final = 0.1
_COMMIT_SHARE: Final = 0.06
_PULL_REQUEST_SHARE: Final = 0.3

_SINCE_THEY_TELL_MORE: Final = frozenset(
    {
        "cache_creation_5m_tokens", "cache_creation_1h_tokens", "ttft_ms", "prompt_text",
        "message.uuid", "tool_source", "permission_mode", "decision_source", "decision_type",
        "agent_id",
    }
)  # fmt: skip
"""Attributes of which older clients know nothing."""


class Worker:
    """Makes the work of one process. Call `work` once."""

    def __init__(
        self,
        chance: Chance,
        catalogue: PriceCatalogue,
        *,
        person: Person,
        installation: Installation,
        session: str,
        repository: str | None,
        resumed: bool,
    ) -> None:
        self._chance = chance
        self._catalogue = catalogue
        self._person = person
        self._installation = installation
        self._session = session
        self._repository = repository
        self._resumed = resumed
        self._records: list[Record] = []
        self._adds: list[Add] = []
        self._requests: list[Request] = []
        self._decisions: list[Decision] = []
        self._context = _FIRST_CONTEXT
        self._prompt: Pairs = ()
        self._attribution: Pairs = ()
        self._tells_more = installation.release.tells_more
        self._latest_ms = 0

    def work(self, starts_ms: int, length_ms: int) -> Process:
        """Return a process that works for about `length_ms`; it finishes the prompt it is at."""
        chance = self._chance
        self._start(starts_ms)
        at = starts_ms + chance.around(8 * _SECOND)
        while at < starts_ms + length_ms:
            at = self._answer_prompt(at)
            at += chance.around(90 * _SECOND, 1.0)
        self._records.sort(key=_stamped)
        self._adds.sort(key=_counted)
        numbers = {(record.name, record.id): n for n, record in enumerate(self._records)}
        return Process(
            person=self._person,
            installation=self._installation,
            session=self._session,
            repository=self._repository,
            starts_ms=starts_ms,
            ends_ms=self._latest_ms + chance.randint(200, 30 * _SECOND),
            records=tuple(self._records),
            adds=tuple(self._adds),
            requests=tuple(
                request._replace(sequence=numbers["api_request", request.id])
                for request in self._requests
            ),
            decisions=tuple(
                decision._replace(sequence=numbers["tool_decision", decision.id])
                for decision in self._decisions
            ),
        )

    def _start(self, at: int) -> None:
        start_type = "resume" if self._resumed else "fresh"
        self._add(
            at + self._chance.randint(300, 900), "session.count", (("start_type", start_type),), 1
        )
        if self._tells_more:
            for number, pairs in enumerate(_PLUGINS):
                self._record(at + 250 + number, "plugin_loaded", pairs)

    def _answer_prompt(self, at: int) -> int:
        """Let the model work on one prompt, and return when it is done."""
        chance = self._chance
        self._begin_prompt(at)
        began = at
        if chance.happens(_TITLE_SHARE):
            self._ask(at + chance.around(900), self._person.small_model, "generate_session_title")
        for steps_left in reversed(range(chance.around(5, 0.9))):
            at += chance.around(6 * _SECOND)
            if chance.happens(_ERROR_SHARE):
                self._fail(at)
                at += chance.around(4 * _SECOND)
            request_id = self._ask(at, self._person.model, self._main_source)
            if not steps_left:
                self._respond(at, request_id)
                break
            refused, at = self._use_tools(at, request_id)
            if refused:
                break
        self._add(at + 60, "active_time.total", (("type", "cli"),), (at - began) / 1000)
        return at

    def _begin_prompt(self, at: int) -> None:
        chance = self._chance
        self._prompt = (("prompt.id", chance.uuid()),)
        self._attribution = ()
        if not self._person.is_service:
            self._add(at, "active_time.total", (("type", "user"),), chance.around(2500) / 1000)
        self._record(
            at + chance.randint(*_EVENT_LAG_MS),
            "user_prompt",
            (
                ("prompt_length", str(chance.around(90, 1.0))),
                ("prompt", "<REDACTED>"),
                ("prompt_text", "<REDACTED>"),
                ("message.uuid", chance.uuid()),
            ),
        )
        if chance.happens(_SKILL_SHARE):
            self._attribution = (("skill.name", chance.one_of(tools.SKILLS)),)

    @property
    def _main_source(self) -> str:
        return "sdk" if self._person.is_service else "repl_main_thread"

    def _ask(self, at: int, model: str, query_source: str, subagent: str | None = None) -> str:
        """Count a request that was answered at `at`, and return its id."""
        chance = self._chance
        person = self._person
        small = model == person.small_model
        tokens, one_hour = self._tokens(small=small, fresh=subagent is not None)
        charge = price_request(
            self._catalogue,
            model=model,
            provider="firstParty",
            endpoint_scope=None,
            day=_day(at),
            speed="normal",
            uncached_input_tokens=tokens.uncached_input,
            cache_read_tokens=tokens.cache_read,
            cache_write_tokens=tokens.cache_write,
            cache_write_1h_tokens=one_hour,
            output_tokens=tokens.output,
            reported_cost=None,
        )
        if charge.list_cost is None:
            raise ValueError(f"{model} has no price on {_day(at)}")
        tick = chance.randint(0, 1)
        request = Request(
            f"req_011C{chance.letters(20)}",
            0,
            at,
            at + tick + chance.randint(*_EVENT_LAG_MS),
            model,
            tokens,
            charge.list_cost,
        )
        self._requests.append(request)
        self._count_request(request, tick, query_source, subagent)
        self._tell_request(request, one_hour, query_source, subagent)
        return request.id

    def _tokens(self, *, small: bool, fresh: bool) -> tuple[Tokens, int]:
        """Return the tokens of a request, and how many of its cache writes are to live an hour."""
        chance = self._chance
        output = chance.around(80 if small else 600, 1.0)
        if small:
            return Tokens(chance.around(600), 0, 0, output), 0
        written = chance.around(5000, 1.0)
        if fresh:
            tokens = Tokens(chance.around(200), chance.around(14_000), written, output)
        else:
            if self._context > _LARGEST_CONTEXT:
                self._context = 2 * _FIRST_CONTEXT  # it was summed up
            tokens = Tokens(chance.around(40, 1.2), self._context, written, output)
            self._context += written + output
        one_hour = chance.choice((0, 0, written, chance.randint(0, written)))
        return tokens, one_hour

    def _count_request(
        self, request: Request, tick: int, query_source: str, subagent: str | None
    ) -> None:
        person = self._person
        main = request.model == person.model
        pairs: Pairs = (
            ("model", person.model_on_metrics if main else request.model),
            ("query_source", _metric_source(query_source)),
            ("effort", person.effort),
        )
        if subagent:
            pairs += (("agent.name", subagent),)
        pairs += self._attribution
        at, tokens = request.counted_ms, request.tokens
        self._add(at, "cost.usage", pairs, request.cost / PICO_PER_USD)
        for type_, count in (
            ("input", tokens.uncached_input),
            ("output", tokens.output),
            ("cacheRead", tokens.cache_read),
            ("cacheCreation", tokens.cache_write),
        ):
            self._add(at + tick, "token.usage", (*pairs, ("type", type_)), count)

    def _tell_request(
        self, request: Request, one_hour: int, query_source: str, subagent: str | None
    ) -> None:
        chance, tokens = self._chance, request.tokens
        duration_ms = chance.around(5500)
        pairs: Pairs = (
            ("model", request.model),
            ("input_tokens", tokens.uncached_input),
            ("output_tokens", tokens.output),
            ("cache_read_tokens", tokens.cache_read),
            ("cache_creation_tokens", tokens.cache_write),
            ("cache_creation_5m_tokens", tokens.cache_write - one_hour),
            ("cache_creation_1h_tokens", one_hour),
            ("cost_usd", request.cost / PICO_PER_USD),
            ("cost_usd_micros", round(request.cost / 1_000_000)),
            ("duration_ms", duration_ms),
            ("ttft_ms", min(duration_ms, chance.around(1400))),
            ("request_id", request.id),
            ("speed", "normal"),
            ("query_source", f"agent:builtin:{subagent}" if subagent else query_source),
            ("effort", self._person.effort),
        )
        if subagent:
            pairs += (("agent.name", subagent), ("agent_id", f"a{chance.hex(16)}"))
        pairs += self._attribution
        self._record(request.stamped_ms, "api_request", pairs, request.id)

    def _use_tools(self, at: int, request_id: str) -> tuple[bool, int]:
        """Run the tools a request asked for; tell whether one was refused, and when all end."""
        chance = self._chance
        ends = at
        # A request is told with an MCP server if it took in what one of its tools returned.
        self._attribution = tuple(pair for pair in self._attribution if pair[0] == "skill.name")
        for _ in range(chance.choice((1, 1, 1, 2))):
            (tool,) = chance.choices(tools.TOOLS, tools.SHARES)
            decided = at + chance.randint(-30, 40)
            is_asked = chance.happens(tool.is_asked) and not self._person.is_service
            if is_asked:
                decided += chance.around(4 * _SECOND)
            refused = is_asked and chance.happens(_REFUSED_SHARE)
            source = chance.one_of(
                tools.REFUSALS if refused else tools.CONSENTS if is_asked else tools.AUTOMATIC
            )
            use_id = f"toolu_01{chance.letters(22)}"
            self._decide(decided, use_id, tool.name, source, request_id)
            if refused:
                return True, max(ends, decided + 200)
            ends = max(ends, self._run_tool(decided, use_id, tool, source, request_id))
        return False, ends

    def _decide(self, at: int, use_id: str, tool: str, source: str, request_id: str) -> None:
        chance = self._chance
        decision = "reject" if source in tools.REFUSALS else "accept"
        self._record(
            at,
            "tool_decision",
            (
                ("decision", decision),
                ("source", source),
                ("tool_name", tool),
                ("tool_use_id", use_id),
                ("tool_source", "mcp" if tool == tools.MCP else "builtin"),
                ("permission_mode", "default"),
                ("request_id", request_id),
            ),
            use_id,
        )
        if tool in tools.EDITS:
            language = chance.one_of(tools.LANGUAGES)
            counted = at + chance.randint(*_DECISION_LEAD_MS)
            self._decisions.append(
                Decision(use_id, 0, counted, at, tool, decision == "accept", source, language)
            )
            pairs: Pairs = (
                ("decision", decision),
                ("source", source),
                ("tool_name", tool),
                ("language", language),
            )
            self._add(counted, "code_edit_tool.decision", pairs, 1)

    def _run_tool(self, at: int, use_id: str, tool: Tool, source: str, request_id: str) -> int:
        """Let a tool run, and return when it is done."""
        chance = self._chance
        duration_ms = chance.around(tool.median_ms, tool.spread)
        done = at + 120 + duration_ms
        if tool.name == tools.AGENT:
            done = self._run_subagent(at + 120)
            duration_ms = done - at
        release = self._installation.release
        is_edit = tool.name == tools.EDIT
        failed = chance.happens(release.edit_failures if is_edit else tool.failures)
        if not failed:
            self._count_output(done, tool.name)
        if tool.name == tools.MCP:
            self._attribution += (("mcp_server.name", chance.one_of(tools.MCP_SERVERS)),)
        outcome: Pairs = (
            ("tool_result_size_bytes", str(chance.around(700, 1.3))),
            ("decision_source", source),
            ("decision_type", "accept"),
            ("request_id", request_id),
        )
        if failed:
            error = "ShellError" if tool.name == tools.SHELL else "Error"
            outcome = (("error_type", error), *outcome[1:])
        self._record(
            done,
            "tool_result",
            (
                ("tool_name", tool.name),
                ("tool_use_id", use_id),
                ("success", "false" if failed else "true"),
                ("duration_ms", str(duration_ms)),
                ("tool_input_size_bytes", str(chance.around(140))),
                *outcome,
            ),
            use_id,
        )
        return done

    def _count_output(self, at: int, tool: str) -> None:
        chance = self._chance
        if tool in tools.EDITS:
            changed: Pairs = (("model", self._person.model_on_metrics),)
            for type_, lines in (
                ("added", chance.around(8, 1.0)),
                ("removed", chance.around(3) - 1),
            ):
                self._add(at - 2, "lines_of_code.count", (("type", type_), *changed), lines)
        elif tool == tools.SHELL and chance.happens(_COMMIT_SHARE):
            self._add(at - 10, "commit.count", (), 1)
            if chance.happens(_PULL_REQUEST_SHARE):
                self._add(at - 9, "pull_request.count", (), 1)

    def _run_subagent(self, at: int) -> int:
        subagent = self._chance.one_of(tools.SUBAGENTS)
        for _ in range(self._chance.around(4)):
            at += self._chance.around(4 * _SECOND)
            self._ask(at, self._person.model, "agent", subagent)
        return at + 100

    def _respond(self, at: int, request_id: str) -> None:
        self._record(
            at + self._chance.randint(46, 60),
            "assistant_response",
            (
                ("response_length", self._chance.around(600, 1.0)),
                ("response", "<REDACTED>"),
                ("request_id", request_id),
                ("message.uuid", self._chance.uuid()),
                ("model", self._person.model),
                ("query_source", self._main_source),
            ),
        )

    def _fail(self, at: int) -> None:
        chance = self._chance
        status, error = chance.one_of(tools.ERRORS)
        called: Pairs = (
            ("model", self._person.model_on_metrics),
            ("error", error),
            ("status_code", status),
        )
        how: Pairs = (
            ("speed", "normal"),
            ("query_source", self._main_source),
            ("effort", self._person.effort),
        )
        request_id = f"req_011C{chance.letters(20)}"
        tried: Pairs = (
            ("duration_ms", chance.around(900)),
            ("attempt", _ATTEMPTS),
            ("request_id", request_id),
        )
        self._record(at, "api_error", (*called, *tried, *how), request_id)
        given_up: Pairs = (
            ("total_attempts", _ATTEMPTS),
            ("total_retry_duration_ms", chance.around(40 * _SECOND)),
        )
        self._record(at + 1, "api_retries_exhausted", (*called, *given_up, *how))

    def _record(self, at: int, name: str, pairs: Pairs, id_: str | None = None) -> None:
        if name != "plugin_loaded":
            pairs = (*self._prompt, *pairs)
        if not self._tells_more:
            pairs = tuple(pair for pair in pairs if pair[0] not in _SINCE_THEY_TELL_MORE)
        self._records.append(Record(at, name, pairs, id_))
        self._latest_ms = max(self._latest_ms, at)

    def _add(self, at: int, metric: str, pairs: Pairs, amount: float) -> None:
        self._adds.append(Add(at, metric, pairs, amount))
        self._latest_ms = max(self._latest_ms, at)


def _stamped(record: Record) -> int:
    return record.stamped_ms


def _counted(add: Add) -> int:
    return add.counted_ms


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def _metric_source(query_source: str) -> str:
    if query_source == "agent":
        return "subagent"
    return "main" if query_source in {"repl_main_thread", "sdk"} else "auxiliary"


_PLUGINS: Final[tuple[Pairs, ...]] = tuple(
    (
        ("plugin.name", name),
        ("marketplace.name", "builtin"),
        ("plugin.scope", "default-bundle"),
        ("enabled_via", "default-enable"),
        ("plugin_id_hash", id_hash),
        ("has_hooks", True),
        ("has_mcp", False),
        ("host_owned_mcp", False),
        ("skill_path_count", 0),
        ("command_path_count", 0),
        ("agent_path_count", 0),
        ("safe_mode", "false"),
    )
    for name, id_hash in (
        ("cc-plugin-agents-md", "da63145d0acbb62d"),
        ("cc-plugin-privacy", "a2f27f067781660d"),
        ("cc-plugin-diff", "a76abe54c194ce84"),
    )
)
