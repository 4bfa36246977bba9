// What somebody asks for: words, "phrases", and the choices beside the box.
import { termsOf, units } from "./tokens.js";

const longestQuery = 500;
const mostTerms = 16;

// parse reads a query. While it is being typed, its last word may go on.
export function parse(text, typing = false) {
  const cut = text.length > longestQuery;
  const pieces = text.slice(0, longestQuery).split(/["“”„]/);
  const terms = new Map(); // term → whether it may go on
  const phrases = [];
  pieces.forEach((piece, i) => {
    const list = units(piece);
    const words = termsOf(list);
    const quoted = i % 2 === 1;
    if (quoted && i < pieces.length - 1 && list.length > 1) phrases.push(list.map((u) => u.t));
    list.forEach((u, k) => {
      const open = list[k + 1]?.j || u.j;
      if (u.i && !open) terms.set(words[k], true); // a lone ideograph stands for all pairs that begin with it
      else if (u.i && u.j && !list[k + 1]?.j) return; // the last of a run has been said by the pair before
      else if (!terms.has(words[k])) terms.set(words[k], false);
    });
    const end = list.at(-1);
    if (typing && !quoted && i === pieces.length - 1 && end && !end.i && /[^\s]$/.test(piece) && end.to === piece.length) {
      terms.delete(end.t);
      terms.set(end.t, true);
    }
  });
  const all = [...terms].map(([term, open]) => ({ term, open }));
  const kept = all.slice(0, mostTerms);
  if (typing && all.length > mostTerms) kept.forEach((t) => (t.open = false));
  return { terms: kept, phrases, cut: cut || all.length > mostTerms };
}

// tester returns a function that says whether a name has all the terms and phrases.
export function tester(terms, phrases) {
  return (name) => {
    const list = units(name);
    const words = termsOf(list);
    return terms.every((t) => words.some((w) => (t.open ? w.startsWith(t.term) : w === t.term))) && phrases.every((p) => hasPhrase(list, p));
  };
}

function hasPhrase(list, phrase) {
  return list.some((_, i) => phrase.every((t, k) => list[i + k]?.t === t));
}

// marks lists where in a name the terms stand: [from, to], in order, not touching.
export function marks(name, terms) {
  const list = units(name);
  const words = termsOf(list);
  const found = [];
  list.forEach((u, i) => {
    for (const t of terms) {
      if (t.open ? words[i].startsWith(t.term) : words[i] === t.term) {
        const to = words[i] !== u.t && t.term.length > u.t.length ? list[i + 1].to : u.to;
        const last = found.at(-1);
        if (last && last[1] >= u.from) last[1] = Math.max(last[1], to);
        else found.push([u.from, to]);
        return;
      }
    }
  });
  return found;
}
