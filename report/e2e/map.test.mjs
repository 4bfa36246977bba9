// The map: moved by mouse, touch and keyboard, a day played, the live view with
// all that can go wrong with it, single titles, frames and weight.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { LAKE, launch, open, serve, SITE } from "./browser.mjs";

const FRAME = 16; // ms that a frame may take
const WEIGHT = 200_000; // bytes of the page and all it loads
let browser, server;

before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
const live = join(LAKE, "live");
afterEach(() => rmSync(live, { recursive: true, force: true }));

const ready = (page) => page.waitForFunction(() => document.documentElement.dataset.state === "ready");
const where = (page) => page.evaluate(() => (({ zoom, x, y }) => ({ zoom, x, y }))(window.boonMap.paper));
// picture is a digest of what is on the canvas.
const picture = (page) =>
  page.evaluate(async () => {
    await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
    return document.getElementById("canvas").toDataURL();
  });

async function openMap(t, query = "", options = {}) {
  const page = await open(t, browser, `${server.url}map/${query}`, options);
  await ready(page);
  return page;
}

test("mouse: drag and wheel move it, pointing tells the numbers", async (t) => {
  const page = await openMap(t);
  const box = await page.locator("#canvas").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  for (let i = 0; i < 3; i++) await page.mouse.wheel(0, -100);
  await page.waitForFunction(() => window.boonMap.paper.zoom > 2);
  const before = await where(page);
  const drawn = await picture(page);
  await page.mouse.down();
  await page.mouse.move(x + 80, y + 40, { steps: 4 });
  await page.mouse.up();
  const moved = await where(page);
  assert.ok(moved.x < before.x && moved.y < before.y && moved.zoom === before.zoom, JSON.stringify([before, moved]));
  assert.ok((await picture(page)) !== drawn, "nothing moved");
  await page.click("#all");
  const dot = await page.evaluate(() => {
    const { paper } = window.boonMap;
    const { middles, counts } = paper.layer;
    const i = counts.indexOf(Math.max(...counts));
    const box = paper.canvas.getBoundingClientRect();
    const at = (v, centre, size) => ((v - centre) * paper.scale + size / 2) / paper.ratio;
    return { x: box.left + at(middles[2 * i], paper.x, paper.width), y: box.top + at(middles[2 * i + 1], paper.y, paper.height), most: counts[i] };
  });
  await page.mouse.move(dot.x, dot.y);
  const said = (await page.locator("#place").innerText()).replaceAll(/\s/g, "");
  assert.match(said, new RegExp(`${dot.most}requesters`));
  assert.equal((await page.locator("#cells td").first().innerText()).replaceAll(/\s/g, ""), String(dot.most));
  assert.deepEqual(page.complaints, []);
});

test("keyboard: arrows, plus, minus and 0", async (t) => {
  const page = await openMap(t);
  await page.locator("#all").focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "canvas");
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  const zoomed = await where(page);
  assert.ok(zoomed.zoom > 2);
  await page.keyboard.press("ArrowRight");
  assert.ok((await where(page)).x > zoomed.x);
  await page.keyboard.press("-");
  assert.ok((await where(page)).zoom < zoomed.zoom);
  await page.keyboard.press("0");
  assert.deepEqual(await where(page), { zoom: 1, x: 0, y: 0 });
});

test("touch: two fingers zoom, a tap tells", async (t) => {
  const page = await openMap(t, "", { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
  const client = await page.context().newCDPSession(page);
  const box = await page.locator("#canvas").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const touch = (type, ...points) => client.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })) });
  await page.evaluate(() => {
    document.getElementById("canvas").style.touchAction = "none";
  });
  await touch("touchStart", [x - 20, y], [x + 20, y]);
  for (let d = 30; d <= 80; d += 10) await touch("touchMove", [x - d, y], [x + d, y]);
  await touch("touchEnd");
  assert.ok((await where(page)).zoom > 2, JSON.stringify(await where(page)));
});

