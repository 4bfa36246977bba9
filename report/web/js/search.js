// The script of /search/: a box, choices beside it, results. All of what is asked stands in
// the address.
import { Engine, perPage } from "./search/engine.js";
import { marks } from "./search/query.js";
import { current, explain, Missing, store } from "./search/store.js";
import { bytes, country, demand, element, format, kind, name, plural } from "./search/text.js";

const root = document.documentElement;
const $ = (id) => document.getElementById(id);
const form = $("search");
const box = $("q");
const fields = ["type", "year", "size", "country", "order", "files", "adult"].filter((f) => form.elements[f]);
const atOnce = 10; // results that are fetched before somebody scrolls
const pause = 250; // ms after a key

let engine = null;
let filled = null; // what the choices are of
let folder = form.dataset.index;
let anew = false; // after a damaged file
let asked = 0; // number of the latest question
let typing = false; // the last word may go on

// open reads the index, the one that the site has now if the page's is gone.
async function open(again) {
  if (again) {
    const now = await current("../");
    if (now.version !== 2) throw new Error("this site's search is newer than this page; reload the page");
    if (now.index === folder && engine) return engine;
    folder = now.index;
    engine = null;
  }
  engine ??= Engine.open(store(`${folder}/`, anew));
  engine.catch(() => (engine = null));
  return engine;
}

// fill writes the choices that the index has.
function fill(known) {
  if (filled === known) return;
  filled = known;
  const options = (field, list) => {
    const select = form.elements[field];
    const was = select.value || new URLSearchParams(location.search).get(field) || "";
    select.replaceChildren(select.options[0], ...list.map(([value, text]) => element("option", { value }, text)));
    select.value = list.some(([v]) => v === was) ? was : "";
  };
  options("type", known.types.filter((t) => t).map((t) => [t, kind(t)]));
  options("country", known.countries.map((c) => [c, country(c)]).sort((a, b) => a[1].localeCompare(b[1])));
  options("year", years(known).map((y) => [y, y]));
}

// years that can be chosen, the latest first.
function years(known) {
  const list = [];
  for (let y = known.years[1]; y >= known.years[0] && y > 0 && list.length < 200; y--) list.push(String(y));
  return list;
}

// ask is the question that the page shows.
function ask() {
  const a = { q: box.value, typing };
  for (const f of fields) {
    const e = form.elements[f];
    a[f] = e.type === "checkbox" ? e.checked : e.value;
  }
  return a;
}

function address(a) {
  const params = new URLSearchParams();
  for (const [k, v] of Object.entries(a)) if (v && k !== "first" && k !== "further") params.set(k, v === true ? "1" : k === "page" ? v + 1 : k === "q" ? v.slice(0, 2000) : v);
  return `?${params}`;
}

// read takes the question from the address.
function read() {
  const params = new URLSearchParams(location.search);
  box.value = params.get("q") ?? "";
  typing = params.get("typing") === "1";
  for (const f of fields) {
    const e = form.elements[f];
    if (e.type === "checkbox") e.checked = params.get(f) === "1";
    else if ([...e.options].some((o) => o.value === (params.get(f) ?? ""))) e.value = params.get(f) ?? "";
  }
  const page = Number(params.get("page")) - 1;
  return { ...ask(), page: Number.isInteger(page) && page > 0 && page < 200 ? page : 0 };
}

async function run(a) {
  const mine = ++asked;
  root.dataset.state = "loading";
  $("problem").replaceChildren();
  try {
    await answer(a, mine, false);
  } catch (e) {
    if (mine !== asked) return;
    if (!(e instanceof Missing)) return fail(e, a);
    try {
      await answer(a, mine, true);
    } catch (e) {
      if (mine === asked) fail(e, a);
    }
  }
}

async function answer(a, mine, again) {
  const e = await open(again);
  if (mine !== asked) return;
  // A choice of the address may only be known now that the index is read.
  if (a.first) for (const [f, known] of [["type", e.root.types], ["year", years(e.root)], ["country", e.root.countries]]) if (!known.includes(a[f])) a[f] = "";
  const searching = e.search(a);
  fill(e.root); // while files are on their way
  const found = await searching;
  if (mine !== asked) return;
  await show(a, e, found, mine);
}

function fail(e, a) {
  root.dataset.state = "error";
  $("count").textContent = "";
  const retry = element("button", { type: "button" }, "Try again");
  retry.addEventListener("click", () => again(a));
  $("problem").replaceChildren(explain(e), " ", retry);
}

// again asks once more, and keeps nothing of what came before.
function again(a) {
  engine = null;
  anew = true;
  run(a);
}

const about = { exact: "", about: "About ", atLeast: "At least " };

