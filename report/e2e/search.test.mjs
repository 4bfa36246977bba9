// Search and the pages of torrents, as somebody uses them, and what goes wrong.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, plainServer, serve, SITE } from "./browser.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const site = JSON.parse(readFileSync(join(SITE, "search/current.json")));
const state = (page, want) => page.waitForFunction((want) => document.documentElement.dataset.state === want, want);
const matches = async (page) => Number(await page.getAttribute("[data-matches]", "data-matches"));

// search opens the page with a question.
async function search(t, query = "?q=the", options) {
  const page = await open(t, browser, `${server.url}search/${query}`, options);
  await state(page, "ready");
  return page;
}

test("typing finds beginnings of words, Enter whole words; a result opens its page", async (t) => {
  const page = await search(t, "");
  const all = await matches(page);
  assert.ok(all > 50, `without words there are ${all}`);
  await page.locator("input[name=q]").pressSequentially("108", { delay: 20 });
  await page.waitForFunction((all) => Number(document.querySelector("[data-matches]").dataset.matches) < all, all);
  await state(page, "ready");
  assert.ok((await matches(page)) > 0);
  await page.fill("input[name=q]", "1080p x264");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#results mark").length > 10);
  await state(page, "ready");
  assert.match(page.url(), /\?q=1080p\+x264/);
  const rows = page.locator("#results li");
  for (const row of await rows.all()) {
    assert.match(await row.getAttribute("data-infohash"), /^[0-9a-f]{40}$/);
    const words = (await row.locator("mark").allInnerTexts()).map((w) => w.toLowerCase());
    assert.deepEqual([...new Set(words)].sort(), ["1080p", "x264"]);
  }
  const name = await rows.first().locator(".title").textContent();
  const infohash = await rows.first().getAttribute("data-infohash");
  await rows.first().locator("a").click();
  await page.waitForURL(`**/t/?ih=${infohash}`);
  await state(page, "ready");
  assert.equal(await page.locator("h1").textContent(), name);
  assert.match(await page.locator("#facts").innerText(), new RegExp(`Size[^]*Info-hash\\s+${infohash}`));
  assert.ok(await page.locator("#files li").count());
  assert.match(await page.locator("#demand").innerText(), /requesters/);
  await page.goBack();
  await state(page, "ready");
  assert.equal(await page.inputValue("input[name=q]"), "1080p x264");
  assert.deepEqual(page.complaints, []);
});

test("what the script reads first comes with the script, and once", async (t) => {
  const page = await search(t);
  const [script, ...roots] = await page.evaluate(() => ["/search-", "/root.gz"].flatMap((part) => performance.getEntriesByType("resource").filter((r) => r.name.includes(part)).map((r) => r.toJSON())));
  assert.equal(roots.length, 1);
  assert.ok(roots[0].startTime < script.responseEnd, `asked for at ${roots[0].startTime}, the script came at ${script.responseEnd}`);
});

test("a page of results is fifty, fetched as somebody scrolls; the next has others", async (t) => {
  const page = await search(t, "?q=1080p");
  const seen = new Set();
  const scroll = async () => {
    for (const end = Date.now() + 60_000; Date.now() < end && (await page.locator("#results li").count()) < 50; ) {
      await page.mouse.wheel(0, 5000);
      await page.waitForTimeout(100);
    }
    for (const row of await page.locator("#results li").all()) seen.add(await row.getAttribute("data-infohash"));
  };
  await scroll();
  assert.equal(seen.size, 50);
  await page.getByRole("link", { name: "Next page" }).press("Enter"); // a click may miss it while rows are added above
  await page.waitForFunction(() => document.getElementById("results").start === 51);
  assert.match(page.url(), /search\/\?q=1080p&page=2$/);
  await scroll();
  assert.equal(seen.size, 100);
});