test("a day is played, hour by hour, and can be stopped", async (t) => {
  const page = await openMap(t);
  const whole = await picture(page);
  const [byTable] = [await page.locator("#cells tr").count()];
  assert.ok(byTable > 20);
  await page.click("#play");
  const hours = new Set();
  const pictures = new Set();
  for (let i = 0; i < 20 && (hours.size < 4 || pictures.size < 4); i++) { // a slow machine sees the day's end else
    hours.add(await page.inputValue("#hour"));
    pictures.add(await picture(page));
    await page.waitForTimeout(300);
  }
  assert.ok(hours.size > 3 && pictures.size > 3, `${hours.size} hours, ${pictures.size} pictures`);
  assert.ok(!pictures.has(whole));
  await page.click("#play");
  const stopped = await page.inputValue("#hour");
  await page.waitForTimeout(700);
  assert.equal(await page.inputValue("#hour"), stopped);
  await page.locator("#hour").focus();
  await page.keyboard.press("Home");
  assert.match(await page.innerText("#when"), /00:00 to 01:00 UTC/);
  await page.check("#whole");
  assert.ok((await picture(page)) === whole, "the whole day looks another way now");
  const other = await page.locator("#day option").nth(1).getAttribute("value");
  await page.selectOption("#day", other);
  await page.waitForFunction((day) => document.documentElement.dataset.day === day, other);
  assert.ok((await picture(page)) !== whole, "the other day looks the same");
  assert.deepEqual(page.complaints, []);
});

test("a frame without a GPU", async (t) => {
  const page = await openMap(t);
  const times = await page.evaluate(async () => {
    const { paper } = window.boonMap;
    // As many cells as a busy planet has.
    const n = 6000;
    const layer = { cells: new Uint32Array(n), corners: new Float32Array(8 * n), middles: new Float32Array(2 * n), counts: [] };
    for (let i = 0; i < n; i++) {
      const [x, y] = [((i * 7919) % 5000) / 1000 - 2.5, ((i * 104729) % 2400) / 1000 - 1.2];
      layer.middles.set([x, y], 2 * i);
      layer.corners.set([x, y, x + 0.017, y, x + 0.017, y - 0.017, x, y - 0.017], 8 * i);
      layer.counts.push(10 * (1 + (i % 400)));
    }
    const own = paper.layer;
    paper.layer = layer;
    const measure = (prepare) => {
      const all = [];
      for (let i = 0; i < 30; i++) {
        prepare(i);
        const began = performance.now();
        paper.draw();
        paper.ink.getImageData(i, i, 1, 1); // waits until it is drawn
        all.push(performance.now() - began);
      }
      return all.sort((a, b) => a - b)[all.length / 2];
    };
    const played = measure((i) => layer.counts.reverse() && i);
    const moved = measure((i) => {
      paper.zoom = 2;
      paper.move(i % 2 ? 9 : -9, 0);
    });
    paper.layer = own;
    return { played, moved };
  });
  t.diagnostic(`half of 30 frames take at most, 6,000 cells: ${times.played.toFixed(1)} ms playing, ${times.moved.toFixed(1)} ms moving`);
  if (process.env.BOON_TIMES) assert.ok(times.played <= FRAME && times.moved <= FRAME, JSON.stringify(times));
});

test("weight of the page and all it loads", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send("Network.enable");
  let sum = 0;
  client.on("Network.loadingFinished", (e) => (sum += e.encodedDataLength));
  await page.goto(`${server.url}map/`, { waitUntil: "networkidle" });
  await ready(page);
  t.diagnostic(`${sum} bytes`);
  assert.ok(sum > 30_000 && sum < WEIGHT, `${sum} bytes`);
});

