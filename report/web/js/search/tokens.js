// The tokeniser: the twin of report/search/tokens.go. Both pass the vectors in
// report/search/testdata/vectors.json.
import { classRuns } from "./classes.js";

const longestTerm = 32;

// The frozen table: starts of runs of characters, and the class of each run.
const from = [];
const is = [];
{
  let at = 0x80;
  for (const [, length, kind] of (classRuns + "1S").matchAll(/([0-9a-z]+)([A-Z])/g)) {
    from.push(at);
    is.push(kind);
    at += parseInt(length, 36);
  }
}

function classOf(c) {
  if (c < 0x80) {
    if ((c > 0x60 && c < 0x7b) || (c > 0x2f && c < 0x3a) || (c > 0x40 && c < 0x5b)) return "W";
    return (c < 0x20 && (c < 9 || c > 13)) || c === 0x7f ? "N" : "S";
  }
  let low = 0;
  let high = from.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (from[middle] > c) high = middle;
    else low = middle;
  }
  return is[low];
}

// fold is a character as it is compared: decomposed, without marks, in lower case.
function fold(c) {
  if (classOf(c.codePointAt(0)) === "S") return " ";
  let out = "";
  for (const d of c.normalize("NFKD")) {
    const low = d.toLowerCase().replace("ς", "σ");
    const kind = classOf(low.codePointAt(0));
    if (kind === "S") out += " ";
    else if (kind !== "M" && kind !== "N") out += low;
  }
  return out;
}

// units reads a text into words and single ideographs: {t, from, to, i, j} with the text,
// where it stands, whether it is an ideograph, and whether it is joined to the one before.
export function units(text) {
  const out = [];
  let word = null;
  let length = 0;
  let before = "S";
  let at = 0;
  const end = () => {
    if (word) out.push(word);
    word = null;
    length = 0;
  };
  for (const c of text) {
    for (const f of fold(c)) {
      const kind = classOf(f.codePointAt(0));
      if (kind === "W") {
        word ||= { t: "", from: at, to: at, i: false, j: false };
        if (++length <= longestTerm) word.t += f;
        word.to = at + c.length;
      } else {
        end();
        if (kind === "I") out.push({ t: f, from: at, to: at + c.length, i: true, j: before === "I" });
      }
      before = kind;
    }
    at += c.length;
  }
  end();
  return out;
}

// termsOf gives, for units, the terms that their text is found by: one for each unit.
export function termsOf(list) {
  return list.map((u, i) => (list[i + 1]?.j ? u.t + list[i + 1].t : u.t));
}
