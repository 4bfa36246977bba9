// Asks an index whose files come cut, changed or not at all, and writes how often that was an
// answer, and how often an error: node damage.js FOLDER ROUNDS. Numbers of documents that do
// not exist, and anything that takes long, are faults.
import { Engine } from "../search/engine.js";
import { folder } from "./files.js";

const [dir, rounds] = process.argv.slice(2);
let seed = 1;
const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
const asks = [{ q: "the 1080p" }, { q: "of", typing: true }, { q: '"the last"' }, { q: "web", order: "size" }, { q: "01 mp3", files: true }, { type: "movie", year: "2024" }];
const counted = { answers: 0, errors: 0, faults: [] };
for (let i = 0; i < Number(rounds); i++) {
  const ask = asks[i % asks.length];
  const whole = folder(dir).get;
  const get = async (path) => {
    const bytes = (await whole(path)).slice();
    if (path === "root.gz" ? random(12) : random(30)) return bytes;
    if (random(4) === 0) throw new Error("not there");
    if (random(3) === 0) return bytes.subarray(0, random(bytes.length));
    for (let k = 0; k < 1 + random(20); k++) bytes[random(bytes.length)] = random(256);
    return bytes;
  };
  const start = process.cpuUsage();
  try {
    const engine = await Engine.open(get);
    const found = await engine.search(ask);
    for (const d of found.docs) {
      const row = await engine.row(d);
      if (!/^[0-9a-f]{40}$/.test(row.infohash)) counted.faults.push(`row ${d}: ${row.infohash}`);
    }
    counted.answers++;
  } catch (e) {
    if (!(e instanceof Error)) counted.faults.push(String(e));
    counted.errors++;
  }
  const { user, system } = process.cpuUsage(start); // another program's time is no fault
  if (user + system > 5e6) counted.faults.push(`${JSON.stringify(ask)} took ${(user + system) / 1e3} ms`);
}
console.log(JSON.stringify(counted));
