// Fetches files of an index and unpacks them. Each is asked for once.

// Missing is a file that is not there: the index was replaced, or is not whole.
export class Missing extends Error {}

// Damaged is a file that is there and cannot be read.
export class Damaged extends Error {}

export async function unpack(response, path) {
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Some servers say that a .gz is an encoding, and the browser has unpacked it already.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || !path.endsWith(".gz")) return bytes;
  try {
    // Not a Blob's stream: that takes eight times as long, by way of another process.
    const stream = new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Damaged(path);
  }
}

// store gives a function that brings files below base. Anew, it asks the server even for what
// the browser keeps.
export function store(base, anew = false) {
  const files = new Map();
  return (path) => {
    let file = files.get(path);
    if (!file) {
      file = fetch(base + path, anew ? { cache: "reload" } : {}).then((r) => {
        if (r.status === 404 || r.status === 410) throw new Missing(path);
        if (!r.ok) throw new Error(`${path}: status ${r.status}`);
        return unpack(r, path);
      });
      files.set(path, file);
      file.catch(() => files.delete(path));
    }
    return file;
  };
}

// current reads which folders the site has now; the page may have been open for long.
export async function current(base) {
  const r = await fetch(base + "search/current.json", { cache: "no-store" });
  if (!r.ok) throw new Missing("search/current.json");
  return r.json();
}

// explain says what went wrong, and what to do, to people.
export function explain(e) {
  if (e instanceof Missing) return "A file of this page is not on the server: the site may be changing at this moment. Try again in a minute.";
  if (e instanceof Damaged || e instanceof RangeError || e instanceof SyntaxError) return "A file of this page came damaged or cut. Try again; if it stays so, the copy on the server is damaged.";
  if (e instanceof TypeError) return "The server does not answer. Is the network there? Try again.";
  return `This did not work: ${e.message}. Try again.`;
}
