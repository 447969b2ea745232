import type { CmdletResult } from './cmdlet.ts';
import type { Bound } from './parameters.ts';
import type { Row, Rows } from './rows.ts';

const DEFAULT_RESULT_SIZE = 1000;
const TRUNCATED =
  'There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter.';

/** Truncation shows only as a warning (exchange.md §1.5). */
export function limited<T>(found: readonly T[], row: (item: T) => Row, parameters: Bound): CmdletResult {
  const size = parameters.number('ResultSize') ?? DEFAULT_RESULT_SIZE;
  const length = Math.min(found.length, size);
  const rows: Rows = { length, slice: (start, end) => found.slice(start, Math.min(end, length)).map(row) };
  return found.length > length ? { rows, warnings: [TRUNCATED] } : { rows };
}