test("a word that is being typed stays open when the page is turned, a choice is made, or somebody comes back", async (t) => {
  const page = await search(t, "");
  const all = await matches(page);
  await page.locator("input[name=q]").pressSequentially("108", { delay: 20 });
  await page.waitForURL(/q=108/); // where keys come slowly, 10 is asked before
  await page.waitForFunction((all) => Number(document.querySelector("[data-matches]").dataset.matches) < all, all);
  await state(page, "ready");
  const found = await matches(page);
  assert.ok(found > 50, `${found} torrents have a word that begins with 108`);
  await page.getByRole("link", { name: "Next page" }).press("Enter"); // a click may miss it while rows are added above
  await page.waitForFunction(() => document.getElementById("results").start === 51 && document.querySelector("#results mark"));
  await state(page, "ready");
  assert.equal(await matches(page), found);
  await page.reload();
  await page.waitForFunction(() => document.getElementById("results").start === 51 && document.querySelector("#results mark"));
  assert.equal(await matches(page), found);
  await page.selectOption("select[name=type]", "movie");
  await page.waitForURL(/type=movie/);
  await page.waitForFunction((found) => Number(document.querySelector("[data-matches]").dataset.matches) < found, found);
  assert.ok((await matches(page)) > 0, await page.innerText("#count"));
  await page.focus("input[name=q]");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("count").textContent.includes("No name has “108”"));
});

test("a page that is not full because reading ended can be filled by looking further", async (t) => {
  const page = await search(t, "?q=%22bluray+720p%22");
  const before = await matches(page);
  assert.match(await page.innerText("#count"), /At least .*Only the .* torrents asked for most were looked through/);
  await page.getByRole("button", { name: "Look further" }).press("Enter");
  await page.waitForFunction((n) => Number(document.querySelector("[data-matches]").dataset.matches) > n, before);
  await state(page, "ready");
  assert.match(await page.innerText("#count"), /^\d+ torrents\. Demand/);
  assert.equal(await page.getByRole("button", { name: "Look further" }).count(), 0);
});

test("choices beside the box narrow and order the results, and stand in the address", async (t) => {
  const page = await search(t, "?q=the");
  const all = await matches(page);
  await page.selectOption("select[name=type]", "movie");
  await page.waitForURL(/type=movie/);
  await page.waitForFunction((all) => Number(document.querySelector("[data-matches]").dataset.matches) < all, all);
  await state(page, "ready");
  const films = await matches(page);
  await page.selectOption("select[name=order]", "size");
  await page.waitForURL(/order=size/);
  await state(page, "ready");
  await page.reload();
  await state(page, "ready");
  assert.equal(await matches(page), films);
  assert.equal(await page.inputValue("select[name=type]"), "movie");
  const facts = await page.locator("#results .meta").allInnerTexts();
  assert.ok(facts.every((f) => f.startsWith("Movie")), facts[0]);
  const sizes = facts.map((f) => parseFloat(f.split(", ")[1]) * { M: 1e6, G: 1e9, T: 1e12, k: 1e3 }[/[kMGT]B/.exec(f)[0][0]]);
  assert.deepEqual(sizes, sizes.toSorted((a, b) => b - a));
});

test("axe finds nothing in results and in a torrent's page, and both fit", async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await search(t, "?q=the", { colorScheme });
    const infohash = await page.locator("#results li").first().getAttribute("data-infohash");
    for (const path of [`search/?q=the`, `t/?ih=${infohash}`]) {
      await page.goto(server.url + path);
      await state(page, "ready");
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 900 });
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${path} at ${width}`);
      }
      await page.evaluate(axeSource);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)} ${v.nodes[0].failureSummary}`), [], path);
    }
  }
});

test("a work of the rankings leads to its releases", async (t) => {
  const page = await open(t, browser, `${server.url}rankings/`);
  await page.locator("section[aria-labelledby=works] th.name > a").first().click();
  await state(page, "ready");
  assert.ok((await matches(page)) > 0);
  assert.deepEqual(page.complaints, []);
});

test("by keyboard alone", async (t) => {
  const page = await search(t, "");
  await page.focus("input[name=q]");
  await page.keyboard.type('"the last"');
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=%22the/);
  await page.waitForFunction(() => document.querySelector("#results mark"));
  await state(page, "ready");
  for (let i = 0; i < 20 && !(await page.evaluate(() => document.activeElement.closest("#results"))); i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/t\/\?ih=/);
  await state(page, "ready");
  assert.match((await page.locator("h1").textContent()).toLowerCase(), /the.last/);
});

