// What somebody does with the page of a service that has keys, in a headless browser.
//
//     node keys.mjs SERVICE KEY
//
// SERVICE is the URL of the page, KEY a key of the scope use. CHROMIUM names the browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { launch, report } from "./browser.mjs";

const [service, key] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1200, height: 1000 }, permissions: ["clipboard-read", "clipboard-write"] });
await context.addInitScript(axe);
const page = await context.newPage();

const complaints = [];
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(error.message));

const id = (name) => page.locator(`#${name}`);
const settled = () => page.locator("main[aria-busy=false]").waitFor();
const dialog = id("key-dialog");

async function typeIn(text) {
  await id("key").fill(text);
  await page.getByRole("button", { name: "Continue" }).click();
}

const checks = {
  "the page asks for a key, and a wrong one is refused": async () => {
    await page.goto(service);
    await dialog.waitFor({ state: "visible" });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id: rule }) => rule), []);
    await typeIn(`${key}x`);
    await page.getByText("the service does not know the key").waitFor();
    assert.ok(await dialog.isVisible());
  },
  "with the key, the page shows faces, also those that are plain images": async () => {
    await typeIn(key);
    await dialog.waitFor({ state: "hidden" });
    await settled();
    assert.equal(await id("after").evaluate((image) => image.naturalWidth), 256);
    await page.waitForFunction(() => {
      const images = [...document.querySelectorAll("#gallery img")];
      return images.length === 12 && images.every((image) => image.complete && image.naturalWidth > 0);
    });
  },
  "no script can read the session, and the key is kept nowhere": async () => {
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ["faceplane-session", true, "Strict"]);
    assert.notEqual(cookie.value, key);
    const kept = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href]));
    assert.ok(!kept.includes(cookie.value) && !kept.includes(key), kept);
    assert.equal(await id("key").inputValue(), "");
  },
  "a picture is inverted with its progress": async () => {
    await page.evaluate(async () => {
      const bytes = await (await fetch("v1/sample?seed=3&metadata=none")).blob();
      const data = new DataTransfer();
      data.items.add(new File([bytes], "face.png", { type: "image/png" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await id("photo-start").click();
    await page.getByText("The code was found").waitFor({ timeout: 60_000 });
    await settled();
  },
  "a key that may not train says so": async () => {
    await id("open-training").click();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("the key has the scope use, expected train").waitFor();
    await page.keyboard.press("Escape");
  },
  "the copied command names the key as a variable": async () => {
    await id("copy-curl").click();
    await page.getByText("The command was copied").waitFor();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(command, / -H "Authorization: Bearer \$KEY" /);
    assert.ok(!command.includes(key));
  },
  "the session lasts over a reload, and opens the documentation": async () => {
    await page.reload();
    await settled();
    assert.ok(!(await dialog.isVisible()));
    const docs = await context.newPage();
    await docs.goto(`${service}docs/`);
    await docs.getByText("/v1/conditional-edit").first().waitFor();
    await docs.close();
  },
  "a forgotten key is asked for again": async () => {
    await id("end-session").click();
    await dialog.waitFor({ state: "visible" });
    assert.deepEqual(await context.cookies(), []);
    assert.ok(await id("end-session").isHidden());
  },
  "nothing was complained of but the refusals": async () => {
    assert.deepEqual(complaints.filter((text) => !/status of 40[13]/.test(text)), []);
  },
};

process.exitCode = await report(checks);
await browser.close();
