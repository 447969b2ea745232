import type { CmdletResult } from './cmdlet.ts';
import type { Bound } from './parameters.ts';
import type { Row } from './rows.ts';

const DEFAULT_RESULT_SIZE = 1000;
const TRUNCATED =
  'There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter.';

/** Truncation shows only as a warning (exchange.md §1.5). */
export function limited(rows: readonly Row[], parameters: Bound): CmdletResult {
  const size = parameters.number('ResultSize') ?? DEFAULT_RESULT_SIZE;
  return rows.length > size ? { rows: rows.slice(0, size), warnings: [TRUNCATED] } : { rows: [...rows] };
}