function say(a, e, found) {
  const parts = [];
  if (!e.root.docs) parts.push("There are no torrents in this site yet.");
  else if (found.unknown.length) parts.push(`No name has ${found.unknown.map((w) => `“${w}”`).join(" or ")}.`);
  else if (!found.count && !found.terms.length && a.q.trim()) parts.push("There is no word in that. Letters and digits are looked for.");
  else if (!found.docs.length && !a.page) parts.push(found.further ? "Nothing so far." : found.kind !== "exact" ? "Nothing among the first that might match. More letters, or other words?" : "Nothing matches all of that.");
  else parts.push(`${about[found.kind]}${plural(found.count, "torrent", "torrents")}${a.adult ? ", adult" : ""}.`);
  if (found.of) parts.push(`In this order among the ${format(found.of)} asked for most.`);
  if (found.looked) parts.push(`Only the ${format(found.looked)} torrents asked for most were looked through${found.further ? "" : "; another word looks further"}.`);
  if (found.begun && found.docs.length) parts.push("More letters find more.");
  if (a.files && found.phrases.length) parts.push("Phrases are looked for in names of torrents, not of files.");
  if (found.cut) parts.push("Only the first words of the question are looked for.");
  if (found.count) parts.push(`Demand is of ${e.root.since === e.root.until ? e.root.since : `${e.root.since} to ${e.root.until}`}.`);
  const count = $("count");
  count.dataset.matches = found.count;
  count.textContent = parts.join(" ");
}

// show writes the results, the first of them at once.
async function show(a, e, found, mine) {
  const first = await Promise.all(found.docs.slice(0, atOnce).map((d) => e.row(d)));
  if (mine !== asked) return;
  const list = $("results");
  const page = a.page || 0;
  list.start = page * perPage + 1;
  list.replaceChildren(...first.map((r) => item(r, e, found, a)));
  say(a, e, found);
  pager(a, page, found);
  let shown = first.length;
  const more = $("more");
  const next = async () => {
    const part = found.docs.slice(shown, shown + atOnce);
    if (!part.length || more.dataset.busy) return;
    more.dataset.busy = "yes";
    try {
      const rows = await Promise.all(part.map((d) => e.row(d)));
      if (mine !== asked) return;
      list.append(...rows.map((r) => item(r, e, found, a)));
      shown += part.length;
      more.hidden = shown >= found.docs.length;
    } catch (problem) {
      if (mine === asked) $("problem").textContent = explain(problem);
      return;
    } finally {
      delete more.dataset.busy;
    }
    watch();
  };
  more.onclick = next;
  more.hidden = shown >= found.docs.length;
  root.dataset.state = "ready";
  watcher?.disconnect();
  watcher = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && next());
  const watch = () => {
    watcher.unobserve(more); // so that it tells anew whether it is in view
    if (!more.hidden) watcher.observe(more);
  };
  watch();
}

let watcher;

function item(r, e, found, a) {
  const facts = [kind(r.type), bytes(r.size), r.files > 1 ? plural(r.files, "file", "files") : "", r.year || "", new Date(r.day * 864e5).toISOString().slice(0, 10)];
  return element(
    "li", { "data-infohash": r.infohash },
    element("a", { href: `../t/?ih=${r.infohash}` }, name(r.name, marks(r.name, found.terms))),
    element("span", { class: "meta" }, facts.filter(Boolean).join(", ")),
    element("span", { class: "asked" }, demand(r.demand, e.root.k, a.adult)),
  );
}

function pager(a, page, found) {
  const link = (to, text, rel) => {
    const e = element("a", { href: address({ ...a, page: to }), rel }, text);
    e.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      history.pushState(null, "", e.href);
      run({ ...a, page: to });
      box.scrollIntoView();
      $("results").focus?.();
    });
    return e;
  };
  const nav = $("pages");
  nav.replaceChildren();
  if (page > 0) nav.append(link(page - 1, "Previous page", "prev"));
  if (found.more) nav.append(link(page + 1, "Next page", "next"));
  if (found.further) {
    const look = element("button", { type: "button" }, "Look further");
    look.addEventListener("click", () => run({ ...a, further: (a.further ?? 0) + 1 }));
    nav.append(look);
  }
  nav.hidden = !nav.childElementCount;
}

let timer = 0;
box.addEventListener("input", () => {
  clearTimeout(timer);
  typing = true;
  timer = setTimeout(() => {
    const a = ask();
    history.replaceState(null, "", address(a));
    run(a);
  }, pause);
});
// submit asks what the page shows. A choice beside the box leaves a last word open that is.
function submit() {
  clearTimeout(timer);
  const a = ask();
  history.pushState(null, "", address(a));
  run(a);
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  typing = false;
  submit();
});
for (const f of fields) form.elements[f].addEventListener("change", submit);
addEventListener("popstate", () => run(read()));
addEventListener("online", () => root.dataset.state === "error" && again(read()));
{
  const params = new URLSearchParams(location.search);
  const a = read();
  for (const f of ["type", "year", "country"]) a[f] = params.get(f) ?? "";
  run({ ...a, first: true });
}