test("hostile questions have an answer, or a word why not", async (t) => {
  const page = await search(t, "");
  for (const [q, said] of [["!!! …", /no word in that/], ["__proto__", /No name has “__proto__”|No name has “proto”/], ["x".repeat(10000), /No name has/], ["a ".repeat(5000), /first words/], ["<img src=x onerror=alert(1)>", /No name has|Nothing matches|torrent/], ["the the the", /torrents/], ["\u202e\u0000", /no word in that/]]) {
    await page.fill("input[name=q]", q);
    await page.keyboard.press("Enter");
    await page.waitForFunction((said) => new RegExp(said).test(document.getElementById("count").textContent), said.source);
    await state(page, "ready");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, q.slice(0, 20));
  }
  assert.deepEqual(page.complaints, []);
});

test("no network: it says so, and goes on when there is one again", async (t) => {
  const page = await search(t, "?q=the");
  await page.context().setOffline(true);
  await page.fill("input[name=q]", "mkv 2021");
  await page.keyboard.press("Enter");
  await state(page, "error");
  assert.match(await page.locator("#problem").innerText(), /network/);
  await page.context().setOffline(false); // which the page hears of
  await state(page, "ready");
  assert.equal(await page.locator("#problem").innerText(), "");
});

test("an index that is replaced while the page is open is read anew", async (t) => {
  const page = await search(t, "?q=the");
  let asked = 0;
  // From now on the site has the index under another name, and the old one is gone.
  await page.route(`**/search/${site.index}/**`, (route) => route.fulfill({ status: 404 }));
  await page.route("**/search/i-new/**", async (route) => {
    asked++;
    const response = await fetch(route.request().url().replace("i-new", site.index));
    return route.fulfill({ status: response.status, body: Buffer.from(await response.arrayBuffer()) });
  });
  await page.route("**/search/current.json", (route) => route.fulfill({ json: { ...site, index: "i-new" } }));
  await page.fill("input[name=q]", "mkv 1080p");
  await page.keyboard.press("Enter");
  await page.waitForURL(/mkv/);
  await page.waitForFunction(() => document.querySelectorAll("#results mark").length > 1);
  await state(page, "ready");
  assert.ok(asked > 2, `${asked} files of the new index were asked for`);
});

for (const [what, answer] of [
  ["cut", (b) => ({ status: 200, body: b.subarray(0, b.length >> 1) })],
  ["not there", () => ({ status: 404 })],
  ["of another kind", () => ({ status: 200, body: Buffer.from("<html>Sign in</html>") })],
]) {
  test(`a file of the index that is ${what}: a message, and a way on`, async (t) => {
    const page = await search(t, "");
    await page.route(`**/search/${site.index}/n/**`, async (route) => {
      const response = await fetch(route.request().url());
      return route.fulfill(answer(Buffer.from(await response.arrayBuffer())));
    });
    await page.fill("input[name=q]", "mkv 2021");
    await page.keyboard.press("Enter");
    await state(page, "error");
    assert.match(await page.locator("#problem").innerText(), /Try again/);
    await page.unrouteAll({ behavior: "wait" }); // answers may still be on their way
    await page.getByRole("button", { name: "Try again" }).click();
    await state(page, "ready");
  });
}

// The record of a torrent that nobody would make for honest ends.
const bad = "<img src=x onerror=alert(1)> \u202egpj.exe\u0007 " + "w".repeat(4096);
const hostile = {
  n: bad, s: 1e15, c: 1000001, d: "2026-11-22", t: "other", ti: bad, g: "\u202e<b>", l: ["<i>"], w: "x",
  f: { e: [["<script>alert(2)</script>", 5], ["\u2066folder\u0000", 7, 3, { e: [["a".repeat(3000), 1]] }], ["far", 9, 1000, [77, 0]]], n: [77, 1], r: 999000 },
};

