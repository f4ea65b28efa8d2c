// What a newcomer does with the page, in a headless browser.
//
//     node page.mjs SERVICE [SCREENSHOTS]
//
// SERVICE is the URL of the page. The folder SCREENSHOTS gets pictures of the page. CHROMIUM names the browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, report } from "./browser.mjs";

const [service, screenshots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1200, height: 1000 }, acceptDownloads: true, permissions: ["clipboard-read", "clipboard-write"] });
// The policy of the page forbids scripts from elsewhere, so that axe is added to the page before its own scripts.
await context.addInitScript(axe);
const page = await context.newPage();

const complaints = [];
const requests = [];
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(error.message));
page.on("request", (request) => requests.push(request));

const id = (name) => page.locator(`#${name}`);
const distance = async (attribute) => Number(await id(`slider-${attribute}`).inputValue());
const hash = () => new URLSearchParams(new URL(page.url()).hash.slice(1));
/** Waits until the image, its numbers and the trajectory are those of the last change. */
const settled = (of = page) => of.locator("main[aria-busy=false]").waitFor();
const pixels = () => page.evaluate(async () => {
  const image = document.getElementById("after");
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  canvas.getContext("2d").drawImage(image, 0, 0, 64, 64);
  const digest = await crypto.subtle.digest("SHA-256", canvas.getContext("2d").getImageData(0, 0, 64, 64).data);
  return new Uint8Array(digest).join();
});

async function drag(attribute, share) {
  await id(`slider-${attribute}`).scrollIntoViewIfNeeded();
  const box = await id(`slider-${attribute}`).boundingBox();
  const at = (part) => [box.x + 9 + part * (box.width - 18), box.y + box.height / 2];
  const start = (await distance(attribute) - Number(await id(`slider-${attribute}`).getAttribute("min")))
    / (Number(await id(`slider-${attribute}`).getAttribute("max")) - Number(await id(`slider-${attribute}`).getAttribute("min")));
  await page.mouse.move(...at(start));
  await page.mouse.down();
  for (let step = 1; step <= 12; step += 1) {
    await page.mouse.move(...at(start + ((share - start) * step) / 12));
  }
  await page.mouse.up();
  await settled();
}

async function shot(name) {
  if (screenshots !== undefined) {
    await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
  }
}

