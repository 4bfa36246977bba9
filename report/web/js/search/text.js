// Words and numbers as pages show them.

const number = new Intl.NumberFormat("en");
const regions = new Intl.DisplayNames(["en"], { type: "region" });
const longest = 300;

export const format = (n) => number.format(n).replaceAll(",", "\u202f");

export const plural = (n, one, many) => `${format(n)} ${n === 1 ? one : many}`;

export function bytes(n) {
  const units = [n === 1 ? "byte" : "bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
  let u = 0;
  for (; n >= 999.5 && u < units.length - 1; u++) n /= 1000;
  return `${u === 0 || n >= 99.5 ? n.toFixed(0) : n.toFixed(1)}\u00a0${units[u]}`;
}

export function country(code) {
  try {
    return regions.of(code) ?? code;
  } catch {
    return code;
  }
}

export const kind = (type) => (type === "tv" ? "TV" : type ? type[0].toUpperCase() + type.slice(1) : "Unknown");

// clean is a text without what could change how others around it look: control characters
// and marks of direction. Joiners stay, which several scripts and emoji need.
export function clean(text, most = longest) {
  const shown = text.replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, "\ufffd").replace(/(\p{M}{4})\p{M}+/gu, "$1");
  return shown.length > most ? shown.slice(0, most).replace(/[\ud800-\udbff]$/, "") + "…" : shown;
}

// element makes an element with attributes and children; a text is text, whatever is in it.
export function element(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes ?? {})) if (v !== undefined && v !== false) e.setAttribute(k, v === true ? "" : v);
  e.append(...children.filter((c) => c !== "" && c !== null && c !== undefined));
  return e;
}

// breakable gives a text that may break its line after dots and underscores.
export function breakable(text) {
  return text.split(/(?<=[._])/).flatMap((part, i) => (i ? [element("wbr"), part] : [part]));
}

// name shows a torrent's name, with marks where [from, to] say.
export function name(text, marks = []) {
  const box = element("bdi", { class: "title" });
  let at = 0;
  let left = longest;
  const add = (part, parent) => {
    const shown = clean(part, Math.max(0, left));
    left -= shown.length;
    parent.append(...breakable(shown));
  };
  for (const [from, to] of marks) {
    if (left <= 0) break;
    if (from > at) add(text.slice(at, from), box);
    const mark = element("mark");
    if (left > 0) {
      add(text.slice(from, to), mark);
      box.append(mark);
    }
    at = to;
  }
  if (at < text.length && left > 0) add(text.slice(at), box);
  if (!box.textContent.trim()) box.textContent = "(no name)";
  return box;
}

export function demand(n, k, adult) {
  return n > 0 ? `${format(n)} requesters` : `under ${plural(adult ? Math.max(100, k) : k, "requester", "requesters")}`;
}
