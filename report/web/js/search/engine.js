// The search engine: which files to ask for, and what they say. It reads what
// report/search writes; get(path) brings a file's bytes, unpacked.
import { Dictionary, bytesOf, place } from "./dictionary.js";
import { parse, tester } from "./query.js";
import { mostChosen, Rows } from "./rows.js";

export const perPage = 50;

// Bounds of what one query fetches, in bytes and in packs.
const cheap = 32 << 10; // lists of this size are fetched whole, for an exact count
const dear = 320 << 10; // more than this is not fetched of lists
const packBytes = 7 << 10; // of a pack of rows, about
const mostChecked = 16; // packs of rows that are read only to check them
const mostShards = 3; // from the first to the last, that are read for a beginning of words
const headDocs = 256; // of all words with a beginning, that have a list of their own
const mostSorted = 24; // packs of columns that another order reads
const mostOrdered = 2000; // documents that another order is made of
const mostOrderedChecked = 200; // of them where rows have to be read

export class Engine {
  static async open(get) {
    const text = new TextDecoder().decode(await get("root.gz"));
    return new Engine(get, JSON.parse(text));
  }

  constructor(get, root) {
    if (root.v !== 2) throw new Error("the index has another format");
    this.get = get;
    this.root = root;
    this.names = new Dictionary(get, "n", root.names, root.docs);
    this.heads = new Dictionary(get, "n/h", root.heads, root.docs);
    this.rows = new Rows(get, root);
  }

  // openFiles reads where the terms of file names are.
  openFiles() {
    this.files ||= this.get("files.gz").then((b) => {
      const { names, heads } = JSON.parse(new TextDecoder().decode(b));
      return [new Dictionary(this.get, "f", names, this.root.docs), new Dictionary(this.get, "f/h", heads, this.root.docs)];
    });
    this.files.catch(() => (this.files = undefined));
    return this.files;
  }

  // search finds the documents of a page. ask: {q, typing, type, year, size, country, adult,
  // files, order, page, further}. It returns {docs, count, kind, of, begun, looked, further, terms, unknown, cut}:
  // the numbers of the page's documents; how many match, which is exact, about or atLeast; among how
  // many another order was made, where not among all; whether a beginning of words has more than
  // was looked at, which more letters find; how many documents were looked at, where that
  // was too few to fill the page; whether ask.further, a number of times, looks at more of them; the
  // words that nothing has.
  async search(ask) {
    const page = ask.page || 0;
    const key = JSON.stringify([!ask.typing, ...["q", "type", "year", "size", "country", "adult", "files", "order", "further"].map((k) => ask[k] || "")]);
    if (this.ordered?.key === key) return this.page(this.ordered.result, this.ordered.docs, page);
    const query = parse(ask.q || "", ask.typing);
    const result = { docs: [], count: 0, kind: "exact", terms: query.terms, phrases: query.phrases, unknown: [], cut: query.cut };
    if (!query.terms.length && /\S/.test(ask.q || "")) return result; // only punctuation
    const [low, high] = ask.adult ? [this.root.general, this.root.docs - 1] : [0, this.root.general - 1];
    const sources = await this.sources(query, ask);
    for (const s of sources) if (!s.lists.length && !s.partial) result.unknown.push(s.term);
    if (result.unknown.length || high < low) return result;
    const plan = new Plan(this, sources, low, high);
    const other = ask.order === "date" || ask.order === "size";
    const need = (page + 1) * perPage;
    await plan.match(other ? mostOrdered : need, !query.phrases.length);
    if (plan.unchecked.length || query.phrases.length) await this.check(plan, query, other ? mostOrderedChecked : need, ask.further);
    Object.assign(result, { count: plan.count, kind: plan.kind, begun: plan.begun, lists: sources.flatMap((s) => s.lists) });
    if (plan.reach && plan.matches.length < need) Object.assign(result, { looked: plan.reach, further: plan.further });
    if (!other) return this.page(result, plan.matches, page, plan.kind !== "exact");
    if (plan.kind !== "exact") result.of = plan.matches.length;
    const docs = await this.sorted(plan.matches, ask.order, result);
    // The next page is of the same documents, even if more are at hand by then.
    this.ordered = { key, result, docs };
    return this.page(result, docs, page);
  }

