// What stands beside the map: the chosen place and the table.

import { WHOLE_DAY } from "./day.js";
import { cellBox, degreesOf } from "./earth.js";

const number = new Intl.NumberFormat("en");
const regions = new Intl.DisplayNames(["en"], { type: "region" });
const SVG = "http://www.w3.org/2000/svg";

export const format = (n) => number.format(n).replaceAll(",", "\u202f");

export function countryName(code) {
  try {
    return code ? regions.of(code) : "";
  } catch {
    return code;
  }
}

// placeName names a cell to people.
export function placeName(cell, place) {
  const [w, s, e, n] = cellBox(cell);
  const part = (v, plus, minus) => `${Math.abs(v).toFixed(1)}°\u00a0${v < 0 ? minus : plus}`;
  const at = `${part((s + n) / 2, "N", "S")}, ${part((w + e) / 2, "E", "W")}`;
  const country = countryName(place?.country);
  if (place?.city) return country && country !== place.city ? `${place.city}, ${country}` : place.city;
  const size = degreesOf(cell);
  return size > 1 ? `Around ${at}, ${format(111 * size)} km across` : at;
}

// element makes an element of text and others.
export function element(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes ?? {})) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

// table fills the body with rows of [name, count].
export function table(body, rows) {
  body.replaceChildren(
    ...rows.map(([name, ...cells]) => element("tr", {}, element("th", { scope: "row" }, element("bdi", {}, name)), ...cells.map((c) => element("td", { class: "num" }, c)))),
  );
}

// hoursInWords are the columns with hours under them, and which is the highest.
export function hoursInWords(counts) {
  const most = counts.indexOf(Math.max(...counts));
  const clock = (h) => `${String(h).padStart(2, "0")}:00`;
  const ticks = element("p", { class: "ticks", "aria-hidden": "true" }, ...[0, 6, 12, 18].map((h) => element("span", {}, clock(h))));
  return [hours(counts), ticks, element("p", { class: "note" }, `Most from ${clock(most)} to ${clock(most + 1)}: ${format(counts[most])} requesters.${counts.includes(0) ? " Hours without a column have too few." : ""}`)];
}

// hours draws twenty-four columns, of which one may be chosen.
export function hours(counts, chosen = WHOLE_DAY) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 240 40");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "hours");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `By hour in UTC: ${counts.map((c) => (c ? format(c) : "too few")).join(", ")}`);
  const most = Math.max(1, ...counts);
  counts.forEach((c, h) => {
    const bar = document.createElementNS(SVG, "rect");
    const height = c && Math.max(1, (38 * c) / most); // too few have no column
    for (const [k, v] of Object.entries({ x: 10 * h + 1, y: 40 - height, width: 8, height, class: h === chosen ? "chosen" : "bar" })) bar.setAttribute(k, v);
    svg.append(bar);
  });
  return svg;
}
