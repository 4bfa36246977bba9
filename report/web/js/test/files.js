// Reads an index from a folder as a page would from a server, and counts.
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

export function folder(dir) {
  const counted = { requests: 0, bytes: 0, files: [], rounds: 0 };
  let round = null;
  const cache = new Map();
  const get = (path) => {
    let got = cache.get(path);
    if (!got) {
      counted.requests++;
      counted.files.push(path);
      // All that is asked for before anything is answered is one round.
      round ||= new Promise((done) => setImmediate(done)).then(() => {
        round = null;
        counted.rounds++;
      });
      got = round.then(() => readFile(`${dir}/${path}`)).then((b) => {
        counted.bytes += b.length;
        return new Uint8Array(path.endsWith(".gz") ? gunzipSync(b) : b);
      });
      cache.set(path, got);
    }
    return got;
  };
  return { get, counted };
}
