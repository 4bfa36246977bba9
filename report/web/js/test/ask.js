// Asks an index the questions on standard input, a JSON list, and writes what it finds:
// node ask.js FOLDER. A question of several pages is asked for one after the other, as
// somebody does who turns them. One that is warm is asked when all rows are at hand.
import { readFileSync } from "node:fs";
import { Engine } from "../search/engine.js";
import { folder } from "./files.js";

const asks = JSON.parse(readFileSync(0));
const answers = [];
for (const ask of asks) {
  const { get, counted } = folder(process.argv[2]);
  try {
    const engine = await Engine.open(get);
    if (ask.warm) await Promise.all(Array.from({ length: engine.root.docs }, (_, d) => engine.row(d)));
    const found = await engine.search(ask);
    for (let page = 1; page < ask.pages; page++) found.docs.push(...(await engine.search({ ...ask, page })).docs);
    const rows = await Promise.all(found.docs.map((d) => engine.row(d)));
    answers.push({ count: found.count, kind: found.kind, of: found.of || 0, more: Boolean(found.more), further: Boolean(found.further), docs: found.docs, rows, read: counted.files });
  } catch (e) {
    answers.push({ error: String(e) });
  }
}
console.log(JSON.stringify(answers));
