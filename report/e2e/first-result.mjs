// How long the first result takes on the search page in Chromium, where every request takes
// at least 50 ms: node first-result.mjs DIR, where report/search/bench made an index in DIR.
// BOON_SITE names a site, whose page is taken.
//
// Opened is from the moment that the page's address is asked for, with nothing in the cache,
// to the frame that shows the first result; asked is from the Enter key on a page that is
// open. A request is not answered faster than the latency, whatever it waits for.

import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { launch, SITE } from "./browser.mjs";

const latency = 50; // ms
const every = 10; // of the queries one is asked
const dir = process.argv[2];
const bench = JSON.parse(readFileSync(join(dir, "bench.json")));
const site = JSON.parse(readFileSync(join(SITE, "search/current.json")));
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

// The site, with the index of the bench in the place of its own.
const server = createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://host").pathname));
  const own = `/search/${bench.folder}/`;
  const file = path.startsWith(own) ? join(dir, bench.folder, path.slice(own.length)) : join(SITE, path, path.endsWith("/") ? "index.html" : "");
  if (!existsSync(file)) return response.writeHead(404).end();
  response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream");
  if (path === "/search/") response.end(readFileSync(file, "utf8").replaceAll(site.index, bench.folder));
  else createReadStream(file).pipe(response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/search/`;
const browser = await launch();

// visit opens a page of its own, whose clock is since the address was asked for: shown is when a
// result that marks a word, or the word that there is none, was in a frame, pressed when a key was.
async function visit(query, use) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    new MutationObserver(() => {
      if (document.querySelector("#results mark, #count[data-matches=\"0\"]")) requestAnimationFrame(() => (window.shown ??= performance.now()));
    }).observe(document, { childList: true, subtree: true });
    addEventListener("keydown", () => (window.pressed = performance.now()), true);
  });
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
  await page.goto(address + query);
  const took = await use(page);
  await context.close();
  return took;
}

const opened = [];
const asked = [];
const waitFor = (page, what) => page.waitForFunction(what, null, { timeout: 20000 });
const queries = bench.queries.filter((_, i) => i % every === 0);
await visit("?q=the", (page) => waitFor(page, () => window.shown)); // so that Chromium is warm
for (const q of queries) {
  opened.push(await visit(`?${new URLSearchParams({ q })}`, async (page) => (await waitFor(page, () => window.shown)).jsonValue()));
  asked.push(await visit("", async (page) => {
    await waitFor(page, () => document.documentElement.dataset.state === "ready");
    await page.fill("input[name=q]", q);
    await page.keyboard.press("Enter");
    return (await waitFor(page, () => window.shown && window.shown - window.pressed)).jsonValue();
  }));
}
await browser.close();
server.close();

const at = (list, share) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))].toFixed(0);
const line = (what, list) => console.log(`  ${what} p50 ${at(list, 0.5)}, p95 ${at(list, 0.95)}, most ${at(list, 1)} ms`);
console.log(`${queries.length} queries on the page in Chromium, ${latency} ms a request, nothing in the cache:`);
line("opened: from asking for the page to its first result ", opened);
line("asked:  from the Enter key to the first result       ", asked);