  // page is a page of the documents that were found, after which there may be others.
  page(result, docs, page, open = false) {
    const need = (page + 1) * perPage;
    const shown = [...docs.slice(need - perPage, need)];
    this.rows.choose(shown, result.lists);
    return { ...result, docs: shown, more: docs.length > need || (open && docs.length === need) };
  }

  // sources brings for each term, and for each choice beside the box, its lists.
  async sources(query, ask) {
    const dictionaries = [[this.names, this.heads]];
    if (ask.files && this.root.files) dictionaries.push(await this.openFiles());
    const wanted = query.terms.map(async (t) => {
      const source = { term: t.term, open: t.open, lists: [], partial: false, checkable: dictionaries.length === 1, of: dictionaries };
      const found = await Promise.all(dictionaries.map((d) => lists(d, t, ask.typing)));
      for (const f of found) {
        source.lists.push(...f.lists);
        source.partial ||= f.partial;
      }
      return source;
    });
    for (const [letter, value] of [["t", ask.type], ["y", ask.year], ["s", ask.size], ["c", ask.country]]) {
      if (value === undefined || value === "" || value === null) continue;
      wanted.push(this.names.find(bytesOf("\x01" + letter + value)).then((list) => ({
        term: String(value), lists: list ? [of(this.names, list)] : [], partial: false, checkable: letter !== "c", attribute: [letter, String(value)],
      })));
    }
    return Promise.all(wanted);
  }

  // check reads rows to see what lists have not told, until the page is full or enough was read.
  async check(plan, query, need, further = 0) {
    const test = tester(plan.unchecked.filter((s) => !s.attribute), query.phrases);
    const attributes = plan.unchecked.filter((s) => s.attribute).map((s) => s.attribute);
    const passes = (row) => test(row.name) && attributes.every(([letter, v]) => attributeOf(row, letter) === v);
    const all = plan.matches;
    this.rows.choose(all.slice(0, mostChosen), plan.sources.flatMap((s) => s.lists));
    const kept = [];
    let seen = 0;
    for (let pages = Math.ceil(need / perPage) + further; pages > 0 && seen < all.length && kept.length < need; pages--) {
      const packs = new Set();
      let end = seen;
      for (; end < all.length; end++) {
        const { path } = this.rows.place(all[end]);
        if (this.rows.packs.has(path)) continue; // costs nothing
        if (packs.size === mostChecked && !packs.has(path)) break;
        packs.add(path);
      }
      await Promise.all(Array.from(packs, (p) => this.rows.pack(p)));
      for (; seen < end; seen++) if (passes(await this.row(all[seen]))) kept.push(all[seen]);
    }
    const whole = seen === all.length && plan.kind === "exact";
    plan.further = seen < all.length && kept.length < need;
    if (plan.further) plan.reach = all[seen - 1] + 1 - plan.low;
    Object.assign(plan, { matches: kept, count: kept.length, kind: whole ? "exact" : "atLeast" });
  }

  // sorted brings documents in the order of their size or day, the largest or latest first.
  async sorted(docs, order, result) {
    const per = this.root.columns;
    const packs = [...new Set(Array.from(docs, (d) => Math.floor(d / per)))].slice(0, mostSorted);
    const columns = new Map();
    await Promise.all(packs.map(async (p) => columns.set(p, await this.get(`c/${p}.gz`))));
    const known = Array.from(docs).filter((d) => columns.has(Math.floor(d / per)));
    if (known.length < docs.length) result.of = known.length;
    const keys = new Map(known.map((d) => {
      const b = columns.get(Math.floor(d / per));
      const at = (order === "size" ? 0 : b.length / 2) + 2 * (d % per);
      return [d, b[at] | (b[at + 1] << 8)];
    }));
    return known.sort((a, b) => keys.get(b) - keys.get(a) || a - b);
  }

