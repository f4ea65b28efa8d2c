// A headless browser, and the report of checks in it. CHROMIUM names the browser.
import { chromium } from "playwright-core";

/** Starts a browser that asks for nothing of its own. */
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Runs all checks, prints what they found, and returns the exit code. */
export async function report(checks, onFailure = async () => {}) {
  let failed = 0;
  for (const [claim, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok: ${claim}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED: ${claim}: ${error.stack}`);
      await onFailure(failed);
    }
  }
  console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
