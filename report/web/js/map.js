// The script of /map/: a day hour by hour, the last two minutes, or one title.

import { readDay, unpack, WHOLE_DAY } from "./map/day.js";
import { placeCells, readCoast } from "./map/earth.js";
import { handle } from "./map/hands.js";
import { watch } from "./map/live.js";
import { countryName, element, format, hours, hoursInWords, placeName, table } from "./map/panel.js";
import { Paper } from "./map/paper.js";
import { findTitle, wanted } from "./map/title.js";

const FRAME = 450; // ms that an hour is shown in an animation
const MOST_ROWS = 200;
const root = document.documentElement;
const $ = (id) => document.getElementById(id);

const state = { view: "day", hour: WHOLE_DAY, day: null, option: null, title: null, layer: null, playing: 0, watcher: null, names: new Map() };
let paper;
let drawing = 0;

function redraw() {
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    paper.canvas.style.touchAction = paper.zoom > 1 ? "none" : "pan-y";
    paper.draw();
  });
}

function say(text) {
  $("status").textContent = text;
}

// show puts counts on the map and into the table.
function show(cells, places, counts, noun) {
  if (state.layer?.cells !== cells) state.layer = { cells, places, ...placeCells(cells) };
  Object.assign(state.layer, { counts, noun });
  $("unit").textContent = noun;
  paper.layer = state.layer;
  redraw();
  describe();
  if (!state.playing) fillTable();
}