// writeLive writes what a collector would.
function writeLive(now, queries, name = "fra1") {
  mkdirSync(live, { recursive: true });
  const put = (file, text) => {
    writeFileSync(join(live, `${file}.new`), text);
    renameSync(join(live, `${file}.new`), join(live, file));
  };
  put("index.json", JSON.stringify([name]));
  const file = { v: 2, collector: name, t: Math.round(now * 1000), seconds: 120, queries_per_second: 321.5, share: 1, cells: [], countries: [], clients: [] };
  for (const [cell, n, degrees = 1] of queries) file.cells.push({ cell, degrees, lat: 0, lon: 0, queries: n });
  put(`${name}.json`, `${JSON.stringify(file)}\n`);
}
// writeWhenAsked does so when the page next asks: on any machine, it is new then.
const writeWhenAsked = (page, queries) =>
  page.route("**/live/index.json", (route) => {
    writeLive(Date.now(), queries);
    return route.continue();
  }, { times: 1 });
const PARIS = 138 * 360 + 120;
const LIMA = 77 * 360 + 100;
const saidIs = (page, pattern) => page.waitForFunction((p) => new RegExp(p).test(document.getElementById("status").textContent), pattern);

// namedCell is a cell of the latest day that has a name.
function namedCell() {
  const day = readdirSync(join(SITE, "map")).filter((n) => /^\d{4}-.*\.gz$/.test(n)).sort().at(-1);
  const bytes = gunzipSync(readFileSync(join(SITE, "map", day)));
  const n = bytes.readUInt16LE(4);
  const names = bytes.subarray(6 + 27 * n).toString().split("\n");
  const i = names.findIndex((name) => name);
  return [bytes.readUInt16LE(6 + 2 * i), names[i].split("\t")[0]];
}

test("live: it changes, says how old it is, and carries on when it is gone", async (t) => {
  const page = await open(t, browser, `${server.url}map/#live`);
  await saidIs(page, "No collector writes a live view");
  await writeWhenAsked(page, [[PARIS, 100]]);
  await saidIs(page, "^Live: 322 queries a second at one collector; \\d s old\\.$");
  assert.equal(await page.locator("#cells td").first().innerText(), "100");
  const first = await picture(page);
  writeLive(Date.now(), [[PARIS, 100], [LIMA, 3000]]);
  await page.waitForFunction(() => document.querySelectorAll("#cells tr").length === 2);
  assert.ok((await picture(page)) !== first, "the live view looks the same");
  writeLive(Date.now(), [[43 * 360 + 26, 60, 3]]);
  await page.waitForFunction(() => document.querySelectorAll("#cells tr").length === 1);
  assert.equal((await page.innerText("#cells th")).replaceAll("\u00a0", " "), "Around 40.5° N, 75.2° W, 333 km across");
  const [cell, city] = namedCell();
  writeLive(Date.now(), [[cell, 70]]);
  await page.waitForFunction((name) => document.querySelector("#cells th")?.textContent.startsWith(name), city);
  writeFileSync(join(live, "fra1.json"), '{"v":2,"t":17'); // cut
  await saidIs(page, "No collector writes a live view");
  rmSync(live, { recursive: true, force: true });
  writeLive(Date.now(), [[PARIS, 50]]);
  await saidIs(page, "^Live");
  assert.deepEqual(page.complaints.filter((c) => !/404|live\//.test(c)), []);
});

test("live: clocks an hour off", async (t) => {
  // The collector's clock is an hour behind the server's: old at first sight …
  writeLive(Date.now() - 3_600_000, [[PARIS, 100]]);
  const page = await open(t, browser, `${server.url}map/#live`);
  await saidIs(page, "The live view stopped 60 minutes ago");
  // … and alive as soon as it changes.
  writeLive(Date.now() - 3_595_000, [[PARIS, 110]]);
  await saidIs(page, "^Live");
  // The viewer's clock is an hour ahead.
  const context = await browser.newContext();
  t.after(() => context.close());
  const other = await context.newPage();
  await writeWhenAsked(other, [[PARIS, 100]]);
  await other.addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
  });
  await other.goto(`${server.url}map/#live`);
  await saidIs(other, "^Live: .* \\d s old");
});

