// Asks an index that report/search/bench made its thousand queries, each as a page that
// has just been opened does, and says what that took: node bench.js DIR [rows]
import { readFileSync } from "node:fs";
import { Engine } from "../search/engine.js";
import { folder } from "./files.js";

const [dir, first = "50"] = process.argv.slice(2);
const bench = JSON.parse(readFileSync(`${dir}/bench.json`));
const all = [];
for (const q of bench.queries) {
  const { get, counted } = folder(`${dir}/${bench.folder}`);
  const start = process.cpuUsage();
  const engine = await Engine.open(get);
  const found = await engine.search({ q });
  const rows = await Promise.all(found.docs.slice(0, Number(first)).map((d) => engine.row(d)));
  const { user, system } = process.cpuUsage(start);
  all.push({ q, ...counted, ms: (user + system) / 1000, count: found.count, kind: found.kind, rows: rows.length });
}
const at = (key, share) => all.map((x) => x[key]).sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(share * all.length))];
const line = (key, unit, digits = 0, scale = 1) =>
  console.log(`  ${key.padEnd(9)} p50 ${(at(key, 0.5) / scale).toFixed(digits)}, p95 ${(at(key, 0.95) / scale).toFixed(digits)}, most ${(at(key, 1) / scale).toFixed(digits)} ${unit}`);
const part = (name) => `${name} ${(bench.bytes[name] / 1e6).toFixed(1)} MB (${((100 * bench.bytes[name]) / bench.nameBytes).toFixed(1)}%)`;
console.log(`${bench.torrents} names of ${(bench.nameBytes / 1e6).toFixed(1)} MB, ${bench.shown} with published demand; made in ${bench.seconds.toFixed(1)} s`);
console.log(`${Object.keys(bench.bytes).map(part).join(", ")}`);
console.log(`${all.length} queries, a page opened anew for each, and ${first} results of it:`);
line("bytes", "kB", 1, 1000);
line("requests", "");
line("rounds", "one after the other");
for (const x of all) x.first = 50 * x.rounds + x.ms;
line("first", "ms to the first result at 50 ms a request: rounds, and CPU with unpacking");
line("ms", "ms of CPU", 1);
const kinds = {};
for (const x of all) kinds[x.kind] = (kinds[x.kind] || 0) + 1;
console.log("  counts", kinds, "nothing found", all.filter((x) => !x.count).length);
if (process.env.WORST) {
  all.sort((a, b) => b[process.env.WORST] - a[process.env.WORST]);
  for (const x of all.slice(0, 25)) {
    const by = {};
    for (const f of x.files) by[f.replace(/\d+\..*/, "")] = (by[f.replace(/\d+\..*/, "")] || 0) + 1;
    console.log(x.bytes, x.requests, x.rounds, JSON.stringify(x.q), x.count, x.kind, JSON.stringify(by));
  }
}