test("a hostile torrent is text, and a million files are looked at in parts", async (t) => {
  const infohash = "ab".repeat(20);
  const page = await open(t, browser, `${server.url}methodology/`);
  page.on("dialog", () => assert.fail("a script of a name ran"));
  await page.route(`**/t/${site.records}/s/*`, (route) => route.fulfill({ json: { [infohash]: hostile } }));
  await page.route(`**/t/${site.records}/f/77.gz`, (route) => route.fulfill({ json: [{ e: [["inside", 1]] }, { e: Array.from({ length: 1000 }, (_, i) => [`file ${i}`, i]), n: [78, 0], r: 998000 }] }));
  await page.goto(`${server.url}t/?ih=${infohash.toUpperCase()}`);
  await state(page, "ready");
  const text = await page.locator("#torrent").innerText();
  assert.ok(text.includes("<img src=x onerror=alert(1)>") && text.includes("<script>alert(2)</script>"));
  assert.doesNotMatch(text, /[\u202e\u2066\u0000\u0007]/);
  assert.equal(await page.locator("#torrent img, #torrent script, #torrent b, #torrent i").count(), 0);
  await page.getByText("far").click();
  await page.getByText("inside").waitFor();
  await page.getByRole("button", { name: /Show more/ }).click();
  await page.getByText("file 999").waitFor();
  assert.ok(await page.getByRole("button", { name: /998.000 files/ }).isVisible());
  await page.setViewportSize({ width: 320, height: 800 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  assert.deepEqual(page.complaints, []);
});

test("folders a hundred deep can be read and stay on the page", async (t) => {
  const infohash = "cd".repeat(20);
  let inside = { e: [["the deepest file.txt", 1]] };
  for (let depth = 100; depth > 0; depth--) inside = { e: [[`folder ${depth}`, 1, 1, inside]] };
  const page = await open(t, browser, `${server.url}methodology/`);
  await page.route(`**/t/${site.records}/s/*`, (route) => route.fulfill({ json: { [infohash]: { n: "Deep", s: 1, c: 1, d: "2026-11-22", t: "other", f: inside } } }));
  await page.goto(`${server.url}t/?ih=${infohash}`);
  await state(page, "ready");
  for (let depth = 1; depth <= 100; depth++) {
    await page.locator("#files summary").nth(depth - 1).evaluate((summary) => summary.click());
    await page.getByText(depth < 100 ? `folder ${depth + 1}` : "the deepest file.txt", { exact: true }).waitFor();
  }
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    assert.ok((await page.getByText("the deepest file.txt").boundingBox()).width > 50, `at ${width} px the deepest file is not to be seen`);
  }
});

test("addresses that name no torrent say so", async (t) => {
  for (const [query, said] of [["", /names no torrent/], ["?ih=xyz", /names no torrent/], [`?ih=${"0".repeat(40)}`, /not in these data/]]) {
    const page = await open(t, browser, `${server.url}t/${query}`);
    await state(page, "ready");
    assert.match(await page.locator("#status").innerText(), said);
  }
});

test("a torrent's page takes two requests of its own and few bytes", async (t) => {
  const page = await search(t, "?q=the+1080p");
  let requests = 0;
  let bytes = 0;
  page.on("response", async (r) => {
    if (!r.url().includes("/t/i-")) return;
    requests++;
    bytes += Number(r.headers()["content-length"]);
  });
  await page.locator("#results a").first().click();
  await page.waitForURL(/ih=/);
  await state(page, "ready");
  assert.ok(requests <= 2 && bytes < 150e3, `${requests} requests, ${bytes} bytes`);
});

test("a plain web server is enough", async (t) => {
  const plain = await plainServer();
  t.after(() => plain.stop());
  const page = await open(t, browser, `${plain.url}search/?q=the&files=1`);
  await state(page, "ready");
  assert.ok((await matches(page)) > 10);
  await page.locator("#results a").first().click();
  await page.waitForURL(/ih=/);
  await state(page, "ready");
  assert.ok(await page.locator("#files li").count());
  assert.deepEqual(page.complaints, []);
});
