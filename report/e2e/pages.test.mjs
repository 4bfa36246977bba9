// Every kind of page: layout at three widths, light and dark; axe; HTML; without
// JavaScript; on a plain web server.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FileSystemConfigLoader, HtmlValidate } from "html-validate";
import { launch, open, OUT, pages, plainServer, SCRIPTED, serve, SITE, WIDTHS } from "./browser.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser, server;

before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
  if (OUT) mkdirSync(OUT, { recursive: true });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const ready = (page) => page.waitForFunction(() => document.documentElement.dataset.state !== "loading");

for (const path of pages()) {
  for (const colorScheme of ["light", "dark"]) {
    test(`/${path} in ${colorScheme}: fits, and axe finds nothing`, async (t) => {
      const page = await open(t, browser, server.url + path, { colorScheme });
      await ready(page);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        await page.waitForTimeout(50);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(over, 0, `at ${width} pixels something is ${over} too wide`);
        if (OUT) await page.screenshot({ path: join(OUT, `${path.replaceAll("/", "_") || "front_"}${width}-${colorScheme}.png`) });
        if (width === WIDTHS[1]) continue;
        if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)} ${v.nodes[0].failureSummary}`), [], `at ${width} pixels`);
      }
      assert.deepEqual(page.complaints, []);
    });
  }

  test(`/${path}: html-validate finds nothing`, async () => {
    const validator = new HtmlValidate(new FileSystemConfigLoader());
    const report = await validator.validateFile(join(SITE, path, "index.html"));
    const said = report.results.flatMap((r) => r.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`));
    assert.deepEqual(said.slice(0, 20), []);
  });

  test(`/${path} without JavaScript`, async (t) => {
    const page = await open(t, browser, server.url + path, { javaScriptEnabled: false });
    assert.ok(await page.locator("h1").isVisible());
    const text = await page.locator("main").innerText();
    if (SCRIPTED.includes(path)) assert.match(text, /JavaScript/);
    else assert.ok(text.length > 500, `only ${text.length} characters to read`);
  });
}

test("every page under a plain web server", async (t) => {
  const plain = await plainServer();
  t.after(() => plain.stop());
  for (const path of pages()) {
    const page = await open(t, browser, plain.url + path);
    await ready(page);
    assert.deepEqual(page.complaints, [], path);
  }
});

test("by keyboard alone: from the address to the content, every stop is seen", async (t) => {
  const page = await open(t, browser, server.url);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  for (let i = 0; i < 15; i++) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const box = document.activeElement.getBoundingClientRect();
      return box.width > 0 && box.height > 0 && getComputedStyle(document.activeElement).outlineStyle !== "none";
    });
    assert.ok(seen, `stop ${i + 1} does not show that it has the focus`);
  }
});
