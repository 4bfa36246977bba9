// Lighthouse on every kind of page, as a phone on a slow line, offline. What depends
// on how fast the machine is, and on what else it does, is held to with BOON_TIMES=1
// only (make bench-site); of three tries the best counts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import lighthouse from "lighthouse";
import { chromiumWithPort, pages, serve } from "./browser.mjs";

const LCP = 1800; // ms
let chromium, server;

before(async () => {
  [chromium, server] = await Promise.all([chromiumWithPort(), serve()]);
});
after(async () => {
  await chromium?.stop();
  await server?.stop();
});

for (const path of pages()) {
  test(`/${path}`, async (t) => {
    const all = [];
    for (let tries = 0; tries < 5 && all.length < (process.env.BOON_TIMES ? 3 : 1); tries++) {
      const one = await audit(server.url + path);
      if (!one) continue; // on a busy machine a trace may come out empty
      all.push(one);
      if (one.score.performance >= 95 && one.lcp <= LCP) break;
    }
    assert.ok(all.length, "Lighthouse saw nothing");
    const best = all.toSorted((a, b) => b.score.performance - a.score.performance)[0];
    t.diagnostic(`${JSON.stringify(best.score)} LCP ${best.lcp} ms, shift ${best.shift.toFixed(3)}, JS ${best.scripts} bytes`);
    assert.ok(best.score.accessibility === 100 && best.score["best-practices"] === 100, `${JSON.stringify(best.score)}: ${best.failed}`);
    assert.ok(best.shift < 0.05, `what is read moves: ${best.shift}`);
    assert.ok(best.scripts <= 15 << 10, `${best.scripts} bytes of JavaScript`);
    if (!process.env.BOON_TIMES) return;
    assert.ok(best.score.performance >= 95, `${JSON.stringify(best.score)}: ${best.failed}`);
    assert.ok(best.lcp <= LCP, `LCP after ${best.lcp} ms`);
  });
}

async function audit(url) {
  const { lhr } = await lighthouse(url, { port: chromium.port, logLevel: "silent", onlyCategories: ["performance", "accessibility", "best-practices"] });
  const requests = lhr.audits["network-requests"].details?.items;
  const shift = lhr.audits["cumulative-layout-shift"].numericValue;
  if (!requests || shift === undefined) return undefined;
  const failed = Object.values(lhr.categories).flatMap((c) => c.auditRefs.filter((r) => r.weight > 0 && lhr.audits[r.id].score !== null && lhr.audits[r.id].score < 0.9).map((r) => `${r.id} ${lhr.audits[r.id].displayValue ?? ""}`));
  return {
    score: Object.fromEntries(Object.entries(lhr.categories).map(([k, c]) => [k, Math.round(100 * c.score)])),
    lcp: Math.round(lhr.audits["largest-contentful-paint"].numericValue),
    shift,
    scripts: requests.filter((r) => r.resourceType === "Script").reduce((n, r) => n + r.transferSize, 0),
    failed: failed.join(", "),
  };
}
