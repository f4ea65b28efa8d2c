// Runs the recipes for web pages, as documents print them, in a page of another origin than the service's.
//
//     node recipes.mjs SERVICE DOCUMENT…
//
// SERVICE is the URL of the service. CHROMIUM names the browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { launch, report } from "./browser.mjs";

const [service, ...documents] = process.argv.slice(2);
const address = new URL(service).host;
const blocks = documents.flatMap((document) => {
  const text = readFileSync(document, "utf8").replaceAll("localhost:8080", address);
  const found = [...text.matchAll(/^```(html|js)\n(.*?)^```$/gms)].map(([, language, code]) => ({ language, code }));
  assert.ok(found.length > 0, `${document} has no recipe for web pages`);
  return found;
});

const pages = createServer((request, response) => {
  const { language, code } = blocks[Number(request.url.slice(1))] ?? {};
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  const body = language === "js" ? `<script type="module">${code}</script>` : code;
  response.end(`<!doctype html><html lang="en"><title>Recipe</title><link rel="icon" href="data:,"><body>${body}</body></html>`);
});
await new Promise((listening) => pages.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${pages.address().port}`;

const browser = await launch();
const checks = blocks.map(({ code }, index) => [`recipe ${index + 1}, ${code.trim().split("\n")[0]}`, async () => {
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${origin}/${index}`);
  const image = page.locator("img").last();
  const hasFace = () => image.evaluate(async (shown) => (await shown.decode(), shown.naturalWidth));
  await image.waitFor();
  assert.ok((await hasFace()) >= 64, "the image shows no face");
  const slider = page.locator("input[type=range]");
  if ((await slider.count()) > 0) {
    // A drag: many positions, faster than images are made.
    const before = await image.getAttribute("src");
    await slider.evaluate(async (range) => {
      for (let step = 1; step <= 40; step += 1) {
        range.value = step * 0.05;
        range.dispatchEvent(new Event("input"));
        await new Promise((next) => setTimeout(next, 5));
      }
    });
    await page.waitForLoadState("networkidle");
    assert.notEqual(await image.getAttribute("src"), before, "the slider changed nothing");
    assert.ok((await hasFace()) >= 64, "the edited image shows no face");
  }
  assert.deepEqual(complaints, []);
  await page.close();
}]);
process.exitCode = await report(Object.fromEntries(checks));
await browser.close();
pages.close();
