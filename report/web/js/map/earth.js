// The Earth on paper: the Equal Earth projection (Šavrič, Patterson, Jenny 2018),
// in which areas compare, and the grid of cells of about 111 by 111 km that the
// tables use (internal/duck, macro cell).

const A1 = 1.340264;
const A2 = -0.081106;
const A3 = 0.000893;
const A4 = 0.003796;
const M = Math.sqrt(3) / 2;
const RAD = Math.PI / 180;

export const WIDTH = 2 * 2.7066299;
export const HEIGHT = 2 * 1.3173627;

// project writes the point's place on paper to out[at], out[at + 1]; y goes down.
export function project(lon, lat, out, at) {
  const t = Math.asin(M * Math.sin(lat * RAD));
  const t2 = t * t;
  const t6 = t2 * t2 * t2;
  out[at] = (lon * RAD * Math.cos(t)) / (M * (A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2)));
  out[at + 1] = -t * (A1 + A2 * t2 + t6 * (A3 + A4 * t2));
}

// Cells of the live view may be larger. One that measures more degrees goes by its number
// in their grid, and so many times this.
export const CELLS = 64800;
export const degreesOf = (cell) => 1 + Math.floor(cell / CELLS);

// cellBox is the cell's west, south, east and north.
export function cellBox(cell) {
  const d = degreesOf(cell);
  const band = Math.floor((cell % CELLS) / 360);
  const south = band * d - 90;
  const n = Math.max(1, Math.round((360 / d) * Math.cos((south + d / 2) * RAD)));
  const west = ((cell % 360) * 360) / n - 180;
  return [west, south, west + 360 / n, south + d];
}

// place is cells made ready for drawing: corners[8 i …] and middles[2 i …].
export function placeCells(cells) {
  const corners = new Float32Array(8 * cells.length);
  const middles = new Float32Array(2 * cells.length);
  cells.forEach((cell, i) => {
    const [w, s, e, n] = cellBox(cell);
    project(w, s, corners, 8 * i);
    project(e, s, corners, 8 * i + 2);
    project(e, n, corners, 8 * i + 4);
    project(w, n, corners, 8 * i + 6);
    project((w + e) / 2, (s + n) / 2, middles, 2 * i);
  });
  return { corners, middles };
}

// readCoast unpacks coast.bin (report/web/gen/coast.go): lists of lines, projected.
export function readCoast(bytes) {
  let at = 0;
  const uvarint = () => {
    let n = 0;
    for (let shift = 0; ; shift += 7) {
      const b = bytes[at++];
      if (b === undefined || shift > 28) throw new Error("the coastlines are cut short");
      n |= (b & 127) << shift;
      if (b < 128) return n >>> 0;
    }
  };
  const varint = () => {
    const n = uvarint();
    return n & 1 ? -((n + 1) / 2) : n / 2;
  };
  const lists = [];
  for (let list = 0; list < 2; list++) {
    const lines = [];
    for (let left = uvarint(); left > 0; left--) {
      const points = new Float32Array(2 * Math.min(uvarint(), bytes.length));
      let x = 0;
      let y = 0;
      for (let i = 0; i < points.length; i += 2) {
        x += varint();
        y += varint();
        project(x / 50, y / 50, points, i);
      }
      lines.push(points);
    }
    lists.push(lines);
  }
  return { land: lists[0], borders: lists[1] };
}
