// How fast the page follows a slider, in a headless browser.
//
//     node latency.mjs SERVICE DRAGS
//
// A drag ends with the last movement of a slider. The latency is the time from there until the image of this position is on the screen.
// The engine's time is what `Server-Timing` says of this image's request, and, of a request that was under way at the last movement, what
// was left of it: the page has one request at a time. The exit status is 0 when every limit held.
import { launch } from "./browser.mjs";

/** Milliseconds of the page's and the connection's own time, at the 95th percentile. */
const MOST_OWN_TIME = 60;

const [service, drags] = [process.argv[2], Number(process.argv[3])];
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });

await page.addInitScript(() => {
  const log = { moved: 0, requests: [], shown: [] };
  globalThis.benchLog = log;
  addEventListener("input", () => { log.moved = performance.now(); }, { capture: true });
  const { fetch } = globalThis;
  globalThis.fetch = async (...call) => {
    const request = { isImage: new Headers(call[1]?.headers).get("Accept") === "image/png", start: performance.now() };
    log.requests.push(request);
    const response = await fetch(...call);
    request.end = performance.now();
    const durations = (response.headers.get("Server-Timing") ?? "").matchAll(/dur=([0-9.]+)/g);
    request.engine = [...durations].reduce((sum, [, milliseconds]) => sum + Number(milliseconds), 0);
    return response;
  };
  addEventListener("DOMContentLoaded", () => {
    const image = document.getElementById("after");
    new MutationObserver(async () => {
      await image.decode().catch(() => undefined);
      // The first callback is before the image is painted, the second after it.
      requestAnimationFrame(() => requestAnimationFrame(() => log.shown.push(performance.now())));
    }).observe(image, { attributes: true, attributeFilter: ["src"] });
  });
});

const settled = () => page.locator("main[aria-busy=false]").waitFor({ timeout: 60_000 });
/** Forgets what was logged, and returns it. */
const logged = () => page.evaluate(() => {
  const { moved, requests, shown } = globalThis.benchLog;
  Object.assign(globalThis.benchLog, { requests: [], shown: [] });
  return { moved, requests, shown };
});

/** Moves a slider over its positions for some milliseconds, with about a movement for each frame, and lets it go. */
async function drag(attribute, milliseconds) {
  const slider = page.locator(`#slider-${attribute}`);
  await slider.scrollIntoViewIfNeeded();
  const box = await slider.boundingBox();
  const at = (share) => [box.x + 9 + share * (box.width - 18), box.y + box.height / 2];
  await page.mouse.move(...at(0.5));
  await page.mouse.down();
  const start = performance.now();
  let step = 0;
  while (performance.now() - start < milliseconds) {
    step += 1;
    await page.mouse.move(...at(0.5 + 0.45 * Math.sin(step / 9)));
    await new Promise((resolve) => setTimeout(resolve, 16));
  }
  await page.mouse.up();
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const percentile = (numbers, share) => sorted(numbers)[Math.min(numbers.length - 1, Math.ceil(share * numbers.length) - 1)];
const spread = (numbers) => `p50 ${percentile(numbers, 0.5).toFixed(1)} ms, p95 ${percentile(numbers, 0.95).toFixed(1)} ms`;

await page.goto(service);
await settled();
await drag("smile", 500);
await settled();
await logged();

const [latencies, engine, own] = [[], [], []];
const attributes = ["smile", "age", "pose", "gender", "eyeglasses"];
for (let index = 0; index < drags; index += 1) {
  await drag(attributes[index % attributes.length], 300);
  await settled();
  // The last image may be painted after the page has settled.
  await page.waitForTimeout(100);
  const { moved, requests, shown } = await logged();
  const latency = shown.at(-1) - moved;
  const spent = requests
    .filter(({ isImage, end }) => isImage && end > moved)
    .reduce((sum, { start, end, engine: milliseconds }) => sum + Math.min(milliseconds, end - Math.max(start, moved)), 0);
  latencies.push(latency);
  engine.push(spent);
  own.push(latency - spent);
}
console.log(`from the last movement to its image, ${drags} drags: ${spread(latencies)}`);
console.log(`of that, the engine's time: ${spread(engine)}`);
console.log(`of that, all other time: ${spread(own)} (at most ${MOST_OWN_TIME} ms at p95)`);

await drag("smile", 10_000);
await settled();
await page.waitForTimeout(100);
const { moved, requests, shown } = await logged();
const left = requests.filter(({ isImage, start }) => isImage && start > moved).length;
console.log(`ten seconds of dragging: ${shown.length} images shown, ${left} image requests began after the last movement (at most 1)`);

await page.waitForTimeout(10_000);
const idle = (await logged()).requests.length;
console.log(`a page left open for ten seconds: ${idle} requests (none)`);
await browser.close();
process.exitCode = percentile(own, 0.95) <= MOST_OWN_TIME && left <= 1 && idle === 0 ? 0 : 1;