  // row is what a result shows.
  row(doc) {
    return this.rows.row(doc);
  }
}

// sizeClass is that of report/search.SizeClass.
export const sizeClass = (size) => [100e6, 1e9, 5e9, 20e9].filter((limit) => size >= limit).length;

function attributeOf(row, letter) {
  return String(letter === "t" ? row.type : letter === "y" ? row.year : sizeClass(row.size));
}

const of = (dictionary, list) => Object.assign(list, { dictionary });

// lists brings a term's list; of a term that may go on, those of all terms that do. Where these
// lie in many shards, the first documents of all of them have a list of their own.
async function lists([dictionary, heads], { term, open }, typing) {
  const key = bytesOf(term);
  if (open) {
    const [first, last] = dictionary.span(key);
    if (last - first <= mostShards) return { lists: (await dictionary.withPrefix(key)).map((l) => of(dictionary, l)), partial: false };
    const list = await heads.find(key);
    if (list) return { lists: [of(heads, list)], partial: list.count >= headDocs };
  }
  const list = await dictionary.find(key);
  return { lists: list ? [of(dictionary, list)] : [], partial: false, typing };
}

// Plan finds the documents that all sources have.
class Plan {
  constructor(engine, sources, low, high) {
    this.engine = engine;
    this.low = low;
    this.high = high;
    this.docs = engine.root.docs;
    this.sources = sources.sort((a, b) => count(a) - count(b));
    this.unchecked = [];
    this.matches = [];
    this.count = 0;
    this.kind = "exact";
    this.begun = false;
    this.reach = 0; // how many documents were looked at, where not all were
  }

  // match finds the first documents, as many as are needed where there are so many.
  async match(need, exactly) {
    const partial = this.sources.filter((s) => s.partial);
    const rest = this.sources.filter((s) => !s.partial);
    // Rows tell who has the rest of a word, where something else says which rows to read.
    const listed = !partial.every((s) => s.checkable) ? partial : rest.length ? [] : partial.slice(0, 1);
    this.unchecked.push(...partial.filter((s) => !listed.includes(s)));
    rest.push(...listed);
    // Where one of their lists ends, documents that follow may be missing.
    for (const l of listed.flatMap((s) => s.lists)) if (l.count === headDocs && l.docs.length) this.high = Math.min(this.high, l.docs.at(-1));
    await this.among(rest, need, exactly);
    if (listed.length) Object.assign(this, { kind: "atLeast", begun: true, count: this.matches.length });
  }

  // among finds the documents that the sources have whose lists are asked.
  async among(sources, need, exactly) {
    const short = sources.filter((s) => s.lists.every((l) => !l.blocks.length));
    const long = sources.filter((s) => !short.includes(s));
    if (!short.length && !long.length && !this.unchecked.length) return this.everything(need);
    if (!short.length) return this.longOnly(long, need, exactly);
    const found = short.map((s) => union(s, this.low, this.high)).reduce(intersect);
    this.matches = found;
    this.count = found.length;
    if (long.length && found.length) await this.thin(found, long, need);
  }

  everything(need) {
    const n = Math.min(need + 1, this.high - this.low + 1);
    this.matches = Int32Array.from({ length: n }, (_, i) => this.low + i);
    this.count = this.high - this.low + 1;
  }

