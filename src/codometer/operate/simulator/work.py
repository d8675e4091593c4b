"""A process at work: prompts, and what the model and its tools make of them.

The attributes are those of client 2.1.330 with an account, as recorded; the
lengths of time and numbers of tokens are chosen to look like ordinary work.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from codometer.model.money import PICO_PER_USD
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
from codometer.pricing import PriceCatalogue, price_request

_SECOND: Final = 1000

# How an event is stamped beside its counter, as recorded (1.0.60 to 2.1.330).
_EVENT_LAG_MS: Final = (1, 44)
_DECISION_LEAD_MS: Final = (1, 117)

_TOOLS: Final = {"Read": 30, "Bash": 24, "Edit": 18, "Grep": 12, "Write": 6, "Glob": 4, "Task": 3}
_EDITS: Final = frozenset({"Edit", "Write"})
_LANGUAGES: Final = ("Python", "TypeScript", "Go", "Markdown", "Java", "unknown")
_LARGEST_CONTEXT: Final = 150_000

_SUBAGENTS: Final = ("general-purpose", "Explore", "code-reviewer")


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
        resumed: bool,
    ) -> None:
        self._chance = chance
        self._catalogue = catalogue
        self._person = person
        self._installation = installation
        self._session = session
        self._resumed = resumed
        self._records: list[Record] = []
        self._adds: list[Add] = []
        self._requests: list[Request] = []
        self._decisions: list[Decision] = []
        self._context = 0
        self._prompt: Pairs = ()
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
        for number, pairs in enumerate(_PLUGINS):
            self._record(at + 250 + number, "plugin_loaded", pairs)

    def _answer_prompt(self, at: int) -> int:
        """Let the model work on one prompt, and return when it is done."""
        chance = self._chance
        prompt_id = chance.uuid()
        self._prompt = (("prompt.id", prompt_id),)
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
        began = at
        if chance.happens(0.25):
            self._ask(at + chance.around(900), self._person.small_model, "generate_session_title")
        for steps_left in reversed(range(chance.around(5, 0.9))):
            at += chance.around(6 * _SECOND)
            if chance.happens(0.01):
                self._fail(at)
                at += chance.around(4 * _SECOND)
            request_id = self._ask(at, self._person.model, "repl_main_thread")
            if not steps_left:
                self._respond(at, request_id)
                break
            refused, at = self._use_tools(at, request_id)
            if refused:
                break
        self._add(at + 60, "active_time.total", (("type", "cli"),), (at - began) / 1000)
        return at

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
        output = chance.around(80 if small else 350, 0.9)
        if small:
            return Tokens(chance.around(600), 0, 0, output), 0
        written = chance.around(2500, 1.0)
        if fresh:
            tokens = Tokens(chance.around(200), chance.around(9000), written, output)
        else:
            if self._context > _LARGEST_CONTEXT:
                self._context = 12_000
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
        self._record(request.stamped_ms, "api_request", pairs, request.id)

    def _use_tools(self, at: int, request_id: str) -> tuple[bool, int]:
        """Run the tools a request asked for; tell whether one was refused, and when all end."""
        chance = self._chance
        ends = at
        for _ in range(chance.choice((1, 1, 1, 2))):
            (tool,) = chance.choices(list(_TOOLS), list(_TOOLS.values()))
            decided = at + chance.randint(-30, 40)
            waits = chance.happens(0.25)
            if waits:
                decided += chance.around(4 * _SECOND)
            refused = waits and chance.happens(0.1)
            source = "user_reject" if refused else "user_temporary" if waits else "config"
            use_id = f"toolu_01{chance.letters(22)}"
            self._decide(decided, use_id, tool, source, request_id)
            if refused:
                return True, max(ends, decided + 200)
            ends = max(ends, self._run_tool(decided, use_id, tool, source, request_id))
        return False, ends

    def _decide(self, at: int, use_id: str, tool: str, source: str, request_id: str) -> None:
        chance = self._chance
        decision = "reject" if source == "user_reject" else "accept"
        self._record(
            at,
            "tool_decision",
            (
                ("decision", decision),
                ("source", source),
                ("tool_name", tool),
                ("tool_use_id", use_id),
                ("tool_source", "builtin"),
                ("permission_mode", "default"),
                ("request_id", request_id),
            ),
            use_id,
        )
        if tool in _EDITS:
            counted = at + chance.randint(*_DECISION_LEAD_MS)
            self._decisions.append(
                Decision(use_id, 0, counted, at, tool, decision == "accept", source)
            )
            pairs: Pairs = (
                ("decision", decision),
                ("source", source),
                ("tool_name", tool),
                ("language", chance.choice(_LANGUAGES)),
            )
            self._add(counted, "code_edit_tool.decision", pairs, 1)

    def _run_tool(self, at: int, use_id: str, tool: str, source: str, request_id: str) -> int:
        chance = self._chance
        duration_ms = chance.around(900 if tool == "Bash" else 160, 1.0)
        done = at + 120 + duration_ms
        if tool == "Task":
            done = self._run_subagent(at + 120)
        elif tool in _EDITS:
            changed: Pairs = (("model", self._person.model_on_metrics),)
            for type_, lines in (
                ("added", chance.around(8, 1.0)),
                ("removed", chance.around(3) - 1),
            ):
                self._add(done - 2, "lines_of_code.count", (("type", type_), *changed), lines)
        elif tool == "Bash" and chance.happens(0.05):
            self._add(done - 10, "commit.count", (), 1)
            if chance.happens(0.3):
                self._add(done - 9, "pull_request.count", (), 1)
        self._record(
            done,
            "tool_result",
            (
                ("tool_name", tool),
                ("tool_use_id", use_id),
                ("success", "false" if chance.happens(0.06) else "true"),
                ("duration_ms", str(duration_ms)),
                ("tool_input_size_bytes", str(chance.around(140))),
                ("tool_result_size_bytes", str(chance.around(700, 1.3))),
                ("decision_source", source),
                ("decision_type", "accept"),
                ("request_id", request_id),
            ),
            use_id,
        )
        return done

    def _run_subagent(self, at: int) -> int:
        subagent = self._chance.choice(_SUBAGENTS)
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
                ("query_source", "repl_main_thread"),
            ),
        )

    def _fail(self, at: int) -> None:
        self._record(
            at,
            "api_error",
            (
                ("model", self._person.model_on_metrics),
                ("error", "Overloaded"),
                ("status_code", 529),
                ("duration_ms", self._chance.around(900)),
                ("attempt", 10),
                ("request_id", f"req_011C{self._chance.letters(20)}"),
                ("speed", "normal"),
                ("query_source", "repl_main_thread"),
                ("effort", self._person.effort),
            ),
        )

    def _record(self, at: int, name: str, pairs: Pairs, id_: str | None = None) -> None:
        prompt = () if name == "plugin_loaded" else self._prompt
        self._records.append(Record(at, name, (*prompt, *pairs), id_))
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
    return "main" if query_source == "repl_main_thread" else "auxiliary"


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
