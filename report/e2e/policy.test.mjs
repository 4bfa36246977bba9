// The Content-Security-Policy, by trying to get round it.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { launch, open, pages, plainServer } from "./browser.mjs";

let browser, server, stranger;
const reached = [];

before(async () => {
  // The plain server sends no headers: what holds is in the pages themselves.
  [browser, server] = await Promise.all([launch(), plainServer()]);
  stranger = createServer((request, answer) => {
    reached.push(request.url);
    answer.setHeader("Access-Control-Allow-Origin", "*");
    answer.end("");
  });
  await new Promise((done) => stranger.listen(0, "127.0.0.1", done));
});
after(async () => {
  await browser?.close();
  await server?.stop();
  stranger?.close();
});

for (const path of pages()) {
  test(`/${path} runs and fetches nothing that is not the site's`, async (t) => {
    const page = await open(t, browser, server.url + path);
    const out = `http://127.0.0.1:${stranger.address().port}/${path}`;
    const broken = await page.evaluate(async (out) => {
      const add = (html) => document.body.insertAdjacentHTML("beforeend", html);
      const script = document.createElement("script");
      script.textContent = "window.inline = 1";
      document.body.append(script);
      add(`<img src="x" onerror="window.handler = 1"><img src="${out}image"><iframe src="${out}frame"></iframe><p id="styled" style="color: rgb(1, 2, 3)">x</p>`);
      add(`<form id="form" action="${out}form"><button>x</button></form><object data="${out}object"></object><link rel="stylesheet" href="${out}style">`);
      document.head.insertAdjacentHTML("beforeend", `<base href="${out}base/">`);
      const remote = document.createElement("script");
      remote.src = `${out}script`;
      document.body.append(remote);
      const done = [];
      await new Promise((r) => setTimeout(r)); // while the debugger's call lasts, eval is let through
      try {
        new Function("window.evaluated = 1")();
      } catch {
        // refused
      }
      await fetch(`${out}fetch`).then(() => done.push("fetch"), () => {});
      navigator.sendBeacon(`${out}beacon`, "x");
      document.getElementById("form").submit();
      await new Promise((r) => setTimeout(r, 300));
      for (const name of ["inline", "handler", "evaluated"]) if (window[name]) done.push(name);
      if (getComputedStyle(document.getElementById("styled")).color === "rgb(1, 2, 3)") done.push("style attribute");
      if (document.baseURI.startsWith(out)) done.push("base");
      return done;
    }, out);
    assert.deepEqual(broken, []);
    assert.deepEqual(reached, []);
  });
}
