// The map's data files. Their layout is described in report/map.go and
// report/title.go.

export const WHOLE_DAY = 24;
const MOST = 4 << 20; // bytes of a file, unpacked

// unpack fetches a packed file.
export async function unpack(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const packed = new Uint8Array(await answer.arrayBuffer());
  // A server may have declared the packing, and the browser undone it.
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(plain).arrayBuffer().then((b) => new Uint8Array(b), () => {
    throw new Error(`${url}: damaged`);
  });
  if (bytes.length > MOST) throw new Error(`${url}: too long`);
  return bytes;
}

// readDay reads a day: cells, levels by hour, and the names of places.
export function readDay(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || String.fromCharCode(...bytes.subarray(0, 4)) !== "BMAP") throw new Error("this is no map");
  const n = view.getUint16(4, true);
  const levelsAt = 6 + 2 * n;
  const namesAt = levelsAt + 25 * n;
  if (bytes.length < namesAt) throw new Error("the map is cut short");
  const cells = Array.from({ length: n }, (_, i) => view.getUint16(6 + 2 * i, true));
  const names = new TextDecoder().decode(bytes.subarray(namesAt)).split("\n");
  return {
    cells,
    places: cells.map((_, i) => {
      const [city, country] = (names[i] ?? "").split("\t");
      return { city: city ?? "", country: country ?? "" };
    }),
    counts: (hour) => Array.from(bytes.subarray(levelsAt + hour * n, levelsAt + (hour + 1) * n), countOf),
  };
}

// countOf is the count that a level stands for: tens up to 1,000, then steps of 3%.
export function countOf(level) {
  return level <= 100 ? 10 * level : Math.round(100 * 1.03 ** (level - 100)) * 10;
}
