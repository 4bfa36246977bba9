// One title's map: a torrent by ?ih= or a work by ?work=.

import { unpack } from "./day.js";

// wanted reads the address: the id of a title, null where it is none, undefined where
// none is asked for.
export function wanted(search) {
  const params = new URLSearchParams(search);
  const [ih, work] = [params.get("ih")?.trim().toLowerCase(), params.get("work")?.trim()];
  if (ih !== undefined) return /^[0-9a-f]{40}$/.test(ih) ? ih : null;
  if (work !== undefined) return /^[0-9a-z]{1,40}$/.test(work) ? work : null;
}

// findTitle reads the file that may hold it: named after the id's first digits.
export async function findTitle(id, { titles, digits, week }) {
  if (!titles) return null;
  let bytes;
  try {
    bytes = await unpack(`${titles}/${id.slice(0, Number(digits))}.gz`);
  } catch (e) {
    if (/ 404$/.test(e.message)) return null; // no title of this beginning
    throw e;
  }
  const all = new Map(Object.entries(JSON.parse(new TextDecoder().decode(bytes))));
  const t = all.get(id);
  if (!t) return null;
  return { ...t, when: week, places: t.places.map(([city, country]) => ({ city, country })) };
}
