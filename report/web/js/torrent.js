// The script of /t/?ih=: one torrent. Its record comes with one request, the other releases of
// its work with another; the parts of a long list of files when somebody opens them.
import { current, explain, Missing, store } from "./search/store.js";
import { bytes, clean, country, demand, element, format, kind, name, plural } from "./search/text.js";

const root = document.documentElement;
const $ = (id) => document.getElementById(id);
const page = $("torrent").dataset;
let get = store(`${page.records}/`);
let bits = Number(page.bits);

const json = async (path) => JSON.parse(new TextDecoder().decode(await get(path)));

async function load(infohash) {
  const shard = bits ? parseInt(infohash.slice(0, 8), 16) >>> (32 - bits) : 0;
  try {
    const all = new Map(Object.entries(await json(`s/${shard}.gz`)));
    return all.get(infohash) ?? null;
  } catch (e) {
    if (e instanceof Missing) return null; // no torrent begins so, or the site has changed
    throw e;
  }
}

async function find(infohash) {
  const record = await load(infohash);
  if (record) return record;
  const now = await current("../");
  if (now.records === page.records) return null;
  page.records = now.records;
  get = store(`${now.records}/`);
  bits = now.bits;
  return load(infohash);
}

async function run() {
  root.dataset.state = "loading";
  $("problem").replaceChildren();
  const infohash = (new URLSearchParams(location.search).get("ih") ?? "").trim().toLowerCase();
  if (!/^[0-9a-f]{40}$/.test(infohash)) return none("This address names no torrent: ?ih= takes an info-hash of 40 hex digits.");
  $("status").textContent = "Loading…";
  try {
    const r = await find(infohash);
    if (!r) return none("This torrent is not in these data: nobody resolved it, or it is left out.");
    show(infohash, r);
    $("status").textContent = "";
    $("body").hidden = false;
    await releases(infohash, r);
    root.dataset.state = "ready";
  } catch (e) {
    root.dataset.state = "error";
    $("status").textContent = "";
    const retry = element("button", { type: "button" }, "Try again");
    retry.addEventListener("click", () => {
      get = store(`${page.records}/`, true);
      run();
    });
    $("problem").replaceChildren(explain(e), " ", retry);
  }
}

function none(text) {
  $("status").replaceChildren(text, " ", element("a", { href: "../search/" }, "Search by name"), ".");
  root.dataset.state = "ready";
}

function show(infohash, r) {
  $("torrent").dataset.infohash = infohash;
  $("name").replaceChildren(name(r.n));
  document.title = `${clean(r.n, 80)} · Boon`;
  facts(infohash, r);
  asked(infohash, r);
  const box = $("files");
  if (r.f) box.replaceChildren(element("p", { class: "note" }, `${plural(r.c, "file", "files")}, ${bytes(r.s)}. Padding is left out.`), tree(r.f));
  else box.replaceChildren(element("p", { class: "note" }, "The list of files is not known."));
}

function facts(infohash, r) {
  const list = (v) => (v ?? []).join(", ");
  const codes = (v) => (v ?? []).map((c) => clean(String(c), 20)).join(", ");
  const known = [
    ["Type", kind(r.t) + (r.x ? " (adult)" : "")], ["Title", r.ti && clean(r.ti)], ["Year", r.y], ["Season", list(r.se)], ["Episode", list(r.ep)],
    ["Resolution", r.re && `${r.re} lines`], ["Source", r.so], ["Video", r.vc], ["Audio", r.ac], ["Edition", r.e], ["Languages", codes(r.l)], ["Group", r.g && clean(r.g)],
    ["Size", `${bytes(r.s)} (${format(r.s)} bytes)`], ["Files", format(r.c)], ["Size of a piece", r.p && bytes(r.p)], ["Resolved", r.d],
    ["Info-hash", element("code", {}, infohash)], ["Info-hash, v2", r.v2 && element("code", {}, r.v2)],
  ];
  const rows = known.filter(([, v]) => v).map(([k, v]) => element("div", {}, element("dt", {}, k), element("dd", {}, typeof v === "object" ? v : element("bdi", {}, String(v)))));
  if ("magnets" in page) {
    const href = `magnet:?xt=urn:btih:${infohash}&dn=${encodeURIComponent(clean(r.n))}`;
    rows.push(element("div", {}, element("dt", {}, "Link"), element("dd", {}, element("a", { href, rel: "nofollow" }, "Magnet"))));
  }
  $("facts").replaceChildren(...rows);
}

