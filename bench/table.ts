import { type BenchRow, isMet, type Spread, type Target } from './bench.ts';

const headings = [
  'case',
  'ours',
  'peer',
  'ratio',
  'spread of ours',
  'spread of peer',
  'runs',
  'target',
  'compared with',
];

/** What one bench found, for a person. */
export function formatTable(name: string, heldEqual: readonly string[], rows: readonly BenchRow[]): string {
  const cells = [headings, ...rows.map(toCells)];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [`## ${name}`, '', ...heldEqual.map((each) => `- ${each}`), '', head, rule, ...body, ''].join('\n');
}

function toCells(row: BenchRow): string[] {
  const { unit, spread } = row;
  return [
    row.case,
    `${format(row.ours)} ${unit}`,
    `${format(row.peer)} ${unit}`,
    format(row.ratio, 3),
    formatSpread(spread.ours),
    formatSpread(spread.peer),
    String(row.runs),
    row.target === undefined ? '' : `${formatTarget(row.target)}: ${isMet(row) ? 'met' : 'MISSED'}`,
    row.peerName,
  ];
}

function formatTarget({ of, atMost, atLeast }: Target): string {
  const bounds = [
    atLeast === undefined ? null : `at least ${atLeast}`,
    atMost === undefined ? null : `at most ${atMost}`,
  ].filter((bound) => bound !== null);
  return `${of} ${bounds.join(', ')}`;
}

const formatSpread = ([low, high]: Spread) => `${format(low)} to ${format(high)}`;

function format(value: number, digits = Math.abs(value) < 10 ? 2 : 1): string {
  return value.toFixed(digits);
}
