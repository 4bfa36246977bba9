// What results show: packs of rows, and from which of them to read. A row lies among its
// neighbours' and may also lie in packs of words' own.

const asking = 3 << 10; // bytes that a request costs besides those that come
const rowBytes = 40; // of a row in a pack, about
export const mostChosen = 1000; // documents for which packs are chosen

export class Rows {
  constructor(get, root) {
    this.get = get;
    this.root = root;
    this.packs = new Map(); // by path
    this.where = new Map(); // by document: the pack chosen for its row
  }

  // home is the row's place among its neighbours'.
  home(doc) {
    return { path: `r/${Math.floor(doc / this.root.rows)}.gz`, at: doc % this.root.rows, size: this.root.rows };
  }

  place(doc) {
    return this.where.get(doc) || this.home(doc);
  }

  // homes is in how many packs of neighbours documents are that rise.
  homes(docs) {
    let n = 0;
    let last = -1;
    for (const d of docs) {
      const pack = Math.floor(d / this.root.rows);
      if (pack !== last) n++;
      last = pack;
    }
    return n;
  }

  // choose finds few packs that have the rows of the documents, where lists may have some of their
  // own, and returns how many there are besides those at hand.
  choose(docs, lists) {
    if (docs.length > mostChosen) return this.homes(docs);
    const own = lists.filter((l) => l.packs);
    const choices = new Map(); // by path: {cost, docs}
    const left = new Map(); // by document: where its row is
    for (const doc of docs) {
      if (this.packs.has(this.place(doc).path)) continue;
      const places = [this.home(doc)];
      for (const l of own) {
        const rank = l.rank(doc);
        const pack = Math.floor(rank / this.root.byWord);
        if (rank >= 0 && pack < l.packs) places.push({ path: `${l.dictionary.folder}/w/${l.firstPack + pack}.gz`, at: rank % this.root.byWord, size: this.root.byWord });
      }
      left.set(doc, places);
      for (const p of places) {
        const c = choices.get(p.path) || { cost: this.packs.has(p.path) ? 1 : asking + rowBytes * p.size, docs: 0 };
        c.docs++;
        choices.set(p.path, c);
      }
    }
    let chosen = 0;
    while (left.size) {
      let best = "";
      let worth = 0;
      for (const [path, c] of choices) if (c.docs / c.cost > worth) [best, worth] = [path, c.docs / c.cost];
      if (!this.packs.has(best)) chosen++;
      for (const [doc, places] of left) {
        const place = places.find((p) => p.path === best);
        if (!place) continue;
        this.where.set(doc, place);
        left.delete(doc);
        for (const p of places) choices.get(p.path).docs--;
      }
    }
    return chosen;
  }

  pack(path) {
    let p = this.packs.get(path);
    if (!p) {
      p = this.get(path).then(readPack);
      this.packs.set(path, p);
      p.catch(() => this.packs.delete(path));
    }
    return p;
  }

  // row is what a result shows.
  async row(doc) {
    const { path, at } = this.place(doc);
    const p = await this.pack(path);
    if (typeof p.n[at] !== "string" || !(at < p.count)) throw new RangeError("the file is damaged");
    const infohash = Array.from(p.hashes.slice(20 * at, 20 * at + 20), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
    const [low, high, digits, more, zeros] = [0, 1, 2, 3, 4].map((k) => p.numbers[k * p.count + at]);
    return {
      infohash, name: p.n[at], size: (digits | (more << 8)) * 10 ** zeros, day: low | (high << 8),
      type: this.root.types[p.t[at]], year: p.y[at], demand: p.q[at], files: p.f[at],
    };
  }
}

function readPack(b) {
  const text = (from, to) => new TextDecoder().decode(b.subarray(from, to));
  const count = b[0] | (b[1] << 8);
  const numbers = 2 + 4 * Math.ceil((20 * count) / 3);
  const rest = numbers + 5 * count;
  if (!(rest < b.length)) throw new RangeError("the file is cut");
  return { ...JSON.parse(text(rest)), count, hashes: atob(text(2, numbers)), numbers: b.subarray(numbers, rest) };
}