async function assertAccessible(where) {
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(" ")}`), [], where);
}

const checks = {
  "the page shows a face and a slider for each attribute": async () => {
    await page.goto(service);
    await settled();
    assert.equal(await id("after").evaluate((image) => image.naturalWidth), 256);
    for (const attribute of ["age", "eyeglasses", "gender", "pose", "smile"]) {
      assert.ok(Number.isFinite(await distance(attribute)), attribute);
    }
    await assertAccessible("the page");
    await shot("light");
  },
  "a roll of the dice shows another face": async () => {
    const before = await pixels();
    await id("dice").click();
    await settled();
    assert.notEqual(await pixels(), before);
    await id("seed").fill("7");
    await id("seed").press("Enter");
    await settled();
    assert.equal(await pixels(), before);
    assert.equal(hash().get("seed"), "7");
  },
  "a dragged slider moves its attribute": async () => {
    const before = await pixels();
    await drag("smile", 0.9);
    assert.notEqual(await pixels(), before);
    assert.ok((await distance("smile")) > 1);
    assert.match(hash().get("edit"), /^smile:to:/);
  },
  "a locked attribute stays while another one moves": async () => {
    await page.getByRole("button", { name: "Lock gender" }).click();
    await settled();
    const [gender, age] = [await distance("gender"), await distance("age")];
    await drag("age", 0.8);
    assert.ok((await distance("age")) > age + 1);
    assert.ok(Math.abs((await distance("gender")) - gender) < 1e-3);
    await assertAccessible("an edited face");
    await shot("edited");
  },
  "a lock that is opened and a move that ends leave the face as it was": async () => {
    const before = [await pixels(), await distance("pose")];
    await page.getByRole("button", { name: "Lock pose" }).click();
    await settled();
    await drag("age", 0.6);
    await page.getByRole("button", { name: "Lock pose" }).click();
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await settled();
    assert.deepEqual([await pixels(), await distance("pose")], before);
    assert.deepEqual(hash().getAll("lock").filter((lock) => lock.startsWith("pose")), []);
    await page.getByRole("button", { name: "End the move of smile" }).click();
    await settled();
    assert.ok(!hash().getAll("edit").some((edit) => edit.startsWith("smile")));
    await page.keyboard.press("Control+z");
    await settled();
  },
  "undo and redo lead through the edits": async () => {
    const after = await pixels();
    await page.keyboard.press("Control+z");
    await settled();
    assert.notEqual(await pixels(), after);
    await page.keyboard.press("Control+y");
    await settled();
    assert.equal(await pixels(), after);
  },
  "a link opens the same face": async () => {
    const other = await context.newPage();
    await other.goto(page.url());
    await settled(other);
    assert.equal(await other.locator("#slider-smile").inputValue(), await id("slider-smile").inputValue());
    assert.equal(await other.getByRole("button", { name: "Lock gender" }).getAttribute("aria-pressed"), "true");
    await other.close();
  },
  "a downloaded PNG leads back to its state": async () => {
    const link = hash().toString();
    const [download] = await Promise.all([page.waitForEvent("download"), id("download").click()]);
    const file = join(tmpdir(), `faceplane-page-${process.pid}.png`);
    await download.saveAs(file);
    const before = await pixels();
    await id("dice").click();
    await settled();
    await id("file").setInputFiles(file);
    // The dice may have given a seed that only begins so.
    await page.waitForURL(/[#&]seed=7(&|$)/);
    await settled();
    assert.equal(await pixels(), before);
    assert.deepEqual([...hash().keys()].sort(), [...new URLSearchParams(link).keys()].sort());
  },
  "the code of a dropped picture is searched, and its face edited": async () => {
    const png = await page.evaluate(async () => {
      // Without metadata, the picture does not carry its code.
      const response = await fetch("v1/sample?seed=3&metadata=none");
      return [...new Uint8Array(await response.arrayBuffer())];
    });
    await page.evaluate((bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], "face.png", { type: "image/png" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }, png);
    await id("photo").waitFor({ state: "visible" });
    await assertAccessible("the dialog of a picture");
    await shot("picture");
    await id("photo-start").click();
    await page.getByText("The code was found").waitFor({ timeout: 60_000 });
    await settled();
    assert.ok(hash().has("latent"));
    const before = await pixels();
    await drag("smile", 0.9);
    assert.notEqual(await pixels(), before);
  },
  "a trajectory and the gallery lead to their faces": async () => {
    await page.goto(`${service}#model=phantom&space=w&seed=7`);
    await page.waitForURL(/space=w&seed=7$/);
    await settled();
    const before = await distance("age");
    await id("strip").getByRole("button").last().click();
    await settled();
    assert.ok((await distance("age")) > before + 1);
    assert.match(hash().get("edit"), /^age:to:/);
    await page.getByRole("button", { name: "The face of seed 4", exact: true }).click();
    await settled();
    assert.equal(hash().get("seed"), "4");
  },
  "layers of another face are mixed in": async () => {
    const before = await pixels();
    await page.getByRole("button", { name: "Mix", exact: true }).click();
    await page.waitForURL(/space=w%2B/);
    await settled();
    assert.notEqual(await pixels(), before);
    assert.equal(hash().get("space"), "w+");
    const mixed = await pixels();
    await drag("smile", 0.9);
    assert.notEqual(await pixels(), mixed);
  },
  "a trained boundary is used if it is better": async () => {
    const boundary = `${service}v1/models/phantom/boundaries/smile/w`;
    const noSmile = Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0));
    const put = await fetch(boundary, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ normal: noSmile }) });
    assert.ok(put.ok, await put.text());
    const trained = async (samples, text) => {
      await page.goto("about:blank");
      await page.goto(`${service}#model=phantom&space=w&seed=7`);
      await page.waitForURL(/space=w&seed=7$/);
      await settled();
      // The seed of the samples is random otherwise.
      await page.evaluate(() => void (Math.random = () => 0.25));
      await id("open-training").click();
      await page.getByRole("checkbox", { name: "smile" }).check();
      await page.getByRole("checkbox", { name: "pose" }).uncheck();
      await id("training-samples").fill(samples);
      await assertAccessible("the dialog of a training");
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByText(text).waitFor({ timeout: 300_000 });
    };
    await trained("900", "The model has new boundaries: smile.");
    const cosine = await id("training-figures").locator("tbody tr").first().locator("td").last().textContent();
    assert.ok(Number(cosine) > 0.5, `the expected cosine is ${cosine}`);
    await shot("training");
    await page.keyboard.press("Escape");
    await settled();
    const before = await pixels();
    await drag("smile", 0.9);
    assert.notEqual(await pixels(), before);
    // The boundary that came with the model is back, and 300 faces find no better one.
    const deleted = await fetch(boundary, { method: "DELETE" });
    assert.equal((await deleted.json()).restored, true);
    await trained("300", "smile keeps its boundary: the new one is not clearly better.");
    await shot("training-kept");
    await page.keyboard.press("Escape");
  },
  "the report opens": async () => {
    await id("open-report").click();
    const link = page.getByRole("link", { name: "open it" });
    await link.waitFor({ timeout: 300_000 });
    const [report] = await Promise.all([context.waitForEvent("page"), link.click()]);
    await report.waitForLoadState();
    assert.match(await report.title(), /Boundaries of phantom/);
    await report.close();
  },
  "a page that is left open asks for nothing": async () => {
    await settled();
    const count = requests.length;
    await page.waitForTimeout(2000);
    assert.equal(requests.length, count);
  },
  "the page works on a phone and in the dark": async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 390, height: 844 });
    await settled();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0);
    await assertAccessible("on a phone, in the dark");
    await shot("phone-dark");
  },
  "nothing was asked for elsewhere, nothing was complained of, and the page is small": async () => {
    const base = new URL(service);
    const elsewhere = requests.map((request) => request.url()).filter((url) => !url.startsWith("blob:") && !url.startsWith(base.href));
    assert.deepEqual(elsewhere, []);
    assert.deepEqual(complaints, []);
    const files = new Set(requests.map((request) => request.url()).filter((url) => url.includes("/assets/")));
    let bytes = (await (await fetch(service)).arrayBuffer()).byteLength;
    for (const file of files) {
      bytes += (await (await fetch(file)).arrayBuffer()).byteLength;
    }
    assert.ok(bytes < 200_000, `${bytes} bytes`);
  },
};

process.exitCode = await report(checks, (number) => shot(`failed-${number}`));
await browser.close();
