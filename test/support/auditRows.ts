import { odata, TableClient } from '@azure/data-tables';
import type { JsonObject } from './world.ts';

/** One upstream write as the audit has it, with its JSON read. */
export interface AuditRow {
  requestId: string;
  action: string;
  operation: string;
  targetType: string;
  targetId: string;
  targetName: string;
  state: string;
  code: string;
  message: string;
  at: string;
  finishedAt: string;
  upstreamRequestId: string;
  before: unknown;
  planned: unknown;
  after: unknown;
  /** The whole row as it is stored. */
  text: string;
}

/** The rows of one request, oldest first; none when the table was never made. */
export async function auditRows(storage: string, requestId: string): Promise<AuditRow[]> {
  const table = TableClient.fromConnectionString(storage, 'audit', { allowInsecureConnection: true });
  const rows: AuditRow[] = [];
  const filter = odata`requestId eq ${requestId}`;
  try {
    for await (const entity of table.listEntities({ queryOptions: { filter } })) rows.push(read(entity));
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return [];
    throw error;
  }
  return rows.reverse();
}

function read(entity: JsonObject): AuditRow {
  const parse = (name: string) => {
    const value = entity[name];
    return typeof value === 'string' ? (JSON.parse(value) as unknown) : undefined;
  };
  const planned = parse('planned');
  return {
    ...(entity as unknown as AuditRow),
    before: parse('before'),
    planned,
    after: parse('after'),
    text: JSON.stringify(entity),
  };
}
