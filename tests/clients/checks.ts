/** Runs the checks of one client and says how many of them held. */
import assert from "node:assert/strict";

export type Checks = Record<string, () => Promise<void>>;

/** The address of the service and a key of it, which the program gets as its arguments. */
export const [service = "", key = ""] = process.argv.slice(2);

/** Run the checks in their order. Each is named by what it claims; one that throws has failed. */
export async function run(checks: Checks): Promise<void> {
    const claims = Object.entries(checks);
    let failed = 0;
    for (const [claim, check] of claims) {
        try {
            await check();
        } catch (error) {
            failed += 1;
            console.log(`FAILED: ${claim}: ${error instanceof Error ? error.stack : error}`);
        }
    }
    console.log(`${claims.length - failed} passed, ${failed} failed`);
}

/** Assert that `bytes` begins as every PNG does. */
export function assertPng(bytes: ArrayBuffer): void {
    assert.deepEqual([...new Uint8Array(bytes).subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
}

/** Ask `status` every 0.1 s until it is one that a job ends in, for at most a minute. */
export async function ended<Status extends string>(status: () => Promise<Status>): Promise<Status> {
    for (let tries = 0; tries < 600; tries += 1) {
        const found = await status();
        if (["done", "failed", "cancelled"].includes(found)) {
            return found;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the job did not end within a minute");
}
