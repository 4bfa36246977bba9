// Names that nobody would give for honest ends, all the way from a log to the pages.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, serveSite, WIDTHS } from "./browser.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const names = {
  "4 KB in one word": "w".repeat(4096),
  "a path of 200 levels": Array.from({ length: 200 }, (_, i) => `level${i}`).join("/"),
  "HTML and scripts": `</title></script><script>alert(1)</script><img src=x onerror=alert(2)> "quoted' =1+1`,
  "overrides and invisible characters": "\u202egpj.exe\u2066\u200b\u0007 \u{1F3AC}\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
  "4 KB of wide characters": "\u6620\u753b".repeat(680),
};
const hash = (i) => String(i).padStart(2, "0").repeat(20);
const places = [
  ["203.0", "US", "Philadelphia", 39.95, -75.16],
  ["198.51", "FR", "Paris", 48.86, 2.35],
];

// logOf is a log of 2018: every torrent is resolved, and asked for by thirty networks in each place.
function logOf() {
  const lines = [];
  Object.values(names).forEach((name, i) => {
    const about = { v: 4, timestamp: Date.UTC(2026, 10, 22, 12, i), infohash: hash(i), our_id: "BB".repeat(20) };
    lines.push({ type: "resolve", ...about, name, size: 7e8, files: 1, num_peers: 1, peers: [] });
    for (const [network, country, city, latitude, longitude] of places) {
      for (let n = 0; n < 30; n++) {
        lines.push({
          type: "announce", ...about, their_id: `${hash(n).slice(0, 38)}CC`, their_ip: `${network}.${n}.${1 + i}`, version: "LT",
          location: { country_iso: country, country, sub_iso: null, subdivision: null, city, latitude, longitude, accuracy: 5 },
        });
      }
    }
  });
  return lines.map((l) => JSON.stringify(l)).join("\n");
}

let browser, server, dir;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "boon-hostile-"));
  mkdirSync(join(dir, "lake"));
  writeFileSync(join(dir, "boonlog"), logOf());
  const boon = (...args) => execFileSync(process.env.BOON, [...args, "--lake", join(dir, "lake")], { stdio: ["ignore", "ignore", "pipe"] });
  boon("import", "boonlog", join(dir, "boonlog"));
  boon("etl");
  boon("report", "--out", join(dir, "site"));
  [browser, server] = await Promise.all([launch(), serveSite(join(dir, "site"), join(dir, "lake"))]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});

// pages where a name stands, and what tells that it does.
const pages = ["", "rankings/", "rankings/2026-11-22/", "country/US/", ...Object.keys(names).map((_, i) => `map/?ih=${hash(i)}`), ...Object.keys(names).map((_, i) => `t/?ih=${hash(i)}`)];

for (const path of pages) {
  test(`/${path.replace(/([0-9]{2})\1{19}/, "$1…")} is text, and fits`, async (t) => {
    const page = await open(t, browser, `${server.url}methodology/`);
    page.on("dialog", () => assert.fail("a script of a name ran"));
    await page.goto(server.url + path);
    await page.waitForFunction(() => document.documentElement.dataset.state === "ready");
    const text = await page.locator("main").innerText();
    const i = Number(/ih=(\d\d)/.exec(path)?.[1] ?? -1);
    const shown = { 0: /w{100}/, 1: /level0\/level1\/level2/, 2: /<img src=x onerror=alert\(2\)>/, 3: /gpj\.exe/, 4: /\u6620\u753b\u6620/ };
    for (const [n, name] of Object.entries(shown)) if (i < 0 || i === Number(n)) assert.match(text.replaceAll(/\n/g, ""), name);
    assert.doesNotMatch(text, /[\u202e\u2066\u200b\u0007]/);
    if (i < 0) for (const d of await page.locator("main details").all()) await d.evaluate((e) => (e.open = true));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(over, 0, `${over} px too wide at ${width}`);
    }
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)}`), []);
    assert.deepEqual(page.complaints, []);
  });
}
