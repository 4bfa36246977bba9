// Asks an index the questions on standard input, a JSON list, and writes what it finds:
// node ask.js FOLDER
import { readFileSync } from "node:fs";
import { Engine } from "../search/engine.js";
import { folder } from "./files.js";

const asks = JSON.parse(readFileSync(0));
const answers = [];
for (const ask of asks) {
  const { get, counted } = folder(process.argv[2]);
  try {
    const engine = await Engine.open(get);
    const found = await engine.search(ask);
    const rows = await Promise.all(found.docs.map((d) => engine.row(d)));
    answers.push({ count: found.count, kind: found.kind, of: found.of || 0, more: Boolean(found.more), docs: found.docs, rows, read: counted.files });
  } catch (e) {
    answers.push({ error: String(e) });
  }
}
console.log(JSON.stringify(answers));