function fillTable() {
  const { cells, places, counts, noun } = state.layer;
  const order = [...counts.keys()].filter((i) => counts[i] > 0).sort((a, b) => counts[b] - counts[a] || cells[a] - cells[b]);
  $("count-of").textContent = noun;
  $("table-note").textContent = order.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${format(order.length)} places.` : "";
  table($("cells"), order.slice(0, MOST_ROWS).map((i) => [placeName(cells[i], places[i]), format(counts[i])]));
}

// describe says what is known of the chosen place.
function describe() {
  const box = $("place");
  const i = paper.chosen;
  const layer = state.layer;
  if (i < 0 || !layer || i >= layer.cells.length) {
    box.replaceChildren("Point at a dot for its numbers. Keys: arrows move, + and − zoom, 0 shows all.");
    return;
  }
  const parts = [element("strong", {}, element("bdi", {}, placeName(layer.cells[i], layer.places[i]))), ` ${layer.counts[i] ? format(layer.counts[i]) : "too few"} ${layer.noun.toLowerCase()}`];
  if (state.view === "day") parts.push(hours(state.day.byHour.map((counts) => counts[i]), state.hour));
  box.replaceChildren(...parts);
}

function choose(i) {
  if (i === paper.chosen) return;
  paper.chosen = i;
  describe();
  redraw();
}

// showDay shows the day, at the hour that is set.
function showDay() {
  const { day, hour } = state;
  const when = hour === WHOLE_DAY ? "all hours" : `${String(hour).padStart(2, "0")}:00 to ${String(hour + 1).padStart(2, "0")}:00 UTC`;
  $("when").textContent = when;
  if (hour < WHOLE_DAY) $("hour").value = hour;
  $("hour").setAttribute("aria-valuetext", when);
  show(day.cells, day.places, day.byHour[hour] ?? day.whole, "Requesters");
}

// readChosen reads the day that is chosen.
async function readChosen() {
  const day = readDay(await unpack($("day").value));
  day.byHour = Array.from({ length: WHOLE_DAY }, (_, h) => day.counts(h));
  day.whole = day.counts(WHOLE_DAY);
  return day;
}

async function loadDay() {
  const option = $("day").selectedOptions[0];
  if (!option) {
    say("There is no day with a map yet.");
    return;
  }
  try {
    const day = await readChosen();
    if (option !== $("day").selectedOptions[0] || state.view !== "day") return; // something else was chosen meanwhile
    state.day = day;
    state.option = option;
    if (paper.chosen >= day.cells.length) paper.chosen = -1;
    showDay();
    root.dataset.day = option.value;
    say(day.cells.length ? "" : "No place of this day passes the threshold.");
  } catch (e) {
    if (option !== $("day").selectedOptions[0] || state.view !== "day") return;
    say(`The map of ${option.text} ${why(e)}`);
    if (!state.option) return;
    state.option.selected = true; // what is shown
    showDay();
  }
}

// why says why a file could not be had, and what to do.
function why(e) {
  if (e instanceof TypeError) return "could not be fetched: the server does not answer. Is the network there? Try again.";
  return `could not be read (${e.message}). Reload the page: the site may have been rebuilt meanwhile.`;
}

function play(on) {
  clearInterval(state.playing);
  state.playing = 0;
  $("play").textContent = on ? "Pause" : "Play";
  if (!on) {
    if (state.layer) fillTable();
    return;
  }
  let hour = state.hour >= WHOLE_DAY - 1 ? 0 : state.hour;
  const step = () => {
    setHour(hour);
    if (hour === WHOLE_DAY - 1) play(false);
    hour++;
  };
  state.playing = setInterval(step, FRAME);
  step();
}

function setHour(hour) {
  state.hour = hour;
  $("whole").checked = hour === WHOLE_DAY;
  if (state.day) showDay();
}

function live(on) {
  state.watcher?.stop();
  state.watcher = null;
  play(false);
  state.view = on ? "live" : "day";
  $("time").hidden = on;
  paper.chosen = -1;
  if (!on) {
    delete root.dataset.live;
    $("caption").textContent = "Places of the map, each at most 111 by 111 km";
    loadDay();
    return;
  }
  $("caption").textContent = "Places of the map, at most 111 by 111 km where nothing else is said";
  names();
  state.watcher = watch("../", (view) => {
    root.dataset.live = view.state;
    say(sayLive(view));
    const cells = view.cells.map(([cell]) => cell);
    const middle = state.layer?.cells[paper.chosen];
    paper.chosen = cells.indexOf(middle);
    show(cells, cells.map((c) => state.names.get(c)), view.cells.map(([, queries]) => queries), "Queries in two minutes");
  });
}

// names takes the names of places from the day that is chosen: the live view has none.
async function names() {
  const day = state.day ?? ($("day").value ? await readChosen().catch(() => null) : null);
  const { cells, places } = day ?? { cells: [], places: [] };
  state.names = new Map(cells.map((c, i) => [c, places[i]]));
}

function sayLive(view) {
  if (view.state === "none") return "No collector writes a live view here now. This page looks again every five seconds.";
  const age = view.age < 90 ? `${Math.round(view.age)} s` : `${format(Math.round(view.age / 60))} minutes`;
  const heard = `${format(Math.round(view.perSecond))} queries a second at ${view.collectors === 1 ? "one collector" : `${view.collectors} collectors`}`;
  return view.state === "live" ? `Live: ${heard}; ${age} old.` : `The live view stopped ${age} ago; it heard ${heard} then.`;
}

// showTitle shows one torrent or work instead of all.
async function showTitle(want) {
  $("controls").hidden = true;
  state.view = "title";
  if (!want) return nothing("This address names no title: ?ih= takes an info-hash of 40 hex digits, ?work= the id of a work.");
  try {
    const title = await findTitle(want, $("map").dataset);
    if (!title) return nothing("Too few networks asked for this in the week to show where, or it is not in this site.");
    document.title = `${title.name} · Map · Boon`;
    $("h1").replaceChildren(element("bdi", {}, title.name));
    const more = want.length === 40 ? element("a", { href: `../t/?ih=${want}` }, "Its page") : element("a", { href: `../search/?q=${encodeURIComponent(title.name)}${title.adult ? "&adult=1" : ""}` }, "Its releases");
    $("lede").replaceChildren(`Where it was asked for, ${title.when}: ${format(title.requesters)} requesters, counted anew each day. `, more);
    show(title.cells, title.places, title.counts, "Requesters");
    $("split").hidden = false;
    table($("countries"), title.countries.map(([code, n]) => [code ? countryName(code) : "Elsewhere or not known", format(n)]));
    $("title-hours").replaceChildren(...(title.hours ? hoursInWords(title.hours) : ["No hour passes the threshold."]));
    say(title.cells.length ? "" : "No single place passes the threshold; the countries are below.");
  } catch (e) {
    say(`The map of this title ${why(e)}`);
  }
}

// nothing says why there is no map of a title, in the place of all that would show it.
function nothing(text) {
  $("h1").textContent = "Map of one title";
  $("lede").hidden = true;
  for (const part of [paper.canvas.parentElement, $("unit").parentElement, $("place"), $("cells").closest("section"), $("about")]) part.hidden = true;
  $("status").replaceChildren(text, " ", element("a", { href: "./" }, "The map of all titles"));
}

async function main() {
  const canvas = $("canvas");
  let coast = { land: [], borders: [] };
  try {
    const answer = await fetch($("map").dataset.coast);
    if (!answer.ok) throw new Error(answer.status);
    coast = readCoast(new Uint8Array(await answer.arrayBuffer()));
  } catch {
    // Dots without coastlines are better than no map.
  }
  paper = new Paper(canvas, coast);
  handle(paper, redraw, choose);
  new ResizeObserver(() => {
    paper.resize();
    redraw();
  }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    paper.recolour();
    redraw();
  });
  for (const [id, act] of [["in", () => paper.zoomBy(1.6)], ["out", () => paper.zoomBy(1 / 1.6)], ["all", () => paper.reset()]]) {
    $(id).addEventListener("click", () => {
      act();
      redraw();
    });
  }
  $("day").addEventListener("change", () => {
    play(false);
    loadDay();
  });
  $("hour").addEventListener("input", () => {
    play(false);
    setHour(Number($("hour").value));
    fillTable();
  });
  $("whole").addEventListener("change", () => {
    play(false);
    setHour($("whole").checked ? WHOLE_DAY : Number($("hour").value));
  });
  $("play").addEventListener("click", () => play(!state.playing));
  $("live").addEventListener("change", () => live($("live").checked));
  describe();
  const want = wanted(location.search);
  if (want !== undefined) await showTitle(want);
  else if (location.hash === "#live") {
    $("live").checked = true;
    live(true);
  } else await loadDay();
  redraw();
  root.dataset.state = "ready";
  globalThis.boonMap = { paper }; // for scripts and tests
}

main();
