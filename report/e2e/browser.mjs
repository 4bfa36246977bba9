// What the tests share: Chromium, a site served by boon, and the pages it has.
//
// BOON names the program, BOON_SITE the folder of a site, BOON_LAKE a lake whose
// live files the tests write: make test-site makes all three.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const SITE = process.env.BOON_SITE;
export const LAKE = process.env.BOON_LAKE;
export const OUT = process.env.BOON_SCREENSHOTS ?? "";

export const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// For what a page does at once, on a machine that is busy with something else.
const PATIENCE = 90_000; // ms

export const WIDTHS = [320, 768, 1280];

// folders of the site's pages: one of each kind.
export function pages() {
  const first = (folder) => `${folder}${readdirSync(join(SITE, folder)).filter((n) => /^[A-Z]{2}$|^\d{4}-/.test(n)).sort()[0]}/`;
  return ["", "rankings/", first("rankings/"), "map/", "search/", "t/", "countries/", first("country/"), "data/", "methodology/", "dictionary/"];
}

// Pages that do nothing without JavaScript.
export const SCRIPTED = ["map/", "search/", "t/"];

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

// serve starts boon serve; stop() of what it returns ends it.
export const serve = () => serveSite(SITE, LAKE);

export const serveSite = (site, lake) => start(process.env.BOON, ["serve", "--site", site, "--lake", lake, "--addr", "127.0.0.1:0"], /http:\S+/);

// plainServer is any web server that knows nothing of Boon.
export async function plainServer() {
  return start("python3", ["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", SITE, "0"], /\(http:[^)]*/, "stdout");
}

async function start(program, args, address, stream = "stderr") {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "exit");
  for await (const line of createInterface(child[stream])) {
    const found = address.exec(line);
    if (!found) continue;
    child[stream].resume();
    child[stream === "stderr" ? "stdout" : "stderr"].resume();
    return {
      url: found[0].replace("(", ""),
      async stop() {
        child.kill("SIGINT");
        await closed;
      },
    };
  }
  throw new Error(`${program} ${args.join(" ")} said nothing`);
}

// chromiumWithPort starts a Chromium of its own that Lighthouse can steer.
export async function chromiumWithPort() {
  const profile = mkdtempSync(join(tmpdir(), "boon-chromium-"));
  const child = spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  const closed = once(child, "exit");
  for await (const line of createInterface(child.stderr)) {
    const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(line);
    if (!found) continue;
    child.stderr.resume();
    return {
      port: Number(found[1]),
      async stop() {
        child.kill();
        await closed;
        rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
      },
    };
  }
  throw new Error("Chromium said nothing");
}

// open opens a page of the site, and fails the test on what the page complains of.
export async function open(t, browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.complaints = [];
  page.on("console", (m) => {
    if (["error", "warning"].includes(m.type())) page.complaints.push(`${m.text()} (${m.location().url})`);
  });
  page.on("pageerror", (e) => page.complaints.push(e.message));
  t.after(async () => {
    await page.unrouteAll({ behavior: "ignoreErrors" }); // of answers that nobody waits for any more
    await context.close();
  });
  await page.goto(url, { waitUntil: "load" });
  return page;
}
