// What script adds: reading values, live panels, copying, the theme. Pages are complete without it.

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// Buttons that need script are hidden until it is here.
const reveal = (within) => all("[data-act]", within).forEach((button) => (button.hidden = false));
reveal(document);

const acts = {
  theme() {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const chosen = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
    root.dataset.theme = chosen;
    try {
      if (chosen === system) localStorage.removeItem("theme");
      else localStorage.setItem("theme", chosen);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  },
  async copy(button) {
    await navigator.clipboard.writeText(one("pre", button.closest(".code")).innerText);
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1600);
  },
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) acts[button.dataset.act](button);
  for (const menu of all(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".menu[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  one("summary", menu).focus();
});

// The reader's own time zone, which only their browser knows.
const own = one("[data-own-zone]");
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (own && ownZone && ![one("[data-zone]").dataset.zone, "UTC"].includes(ownZone)) {
  own.href = own.dataset.ownZone.replace("OWN", encodeURIComponent(ownZone));
  own.textContent = `Show ${ownZone}`;
  own.hidden = false;
}

// Reading a chart by pointer and keys. The values come from its own data table, one row a
// place along the chart; in a grid (data-mode="cells") one cell a place.
const tip = document.body.appendChild(make("div", { className: "tip", hidden: true }));
tip.setAttribute("role", "status");
let read = null; // {plot, at}

const chartOf = (plot) => {
  const figure = plot.closest(".chart");
  const rows = all("tbody tr", figure);
  const heads = all("thead th", figure).slice(1);
  return { figure, rows, heads, grid: figure.dataset.mode === "cells", band: figure.dataset.mode === "band" };
};
const line = (head, text, className = "") =>
  make("div", { className }, make("span", {}, ...(head.dataset?.k ? [make("i", { className: head.dataset.k })] : []), head.textContent), make("span", { textContent: text }));

function contents({ rows, heads, grid }, at) {
  if (grid) {
    const [row, column] = [rows[Math.floor(at / heads.length)], at % heads.length];
    const title = `${row.cells[0].textContent} ${heads[column].textContent}`;
    return [make("b", { textContent: title }), make("div", { textContent: row.cells[column + 1].textContent || "–" })];
  }
  const [title, ...cells] = rows[at].cells;
  const lines = cells.flatMap((cell, i) => (cell.textContent ? [line(heads[i], cell.textContent)] : []));
  const { total } = rows[at].dataset;
  if (total) lines.push(line({ textContent: "Total" }, total, "tot"));
  return [make("b", { textContent: title.textContent }), ...lines];
}

function show(plot, at) {
  hide();
  const chart = chartOf(plot);
  const { rows, heads, grid, band } = chart;
  const count = grid ? rows.length * heads.length : rows.length;
  if (!count) return;
  at = Math.max(0, Math.min(count - 1, at));
  read = { plot, at };
  const [columns, column] = grid ? [heads.length, at % heads.length] : [count, at];
  const x = grid || band ? (column + 0.5) / columns : count > 1 ? at / (count - 1) : 0.5;
  const mark = document.createElementNS("http://www.w3.org/2000/svg", grid ? "rect" : "line");
  const y = grid ? Math.floor(at / columns) / rows.length : 0;
  const places = grid
    ? { class: "cell", x: column / columns, y, width: 1 / columns, height: 1 / rows.length }
    : { class: "hair", x1: x, x2: x, y1: 0, y2: 1 };
  for (const [name, value] of Object.entries(places)) mark.setAttribute(name, name === "class" ? value : `${value * 100}%`);
  mark.id = "read";
  one("svg", plot).append(mark);
  tip.replaceChildren(...contents(chart, at));
  tip.hidden = false;
  const box = plot.getBoundingClientRect();
  const left = box.left + x * box.width;
  const beside = left + 14 + tip.offsetWidth > innerWidth ? left - tip.offsetWidth - 14 : left + 14;
  tip.style.transform = `translate(${Math.round(Math.max(4, beside))}px,${Math.round(Math.max(8, box.top + y * box.height + 8))}px)`;
}

function hide() {
  tip.hidden = true;
  document.getElementById("read")?.remove();
  read = null;
}

