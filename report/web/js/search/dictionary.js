// Terms and their documents: what report/search/dictionary.go writes. Terms are strings
// of bytes here, a character for each byte, since JavaScript's own order of strings is
// not that of the files.
import { Bits } from "./bits.js";

const longList = 512;
const fewRows = 16; // from here on a list may have packs of rows of its own

export function bytesOf(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

// List is the documents of a term: those at hand, and where the others are.
export class List {
  constructor(docs, blocks, count, general) {
    this.docs = docs; // at hand, of the blocks that are loaded
    this.blocks = blocks; // {from, last, count, bytes, file}: documents from < doc <= last
    this.count = count;
    this.general = general; // of the documents that are not adult; undefined where docs are all
  }

  // rank is how many of the list come before a document of it, -1 where that is not known.
  rank(doc) {
    let before = 0;
    let docs = this.docs;
    for (const b of this.blocks) {
      docs = b.docs || [];
      if (doc <= b.last) break;
      before += b.count;
    }
    const at = place(docs, doc);
    return docs[at] === doc ? before + at : -1;
  }

  // missing lists the blocks not loaded that may hold any of the documents wanted, which rise,
  // or any from low to high.
  missing(low, high, wanted) {
    return this.blocks.filter((b) => !b.docs && b.last >= low && b.from < high && (!wanted || holds(wanted, b.from + 1, b.last)));
  }

  // between gives the documents at hand from low to high.
  between(low, high) {
    const parts = [slice(this.docs, low, high)];
    for (const b of this.blocks) if (b.docs) parts.push(slice(b.docs, low, high));
    const all = parts.filter((p) => p.length);
    if (all.length < 2) return all[0] || [];
    const out = new Int32Array(all.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const p of all) {
      out.set(p, at);
      at += p.length;
    }
    return out;
  }
}

// place is the first index of the rising list whose number is v or more.
export function place(list, v) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < v) low = middle + 1;
    else high = middle;
  }
  return low;
}

const holds = (list, low, high) => list[place(list, low)] <= high;
const slice = (list, low, high) => list.subarray(place(list, low), place(list, high + 1));

export class Dictionary {
  constructor(get, folder, separators, docs) {
    this.get = get;
    this.folder = folder;
    this.separators = separators.map(bytesOf);
    this.docs = docs;
    this.shards = new Map();
  }

  // at is the shard in which a term is if there is such a term.
  at(term) {
    let low = 0;
    let high = this.separators.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.separators[middle] <= term) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  shard(i) {
    if (i >= this.separators.length) return Promise.resolve([]);
    let s = this.shards.get(i);
    if (!s) {
      s = this.get(`${this.folder}/${i}.gz`).then((b) => readShard(b, this.docs));
      this.shards.set(i, s);
      s.catch(() => this.shards.delete(i)); // so that it is asked for again
    }
    return s;
  }

  async find(term) {
    return (await this.shard(this.at(term))).find((e) => e.term === term)?.list;
  }

  // span is the first and last shard of the terms that begin with a prefix.
  span(prefix) {
    return [this.at(prefix), this.at(prefix + "\xff")];
  }

  async withPrefix(prefix) {
    const [first, last] = this.span(prefix);
    const shards = [];
    for (let i = first; i <= last; i++) shards.push(this.shard(i));
    return (await Promise.all(shards)).flat().filter((e) => e.term.startsWith(prefix)).map((e) => e.list);
  }

  async load(block) {
    const b = await this.get(`${this.folder}/b/${block.file}.bin`);
    block.docs ||= readBlock(new Bits(b), block);
  }
}

function readShard(b, docs) {
  const count = b[0] | (b[1] << 8);
  const entries = [];
  let at = 2;
  let last = "";
  for (let i = 0; i < count; i++) {
    const shared = b[at++];
    const more = b[at++];
    if (!(at + more <= b.length)) throw new RangeError("the file is cut");
    last = last.slice(0, shared) + String.fromCharCode(...b.subarray(at, at + more));
    at += more;
    entries.push({ term: last });
  }
  const bits = new Bits(b, at);
  for (const e of entries) e.list = readList(bits, docs);
  return entries;
}

function readList(bits, docs) {
  const count = bits.gamma();
  if (count > docs) throw new RangeError("the file is damaged");
  const packs = count < fewRows ? 0 : bits.gamma() - 1;
  const firstPack = packs && bits.gamma() - 1;
  const list = readDocs(bits, docs, count);
  return Object.assign(list, { packs, firstPack }); // of rows: those of its first documents
}

function readDocs(bits, docs, count) {
  if (count < longList || !bits.one()) {
    const list = new Int32Array(count);
    bits.between(list, 0, count, 0, docs - 1);
    return new List(list, [], count);
  }
  const n = bits.gamma();
  const file = bits.gamma() - 1;
  const general = bits.gamma() - 1;
  const blocks = [];
  let from = -1;
  for (let i = 0; i < n; i++) {
    const block = { from, count: bits.gamma(), file: file + i - 1 };
    block.last = from += bits.gamma();
    if (block.last >= docs || block.count > docs) throw new RangeError("the file is damaged");
    if (i === 0) block.docs = readBlock(bits, block);
    else block.bytes = bits.gamma() - 1;
    blocks.push(block);
  }
  return new List(new Int32Array(0), blocks, count, general);
}

function readBlock(bits, block) {
  const list = new Int32Array(block.count);
  bits.between(list, 0, block.count - 1, block.from + 1, block.last - 1);
  list[block.count - 1] = block.last;
  return list;
}