function table(caption, head, rows) {
  return element(
    "table", {}, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head.map((h, i) => element("th", { scope: "col", class: i ? "num" : undefined }, h)))),
    element("tbody", {}, ...rows.map(([k, v]) => element("tr", {}, element("th", { scope: "row" }, k), element("td", { class: "num" }, v)))),
  );
}

const firstCountries = 10;

// byCountry are the first countries, and the others folded.
function byCountry(all) {
  const rows = all.map(([code, n]) => [code ? country(code) : "Elsewhere, or not known", format(n)]);
  const head = ["Country", "Requesters"];
  if (rows.length <= firstCountries + 2) return [table("By country", head, rows)];
  const others = rows.slice(firstCountries);
  return [
    table("By country", head, rows.slice(0, firstCountries)),
    element("details", {}, element("summary", {}, `The other ${others.length} rows`), table("By country, continued", head, others)),
  ];
}

function asked(infohash, r) {
  const box = $("demand");
  const k = Number(page.k);
  if (!r.q) {
    box.replaceChildren(element("p", {}, `${capital(demand(0, k, r.x))}, ${page.week}. What is less than that is not told, so that nobody can be singled out.`));
    return;
  }
  const parts = [
    element("p", {}, `${demand(r.q.n, k, r.x)}, ${page.week}, rounded to tens. `, element("a", { href: `../map/?ih=${infohash}` }, "On the map")),
    r.q.d.length > 0 && table("By day", ["Day", "Requesters"], r.q.d.map(([day, n]) => [clean(String(day)), format(n)])),
    ...(r.q.c.length > 0 ? byCountry(r.q.c) : []),
  ];
  box.replaceChildren(...parts.filter(Boolean));
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

async function releases(infohash, r) {
  const section = $("releases");
  section.hidden = !r.wp;
  if (!r.wp) return;
  const [title, list] = (await json(`w/${r.wp[0]}.gz`))[r.wp[1]];
  const others = list.filter(([hash]) => hash !== infohash);
  $("list").replaceChildren(
    element("p", { class: "note" }, "Of ", element("bdi", {}, clean(title) || "the same work"), list.length >= 100 ? ", the hundred asked for most." : "."),
    element("ol", { class: "results" }, ...others.map(([hash, n, size, asks]) => element(
      "li", { "data-infohash": hash }, element("a", { href: `?ih=${hash}` }, name(n)), element("span", { class: "meta" }, bytes(size)),
      element("span", { class: "asked" }, demand(asks, Number(page.k), r.x)),
    ))),
  );
}

const part = async ([pack, place]) => (await json(`f/${pack}.gz`))[place];

// tree shows a folder's entries: files with their sizes, folders to unfold.
function tree(t) {
  const list = element("ul", { class: "tree" });
  fillTree(list, t);
  return list;
}

function fillTree(list, t) {
  list.append(...t.e.map((e) => (e.length === 2 ? file(e) : folder(e))));
  if (!t.n) return;
  const more = element("button", { type: "button" }, `Show more (${plural(t.r, "file", "files")})`);
  const row = element("li", {}, more);
  more.addEventListener("click", () => later(row, async () => {
    const next = await part(t.n);
    const first = list.children.length - 1;
    row.remove();
    fillTree(list, next);
    const at = list.children[first];
    at.tabIndex = -1;
    at.focus();
  }));
  list.append(row);
}

function file([text, size]) {
  return element("li", {}, element("bdi", {}, clean(text) || "(no name)"), " ", element("span", { class: "size" }, bytes(size)));
}

function folder([text, size, files, inside]) {
  const details = element("details", {}, element(
    "summary", {}, element("bdi", {}, clean(text) || "(no name)"), " ", element("span", { class: "size" }, `${plural(files, "file", "files")}, ${bytes(size)}`)));
  details.addEventListener("toggle", () => {
    if (!details.open || details.dataset.filled) return;
    details.dataset.filled = "yes";
    const place = element("div");
    details.append(place);
    later(place, async () => {
      place.replaceWith(tree(Array.isArray(inside) ? await part(inside) : inside));
    });
  });
  return element("li", {}, details);
}

// later does what may fail, and says so where it stands.
async function later(place, work) {
  try {
    await work();
  } catch (e) {
    const retry = element("button", { type: "button" }, "Try again");
    retry.addEventListener("click", () => later(place, work));
    place.replaceChildren(explain(e), " ", retry);
  }
}

run();