const plotOf = (event) => event.target.closest?.(".chart[data-mode] .pl");
document.addEventListener("pointermove", (event) => {
  const plot = plotOf(event);
  if (!plot) return read && !read.plot.matches(":focus-visible") ? hide() : undefined;
  const box = plot.getBoundingClientRect();
  const along = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width));
  const { rows, heads, grid, band } = chartOf(plot);
  if (!grid) return show(plot, band ? Math.floor(along * rows.length) : Math.round(along * (rows.length - 1)));
  const down = Math.min(0.9999, Math.max(0, (event.clientY - box.top) / box.height));
  show(plot, Math.floor(down * rows.length) * heads.length + Math.floor(along * heads.length));
});
document.addEventListener("focusout", (event) => plotOf(event) && hide());
document.addEventListener("keydown", (event) => {
  const plot = plotOf(event);
  if (!plot) return;
  if (event.key === "Escape") return hide();
  const { heads, grid } = chartOf(plot);
  const steps = { ArrowRight: 1, ArrowLeft: -1, ...(grid && { ArrowDown: heads.length, ArrowUp: -heads.length }) };
  const at = read?.plot === plot ? read.at : -1;
  const to = { Home: 0, End: Infinity }[event.key] ?? (steps[event.key] && (at < 0 ? 0 : at + steps[event.key]));
  if (to === undefined || to < 0) return;
  event.preventDefault();
  show(plot, to);
});

// Live panels. A mark says that something changed; panels are fetched in one request and
// replaced, but for those that the reader points at, has the focus or a selection in.
const live = one("[data-live]");
if (live) {
  const RELOAD_MS = 60_000;
  const dot = live.innerHTML;
  let version = Number(live.dataset.version);
  let wanted = version;
  let at = one("time", live)?.dateTime;
  let fetching = false;
  let rest = 1000;
  let source = null;
  const stale = new Set();

  const busy = (panel) => {
    const selection = getSelection();
    const selects = selection && !selection.isCollapsed && selection.containsNode(panel, true);
    return selects || panel.matches(":hover") || panel.contains(document.activeElement);
  };
  const replace = (panel, fresh) => {
    const states = (root) => all("details", root);
    states(panel).forEach((details, i) => details.open && states(fresh)[i] && (states(fresh)[i].open = true));
    const scrolls = all(".scroll, .tw", panel).map((element) => [element.scrollLeft, element.scrollTop]);
    panel.replaceWith(fresh);
    all(".scroll, .tw", fresh).forEach((element, i) => scrolls[i] && element.scrollTo(...scrolls[i]));
    reveal(fresh);
  };
  async function refresh() {
    const panels = all("[data-panel]").filter((panel) => stale.has(panel.dataset.panel) && !busy(panel));
    if (fetching || !panels.length) return;
    fetching = true;
    const began = performance.now();
    try {
      const address = new URL(location.href);
      address.hash = "";
      panels.forEach((panel) => address.searchParams.append("panel", panel.dataset.panel));
      const response = await fetch(address, { headers: { accept: "text/html" } });
      if (response.status === 404) return location.reload(); // the page is another one now
      if (!response.ok) return;
      const seen = Number(response.headers.get("x-version"));
      const fetched = make("template", { innerHTML: await response.text() }).content;
      for (const fresh of all("[data-panel]", fetched)) {
        const name = fresh.dataset.panel;
        const panel = one(`[data-panel="${name}"]`);
        if (!panel || busy(panel)) continue;
        stale.delete(name);
        replace(panel, fresh);
      }
      version = seen;
    } catch {
      // The stream says that the connection is gone, and when it is back.
    } finally {
      rest = Math.min(30_000, Math.max(1000, 5 * (performance.now() - began)));
      setTimeout(() => ((fetching = false), refresh()), rest);
    }
  }
  const changed = (event) => {
    const mark = JSON.parse(event.data);
    live.classList.remove("off");
    wanted = mark.version;
    at = mark.at ?? at;
    if (wanted !== version) {
      version = wanted;
      all("[data-panel]").forEach((panel) => stale.add(panel.dataset.panel));
    }
    tell();
    refresh();
  };
  const tell = () => {
    if (live.classList.contains("off")) return live.replaceChildren(make("i"), "Reconnecting");
    const seconds = at ? Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000)) : NaN;
    if (!(seconds < 86_400)) return (live.innerHTML = dot);
    const age = seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
    const time = make("time", { dateTime: at, title: at, textContent: `${age} ago` });
    live.replaceChildren(make("i"), seconds < 600 ? "Updated " : "Last data ", time);
  };
  const connect = () => {
    source ??= Object.assign(new EventSource("/events"), { onerror: () => (live.classList.add("off"), tell()) });
    source.addEventListener("changed", changed);
  };
  const disconnect = () => ((source = source?.close() ?? null), undefined);
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  setInterval(() => (tell(), refresh()), 1000);
  setInterval(() => !document.hidden && source?.readyState !== EventSource.OPEN && location.reload(), RELOAD_MS);
}
