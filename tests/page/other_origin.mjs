// Calls the API from a page of another origin, in a headless browser.
//
//     node other_origin.mjs SERVICE
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { launch, report } from "./browser.mjs";

const service = process.argv[2];

/** A page of another origin: a server of its own, on another port. */
const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<!doctype html><title>Another origin</title>"));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await launch();
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);

const checks = {
  "an image is fetched, with its headers": async () => {
    const { status, type, seed, length } = await page.evaluate(async (url) => {
      const response = await fetch(url);
      const image = await createImageBitmap(await response.blob());
      const header = (name) => response.headers.get(name);
      return { status: response.status, type: header("Content-Type"), seed: header("Faceplane-Seed"), length: image.width };
    }, `${service}v1/sample?seed=7`);
    assert.deepEqual({ status, type, seed, length }, { status: 200, type: "image/png", seed: "7", length: 256 });
  },
  "an image element shows a face": async () => {
    const width = await page.evaluate(async (url) => {
      const image = Object.assign(new Image(), { src: url });
      await image.decode();
      return image.naturalWidth;
    }, `${service}v1/sample?seed=7`);
    assert.equal(width, 256);
  },
  "an edit is sent as JSON, which the browser asks for first": async () => {
    const edited = await page.evaluate(async (url) => {
      const body = JSON.stringify({ seed: 7, edits: [{ attribute: "smile", by: 2 }], format: "json" });
      const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      return response.json();
    }, `${service}v1/edit`);
    assert.ok(Math.abs(edited.faces[0].distances.smile - edited.before.distances.smile - 2) < 1e-3, JSON.stringify(edited).slice(0, 300));
  },
  "a problem can be read": async () => {
    const { status, problem } = await page.evaluate(async (url) => {
      const response = await fetch(url);
      return { status: response.status, problem: await response.json() };
    }, `${service}v1/sample?seed=minus`);
    assert.deepEqual([status, problem.status], [422, 422]);
  },
  "boundaries cannot be trained, for this origin is not listed": async () => {
    const status = await page.evaluate(async (url) => {
      const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
      return fetch(url, request).then((response) => response.status, () => "blocked");
    }, `${service}v1/models/phantom/boundaries`);
    assert.ok(status === 403 || status === "blocked", String(status));
  },
};

process.exitCode = await report(checks);
await browser.close();
server.close();
