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
  print: () => print(),
  async copy(button) {
    const text = one("pre", button.closest(".code"));
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);
      said = "Selected";
    }
    const label = button.textContent;
    button.textContent = said;
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
const line = (head, value) => {
  const { k } = head.dataset; // the colour of the series, or total
  const colour = k && k !== "total" ? [make("i", { className: k })] : [];
  const name = make("span", {}, ...colour, head.textContent);
  return make("div", { className: k === "total" ? "tot" : "" }, name, make("span", { textContent: value }));
};

function contents({ rows, heads, grid }, at) {
  if (grid) {
    const [row, column] = [rows[Math.floor(at / heads.length)], at % heads.length];
    const title = `${row.cells[0].textContent} ${heads[column].textContent}`;
    return [make("b", { textContent: title }), make("div", { textContent: row.cells[column + 1].textContent || "–" })];
  }
  const [title, ...cells] = rows[at].cells;
  const lines = cells.flatMap((cell, i) => (cell.textContent ? [line(heads[i], cell.textContent)] : []));
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
  const drawing = one("svg", plot);
  const mark = document.createElementNS(drawing.namespaceURI, grid ? "rect" : "line");
  const y = grid ? Math.floor(at / columns) / rows.length : 0;
  const places = grid
    ? { class: "cell", x: column / columns, y, width: 1 / columns, height: 1 / rows.length }
    : { class: "hair", x1: x, x2: x, y1: 0, y2: 1 };
  for (const [name, value] of Object.entries(places)) mark.setAttribute(name, name === "class" ? value : `${value * 100}%`);
  mark.id = "read";
  drawing.append(mark);
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

// Live panels. The stream says that something changed; panels are fetched in one request and
// replaced, but for those that the reader points at, or has the focus or a selection in.
const live = one("[data-live]");
if (live) {
  const SILENCE_MS = 45_000; // the stream says something every 15 seconds
  const FALLBACK_MS = 60_000;
  const STALE_S = 600;
  const said = live.innerHTML;
  const stale = new Set();
  let version = Number(live.dataset.version);
  let at = one("time", live)?.dateTime;
  let heard = 0;
  let source = null;
  let fetching = false;
  let announced = 0;
  let told = null;

  const panelNames = () => all("[data-panel]").map((panel) => panel.dataset.panel);
  const isOn = () => source?.readyState === EventSource.OPEN && Date.now() - heard < SILENCE_MS;
  const isBusy = (panel) => {
    const selection = getSelection();
    if (!selection.isCollapsed && selection.containsNode(panel, true)) return true;
    if (panel.contains(document.activeElement)) return true;
    return panel.matches(":hover") && !one("[data-every]", panel);
  };

  const replace = (panel, fresh) => {
    const opened = all("details", fresh);
    all("details", panel).forEach((details, i) => opened[i] && (opened[i].open = details.open));
    const places = all(".scroll, .tw", panel).map((box) => [box.scrollLeft, box.scrollTop]);
    panel.replaceWith(fresh);
    all(".scroll, .tw", fresh).forEach((box, i) => places[i] && box.scrollTo(...places[i]));
    reveal(fresh);
  };
  const announce = () => {
    if (Date.now() - announced < FALLBACK_MS) return;
    announced = Date.now();
    one("[data-announce]").textContent = "The figures were updated.";
  };
  async function refresh() {
    const panels = all("[data-panel]").filter((panel) => stale.has(panel.dataset.panel) && !isBusy(panel));
    if (fetching || document.hidden || !panels.length) return;
    fetching = true;
    const began = performance.now();
    const waiting = new Set(panels.map((panel) => panel.dataset.panel));
    waiting.forEach((name) => stale.delete(name));
    try {
      const address = new URL(location.href);
      waiting.forEach((name) => address.searchParams.append("panel", name));
      const response = await fetch(address, { headers: { accept: "text/html" } });
      if (response.status === 404) return location.reload(); // it has become another page
      if (response.ok) {
        const fetched = make("template", { innerHTML: await response.text() }).content;
        for (const fresh of all("[data-panel]", fetched)) {
          const panel = one(`[data-panel="${fresh.dataset.panel}"]`);
          if (isBusy(panel)) continue;
          replace(panel, fresh);
          waiting.delete(fresh.dataset.panel);
        }
        announce();
      }
    } catch {
      // The server is away; the stream tells when it is back.
    }
    waiting.forEach((name) => stale.add(name));
    // A server that needs long to answer is asked less often.
    setTimeout(() => (fetching = false), Math.min(30_000, Math.max(500, 4 * (performance.now() - began))));
  }

  const tell = () => {
    const off = Boolean(heard && source && !isOn());
    const seconds = at ? Math.max(0, Math.floor((Date.now() - Date.parse(at)) / 1000)) : Infinity;
    const [size, unit] = seconds < 60 ? [1, "s"] : seconds < 3600 ? [60, "min"] : [3600, "h"];
    const age = seconds < 86_400 ? `${Math.floor(seconds / size)} ${unit} ago` : "";
    const text = off ? "Reconnecting" : age;
    if (text === told) return;
    told = text;
    live.classList.toggle("off", off);
    if (off) live.replaceChildren(make("i"), text);
    else if (seconds >= STALE_S) live.innerHTML = said;
    else {
      const time = make("time", { dateTime: at, title: at }, age);
      live.replaceChildren(make("i"), make("span", {}, "Updated ", time));
    }
  };
  const hear = (event) => {
    heard = Date.now();
    if (!event.data) return;
    const mark = JSON.parse(event.data);
    if (live.dataset.live !== "waiting") at = mark.at ?? at;
    if (mark.version !== version) panelNames().forEach((name) => stale.add(name));
    version = mark.version;
    tell();
    refresh();
  };
  const disconnect = () => {
    source?.close();
    source = null;
  };
  const connect = () => {
    if (source || document.hidden) return;
    source = new EventSource("/events");
    source.addEventListener("changed", hear);
    source.addEventListener("pulse", hear);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  setInterval(() => {
    for (const part of all("[data-every]")) {
      part.dataset.every -= 1;
      if (part.dataset.every <= 0) stale.add(part.closest("[data-panel]").dataset.panel);
    }
    tell();
    refresh();
  }, 1000);
  setInterval(() => {
    if (document.hidden || isOn()) return;
    disconnect();
    connect();
    panelNames().forEach((name) => stale.add(name));
    refresh();
  }, FALLBACK_MS);
}
