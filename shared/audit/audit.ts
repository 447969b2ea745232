import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, isFault, toFault } from '../errors.ts';
import type { Tables } from '../store/tables.ts';
import { redact } from '../upstream/redact.ts';
import { createAuditTable } from './auditTable.ts';
import { auditUnavailable } from './faults.ts';
import { foldTarget, newRowKey, type RowKey } from './rows.ts';

/** What is about to be written: one upstream write. */
export interface Intent {
  /** The cmdlet or the method and path. */
  readonly operation: string;
  readonly targetType: 'group' | 'user' | 'tenant';
  /** Entra object id where it is known; for a creation the alias. */
  readonly targetId: string;
  readonly targetName: string;
  /** What was found; null when there was nothing. */
  readonly before: unknown;
  readonly planned: unknown;
}

/** What a write came to. */
export interface Written<Result> {
  readonly result: Result;
  /** `succeeded` when absent. */
  readonly state?: Exclude<AuditState, 'intent'>;
  readonly after: unknown;
  readonly upstreamRequestId: string | null;
}

export type AuditState = 'intent' | 'succeeded' | 'partial' | 'failed' | 'unknown';

export interface Audit {
  /**
   * Stores the intent, runs the write with its proof, stores the outcome. No intent, no write; but a write that has
   * begun is brought to its end whether the outcome can be stored or not (design §6.8): that is then a warning in the
   * reply and an error in the log.
   * @throws Fault `audit_unavailable` before the write; otherwise what `write` throws
   */
  record<Result>(intent: Intent, call: Call, write: () => Promise<Written<Result>>): Promise<Result>;
  /** Whether an intent could be stored now. @throws Fault `audit_unavailable` */
  probe(call: Call): Promise<void>;
}

/** A table property holds 32 Ki characters; a row 1 MiB. */
const maxPropertyLength = 30_000;

export function createAudit(tables: Tables, clock: Clock): Audit {
  const store = createAuditTable(tables, clock);

  async function storeIntent(intent: Intent, call: Call): Promise<RowKey> {
    const nowMs = clock.now();
    const key = newRowKey(nowMs);
    try {
      await store.use(call, async (table, abortSignal) => {
        const row = {
          ...key,
          at: new Date(nowMs).toISOString(),
          requestId: call.requestId,
          operationId: call.operationId ?? '',
          action: call.action,
          operation: intent.operation,
          targetType: intent.targetType,
          targetId: intent.targetId,
          targetName: intent.targetName,
          targetIdFolded: foldTarget(intent.targetId),
          targetNameFolded: foldTarget(intent.targetName),
          state: 'intent' satisfies AuditState,
          before: asJson(intent.before),
          planned: asJson(intent.planned),
        };
        await table.createEntity(row, { abortSignal });
      });
    } catch (error) {
      store.forget();
      throw call.deadline.signal.aborted ? outOfTime(error) : unwritable(error);
    }
    return key;
  }

  async function storeOutcome(
    key: RowKey,
    outcome: { state: AuditState; after: unknown; upstreamRequestId: string | null; code: string; message: string },
    intent: Intent,
    call: Call,
  ): Promise<void> {
    const finishedAt = new Date(clock.now()).toISOString();
    const { state, code, message, upstreamRequestId } = outcome;
    try {
      await store.use(call.proving(), async (table, abortSignal) => {
        const row = { ...key, finishedAt, state, code, message, after: asJson(outcome.after) };
        const withId = { ...row, upstreamRequestId: upstreamRequestId ?? '' };
        await table.updateEntity(withId, 'Merge', { abortSignal });
      });
    } catch (error) {
      call.warn('The outcome of a write could not be stored in the audit; its intent is there, and the log has it.');
      call.log.error(
        {
          event: 'audit_outcome_lost',
          requestId: call.requestId,
          operation: intent.operation,
          targetId: intent.targetId,
          state,
          auditRow: `${key.partitionKey}/${key.rowKey}`,
        },
        error,
      );
    }
  }

  return {
    record: async (intent, call, write) => {
      const key = await storeIntent(intent, call);
      try {
        const { result, state = 'succeeded', after, upstreamRequestId } = await write();
        await storeOutcome(key, { state, after, upstreamRequestId, code: '', message: '' }, intent, call);
        return result;
      } catch (error) {
        const fault = toFault(error);
        const state = isFault(fault, 'outcome_unknown', 'internal_error') ? 'unknown' : 'failed';
        const { code, upstreamRequestId } = fault;
        const message = redact(fault.message);
        await storeOutcome(key, { state, after: null, upstreamRequestId, code, message }, intent, call);
        throw error;
      }
    },

    probe: async (call) => {
      try {
        // Opened anew: what was there an hour ago may be gone, and so may the role.
        store.forget();
        await store.use(call, () => Promise.resolve());
      } catch (error) {
        throw unwritable(error);
      }
    },
  };
}

function asJson(value: unknown): string {
  const json = JSON.stringify(value ?? null);
  return json.length <= maxPropertyLength ? json : JSON.stringify({ truncated: json.slice(0, maxPropertyLength / 2) });
}

function outOfTime(cause: unknown): Fault {
  return new Fault('deadline_exceeded', {
    detail: 'The time for this request was over before the next write, which was therefore not begun.',
    fix: 'Repeat the request; what was done already is recognised.',
    cause,
  });
}

function unwritable(cause: unknown): Fault {
  return auditUnavailable('written', 'nothing was changed', cause);
}
