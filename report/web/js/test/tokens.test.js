import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";
import { termsOf, units } from "../search/tokens.js";

const vectors = JSON.parse(readFileSync(new URL("../../../search/testdata/vectors.json", import.meta.url)));

test("the tokeniser finds what the shared vectors say", () => {
  assert.ok(vectors.length >= 500);
  for (const v of vectors) {
    const found = units(v.text);
    assert.deepEqual(found.map((u) => (u.i ? (u.j ? "+" : "=") : "") + u.t), v.units, JSON.stringify(v.text));
    const terms = [...new Set(termsOf(found))].map((t) => Buffer.from(t)).sort(Buffer.compare);
    assert.deepEqual(terms.map(String), v.terms, JSON.stringify(v.text));
  }
});

test("every character of the first two planes becomes what Python makes of it", () => {
  const want = readFileSync(new URL("../../../search/testdata/characters.sha256", import.meta.url), "utf8").trim();
  const sum = createHash("sha256");
  for (let c = 0; c < 0x20000; c++) {
    if (c < 0xd800 || c >= 0xe000) sum.update(units(String.fromCodePoint(c)).map((u) => u.t).join() + "\n");
  }
  assert.equal(sum.digest("hex"), want);
});

test("a unit stands where it says", () => {
  for (const { text } of vectors) {
    for (const u of units(text)) {
      assert.ok(units(text.slice(u.from, u.to)).some((x) => x.t === u.t), `${JSON.stringify(text)}: ${u.t} at ${u.from}`);
    }
  }
});
