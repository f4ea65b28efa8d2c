// Decodes animations of the service with Chromium's own decoder, and checks their frames, times and repetition.
//
//     node animations.mjs SERVICE
//
// SERVICE is the URL of the service. CHROMIUM names the browser.
import assert from "node:assert/strict";
import { launch, report } from "./browser.mjs";

const [service] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage();
// The decoder is for secure pages, which loopback is.
await page.goto(`${service}docs/`);

/** The frames of an animation: their times in microseconds, and a digest of their pixels. */
const decoded = (path) => page.evaluate(async (path) => {
  const response = await fetch(path);
  const type = response.headers.get("Content-Type");
  if (!(await ImageDecoder.isTypeSupported(type))) throw new Error(`the browser does not decode ${type}`);
  const decoder = new ImageDecoder({ type, data: await response.arrayBuffer() });
  await Promise.all([decoder.tracks.ready, decoder.completed]);
  const { frameCount, repetitionCount, animated } = decoder.tracks.selectedTrack;
  const frames = [];
  for (let frameIndex = 0; frameIndex < frameCount; frameIndex += 1) {
    const { image } = await decoder.decode({ frameIndex });
    const { displayWidth: width, displayHeight: height, timestamp, duration } = image;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const digest = await crypto.subtle.digest("SHA-256", context.getImageData(0, 0, width, height).data);
    frames.push({ width, height, timestamp, duration, pixels: [...new Uint8Array(digest)].join() });
    image.close();
  }
  // JSON has no infinity.
  return { type, animated, repeats: repetitionCount === Infinity, frames };
}, path);

const formats = { png: "image/png", webp: "image/webp", gif: "image/gif" };
const checks = Object.entries(formats).map(([format, type]) => [`a browser decodes 60 frames of ${format}, each for its time, without end`, async () => {
  // A GIF has its times in steps of 10 ms.
  for (const milliseconds of format === "gif" ? [40, 100] : [40, 33]) {
    const path = `v1/interpolate?seeds=85,265,297&frames=60&loop=true&layout=animation&format=${format}&frame_time=${milliseconds}`;
    const found = await decoded(new URL(path, service).href);
    assert.equal(found.type, type);
    assert.ok(found.animated && found.repeats, "it does not repeat without end");
    assert.equal(found.frames.length, 60);
    found.frames.forEach(({ width, height, timestamp, duration }, index) => {
      assert.deepEqual([width, height], [256, 256]);
      assert.equal(duration, milliseconds * 1000, `frame ${index}`);
      assert.equal(timestamp, index * milliseconds * 1000, `frame ${index}`);
    });
    const different = new Set(found.frames.map(({ pixels }) => pixels));
    assert.equal(different.size, 60, "two frames show the same image");
  }
}]);
checks.push(["the frames of a PNG are the pixels of the single images", async () => {
  const animation = await decoded(new URL("v1/interpolate?seeds=85,265&frames=2&layout=animation&format=png", service).href);
  for (const [index, seed] of [85, 265].entries()) {
    const single = await decoded(new URL(`v1/sample?seed=${seed}&format=png`, service).href);
    assert.equal(animation.frames[index].pixels, single.frames[0].pixels, `seed ${seed}`);
  }
}]);
process.exitCode = await report(Object.fromEntries(checks));
await browser.close();