// titles are those that the site has maps of.
function titles() {
  const folder = readdirSync(join(SITE, "map")).find((n) => n.startsWith("titles-"));
  return readdirSync(join(SITE, "map", folder))
    .filter((n) => n.endsWith(".gz"))
    .flatMap((n) => Object.entries(JSON.parse(gunzipSync(readFileSync(join(SITE, "map", folder, n))).toString())));
}

test("one title's map, and a title that has none", async (t) => {
  const all = titles().sort(([, a], [, b]) => b.requesters - a.requesters);
  for (const [key, length] of [["ih", 40], ["work", 16]]) {
    const [id, title] = all.find(([name, one]) => name.length === length && one.cells.length > 0 && one.countries.length > 1);
    const page = await openMap(t, `?${key}=${id}`);
    assert.equal(await page.innerText("h1"), title.name);
    assert.equal(await page.locator("#countries tr").count(), title.countries.length);
    assert.equal(await page.locator("#cells tr").count(), Math.min(200, title.cells.length));
    assert.deepEqual(page.complaints, []);
  }
  const [adult] = all.find(([name, one]) => name.length === 16 && one.adult);
  const work = await openMap(t, `?work=${adult}`);
  await work.click("#lede a");
  await work.waitForFunction(() => document.querySelectorAll("#results li").length);
  const page = await openMap(t, `?ih=${"0".repeat(40)}`);
  assert.match(await page.innerText("#status"), /Too few networks/);
  for (const what of ["#cells", "#canvas", "#lede", "#place"]) assert.ok(!(await page.isVisible(what)), `${what} shows something else than the title`);
  await page.click("#status a");
  await page.waitForFunction(() => document.documentElement.dataset.day);
  for (const [bad, said] of [["?ih=<script>alert(1)</script>", "names no title"], ["?ih=zz", "names no title"], ["?ih=", "names no title"], ["?work=__proto__", "names no title"], ["?work=constructor", "Too few networks"]]) {
    const odd = await openMap(t, bad);
    assert.match(await odd.innerText("#status"), new RegExp(said), bad);
    assert.ok(!(await odd.isVisible("#cells")), bad);
    assert.deepEqual(odd.complaints.filter((c) => !/404/.test(c)), [], bad);
  }
});

test("a day's file that is cut or gone is said, with a way on", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.route(/map\/\d{4}-.*\.gz$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.body()).subarray(0, 60) });
  });
  await page.goto(`${server.url}map/`);
  await ready(page);
  assert.match(await page.innerText("#status"), /could not be read.*Reload the page/);
  assert.ok((await page.locator("#cells tr").count()) > 20, "the table is still there");
});

test("a day that cannot be had leaves the one that is shown, and its name", async (t) => {
  const page = await openMap(t);
  const [shown, cells] = [await page.inputValue("#day"), await page.locator("#cells").innerText()];
  const other = await page.locator("#day option").nth(1).getAttribute("value");
  for (const [what, said] of [[(route) => route.abort(), /The map of \d+ January 2026 could not be fetched.*network/], [(route) => route.fulfill({ status: 404 }), /could not be read.*Reload the page/]]) {
    await page.route(/map\/\d{4}-.*\.gz$/, what);
    await page.selectOption("#day", other);
    await saidIs(page, said.source);
    assert.equal(await page.inputValue("#day"), shown);
    assert.equal(await page.locator("#cells").innerText(), cells);
    await page.unrouteAll({ behavior: "wait" });
    await page.evaluate(() => (document.getElementById("status").textContent = ""));
  }
  await page.selectOption("#day", other);
  await page.waitForFunction((day) => document.documentElement.dataset.day === day, other);
  assert.notEqual(await page.locator("#cells").innerText(), cells);
});
