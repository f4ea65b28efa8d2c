// The scores of several runs of Lighthouse.
//
//     node lighthouse.mjs FILE…
//
// The exit status is 0 if the accessibility is at least 95 in each.
import { readFileSync } from "node:fs";

const reports = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
const scores = (category) => reports.map(({ categories }) => Math.round(100 * categories[category].score)).sort((a, b) => a - b);
const accessibility = scores("accessibility");
const performance = scores("performance");
console.log(`Lighthouse ${reports[0].lighthouseVersion}: accessibility ${accessibility.join(", ")} (at least 95); `
  + `performance ${performance[Math.floor(performance.length / 2)]}, the median of ${performance.join(", ")}`);
for (const { audits, categories } of reports.slice(0, 1)) {
  for (const { id } of categories.accessibility.auditRefs.filter((one) => audits[one.id].score !== null && audits[one.id].score < 1)) {
    console.log(`  ${id}: ${audits[id].title}`);
  }
}
process.exitCode = accessibility[0] >= 95 ? 0 : 1;
