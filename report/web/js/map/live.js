// The live view: polls the files that live/index.json names, one a collector,
// and says how old they are. Nobody's clock is trusted for that alone: a file's
// time is held against the server's, and a file that changes between two polls
// is alive whatever its time says.

import { CELLS } from "./earth.js";

const GRIDS = [1, 3, 10]; // degrees that a cell may measure
const EVERY = 5000; // ms between polls
const FRESH = 20; // seconds after which a file that did not change is old
const WINDOW = 120; // seconds that a file is about
const MOST_FILES = 50;
const MOST_BYTES = 4 << 20;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

// watch polls until stop() of what it returns is called. It calls show with
// {cells, countries, perSecond, collectors, age, state}: state is live, old (the
// files are there but do not change) or none; age is in seconds.
export function watch(base, show) {
  const seen = new Map(); // collector → {t, at, age0}
  let timer = 0;
  let stopped = false;

  async function poll() {
    let view;
    try {
      view = join(await fetchAll(base), seen, performance.now());
    } catch {
      view = { state: "none", cells: [], countries: [], perSecond: 0, collectors: 0, age: 0 };
    }
    if (stopped) return;
    show(view);
    timer = setTimeout(poll, EVERY);
  }
  poll();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function fetchJSON(url) {
  const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const text = await answer.text();
  if (text.length > MOST_BYTES) throw new Error(`${url}: too long`);
  return { value: JSON.parse(text), date: Date.parse(answer.headers.get("Date") ?? "") };
}

async function fetchAll(base) {
  const { value: names } = await fetchJSON(`${base}live/index.json`);
  if (!Array.isArray(names)) throw new Error("live/index.json is no list");
  const good = names.filter((n) => typeof n === "string" && NAME.test(n)).slice(0, MOST_FILES);
  const files = await Promise.allSettled(good.map((n) => fetchJSON(`${base}live/${n}.json`)));
  return files.flatMap((f, i) => (f.status === "fulfilled" && valid(f.value.value) ? [{ name: good[i], ...f.value }] : []));
}

const count = (n) => Number.isFinite(n) && n >= 0;

function valid(v) {
  return v !== null && typeof v === "object" && v.v === 2 && count(v.t) && Array.isArray(v.cells) && Array.isArray(v.countries);
}

// join adds up what the collectors say. Those that have stopped are left out as
// long as one is alive.
export function join(files, seen, now) {
  for (const f of files) {
    const before = seen.get(f.name);
    if (!before || before.t !== f.value.t) {
      // At first sight only the server's clock tells; later, that it changed.
      const age0 = before || !Number.isFinite(f.date) ? 0 : Math.max(0, (f.date - f.value.t / 1000) / 1000);
      seen.set(f.name, { t: f.value.t, at: now, age0 });
    }
  }
  const aged = files.map((f) => {
    const s = seen.get(f.name);
    return { ...f, age: s.age0 + (now - s.at) / 1000 };
  });
  const alive = aged.filter((f) => f.age <= FRESH);
  const used = alive.length ? alive : aged;
  if (!used.length) return { state: "none", cells: [], countries: [], perSecond: 0, collectors: 0, age: 0 };
  const cells = new Map();
  const countries = new Map();
  let perSecond = 0;
  for (const { value } of used) {
    perSecond += count(value.queries_per_second) ? value.queries_per_second : 0;
    for (const c of value.cells) {
      if (Number.isInteger(c?.cell) && c.cell >= 0 && c.cell < CELLS && GRIDS.includes(c.degrees) && count(c.queries)) add(cells, c.cell + CELLS * (c.degrees - 1), c.queries);
    }
    for (const c of value.countries) {
      if (/^[A-Z]{2}$/.test(c?.country) && count(c.queries)) add(countries, c.country, c.queries);
    }
  }
  return {
    state: alive.length ? "live" : "old",
    cells: [...cells],
    countries: [...countries].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)),
    perSecond,
    collectors: used.length,
    age: Math.min(...used.map((f) => f.age)),
    seconds: WINDOW,
  };
}

function add(map, key, n) {
  map.set(key, (map.get(key) ?? 0) + n);
}
