/**
 * `npm run bench` runs all benches, `npm run bench -- <name>` those that are named. With `--json` stdout has one array
 * of rows and nothing else (npm itself prints a header: `npm run --silent bench -- --json`).
 */
import { parseArgs } from 'node:util';
import type { Bench, BenchRow } from './bench.ts';
import { coldStart } from './coldStart.ts';
import { events } from './events.ts';
import { membership } from './membership.ts';
import { overhead } from './overhead.ts';
import { formatTable } from './table.ts';
import { throttle } from './throttle.ts';

const benches: readonly Bench[] = [throttle, overhead, coldStart, membership, events];

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const known = new Map(benches.map((bench) => [bench.name, bench]));
const unknown = positionals.filter((name) => !known.has(name));
if (unknown.length > 0) {
  console.error(`No bench is called ${unknown.join(', ')}. There are: ${[...known.keys()].join(', ')}.`);
  process.exit(2);
}

const found: ({ bench: string } & BenchRow)[] = [];
for (const { name, heldEqual, run } of benches) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const rows = await run();
  if (!values.json) console.log(formatTable(name, heldEqual, rows));
  found.push(...rows.map((row) => ({ bench: name, ...row })));
}
if (values.json) console.log(JSON.stringify(found, null, 2));