  // thin keeps those of found that the long sources have too. Where few are left, reading
  // their rows, which the page shows anyway, costs less than the lists of common words.
  async thin(found, long, need) {
    const packs = this.engine.rows.choose(found, this.sources.flatMap((s) => s.lists));
    const share = (sources) => sources.reduce((p, s) => p * Math.min(1, count(s) / this.docs), 1);
    const read = [];
    for (const s of long) {
      const rest = long.slice(read.length);
      const left = Math.min(packs, found.length * share(read) * 1.5);
      const kept = Math.min(left, found.length * share(long) * 1.5);
      const blocks = missing(rest, this.low, this.high, found);
      if (rest.every((r) => r.checkable) && left <= mostChecked && (left - kept) * packBytes <= bytes(blocks)) {
        this.unchecked.push(...rest);
        break;
      }
      read.push(s);
    }
    if (!read.length) return;
    let few = found;
    if (bytes(missing(read, this.low, this.high, found)) > cheap && !this.unchecked.length) {
      few = found.subarray(0, Math.min(found.length, Math.ceil((need / share(long)) * 1.5) + 40));
    }
    while (few.length > 1 && bytes(missing(read, this.low, this.high, few)) > dear) few = few.subarray(0, few.length >> 1);
    await load(missing(read, this.low, this.high, few));
    if (few.length < found.length) this.reach = few.at(-1) + 1 - this.low;
    this.matches = read.map((s) => union(s, few[0], few.at(-1))).reduce(intersect, few);
    this.settle(few.length === found.length, (this.matches.length / few.length) * found.length);
  }

  // longOnly finds the first documents of lists that are all long.
  async longOnly(long, need, exactly) {
    let high = this.high;
    const blocks = missing(long, this.low, high);
    if (bytes(blocks) > cheap && (long.length > 1 || exactly)) high = this.enough(long, need);
    if (long.length === 1 && bytes(blocks) > cheap) high = Math.min(high, this.enough(long, need));
    while (high > this.low && bytes(missing(long, this.low, high)) > dear) high = this.low + ((high - this.low) >> 1);
    await load(missing(long, this.low, high));
    if (high < this.high) this.reach = high + 1 - this.low;
    const all = long.map((s) => union(s, this.low, high)).reduce(intersect);
    this.matches = all;
    const width = high - this.low + 1;
    const only = long.length === 1 && long[0].lists.length === 1 && long[0].lists[0];
    if (only) {
      this.count = this.low ? only.count - only.general : only.general;
    } else {
      this.settle(high === this.high, (all.length / width) * (this.high - this.low + 1));
    }
  }

  // enough is a document up to which there should be as many matches as are needed, at
  // least the reach of what is at hand.
  enough(long, need) {
    const density = long.reduce((p, s) => p * Math.min(1, count(s) / this.docs), 1);
    const wanted = this.low + Math.ceil((need * 2) / density) + 2000;
    const reach = Math.min(...long.map((s) => Math.min(...s.lists.map((l) => firstMissing(l, this.low) - 1))));
    return Math.min(this.high, Math.max(wanted, reach));
  }

  settle(whole, estimate) {
    this.count = this.matches.length;
    if (whole) return;
    this.kind = "about";
    this.count = Math.max(this.count, rounded(estimate));
  }
}

// rounded keeps two digits of an estimate.
function rounded(n) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, n))) - 1);
  return Math.round(n / unit) * unit;
}

const count = (source) => source.lists.reduce((n, l) => n + l.count, 0);
const bytes = (blocks) => blocks.reduce((n, b) => n + b[1].bytes, 0);

function firstMissing(list, low) {
  const b = list.blocks.find((b) => !b.docs && b.last >= low);
  return b ? b.from + 1 : Infinity;
}

// missing lists [dictionary, block] of the blocks to load.
function missing(sources, low, high, wanted) {
  return sources.flatMap((s) => s.lists.flatMap((l) => l.missing(low, high, wanted).map((b) => [l.dictionary, b])));
}

const load = (blocks) => Promise.all(blocks.map(([dictionary, b]) => dictionary.load(b)));

function union(source, low, high) {
  const parts = source.lists.map((l) => l.between(low, high)).filter((p) => p.length);
  if (parts.length < 2) return parts[0] || new Int32Array(0);
  const all = new Int32Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  all.sort();
  return all.filter((d, i) => i === 0 || d !== all[i - 1]);
}

function intersect(a, b) {
  if (a.length > b.length) [a, b] = [b, a];
  if (a.length * 16 < b.length) return a.filter((d) => b[place(b, d)] === d);
  const out = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    if (a[i] < b[k]) i++;
    else if (a[i] > b[k]) k++;
    else {
      out.push(a[i++]);
      k++;
    }
  }
  return Int32Array.from(out);
}
