import { type Static, type TObject, Type } from '@sinclair/typebox';
import type { Call } from '../call.ts';
import type { Room } from '../config.ts';
import type { Services } from '../services.ts';

/** What the wrapper adds to every reply, and to every reply of a write. */
export type Envelope = 'requestId' | 'dryRun' | 'warnings';

/** Rooms hand out read-only data; a schema's static type does not say so. */
type DeepReadonly<Value> = Value extends object ? { readonly [Name in keyof Value]: DeepReadonly<Value[Name]> } : Value;
type ReplyOf<Reply extends TObject> = DeepReadonly<Omit<Static<Reply>, Envelope>>;

/** 202: the work goes on as an operation, which the reply names as `operationId`. */
export type SuccessStatus = 200 | 201 | 202;

export interface Input<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The caller asked for a dry run, or WRITE_MODE makes every write one. */
  readonly isDryRun: boolean;
  readonly call: Call;
}

/**
 * One HTTP-triggered function as data: the single source of its validation, its types and its documentation.
 * `run` holds no logic: it calls into a room of shared/ and shapes the reply.
 */
export interface Contract<Params extends TObject, Query extends TObject, Body extends TObject, Reply extends TObject> {
  readonly name: string;
  readonly room: Room;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api`, with `{params}`. */
  readonly route: string;
  readonly summary: string;
  /** `function`: with a key. `anonymous` only for the routes of the design's list, which a test pins. */
  readonly authLevel: 'function' | 'anonymous';
  /** Whether it may change anything: then WRITE_MODE applies and the reply says what changed. */
  readonly writes: boolean;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly bodyLimitBytes?: number;
  /** The status codes of success with what each means; all have the same reply. */
  readonly successes: Readonly<Partial<Record<SuccessStatus, string>>>;
  /** Every property is always there: null rather than absent (design §5). */
  readonly reply: Reply;
  /** Chooses among `successes`; 200 when absent. */
  readonly statusOf?: (reply: ReplyOf<Reply>) => SuccessStatus;
  readonly run: (
    input: Input<Static<Params>, Static<Query>, Static<Body>>,
    services: Services,
  ) => Promise<ReplyOf<Reply>>;
}

/** A contract whose own types no longer matter: what the wrapper and the documentation work with. */
export interface Action {
  readonly name: string;
  readonly room: Room;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly route: string;
  readonly summary: string;
  readonly authLevel: 'function' | 'anonymous';
  readonly writes: boolean;
  readonly params: TObject;
  readonly query: TObject;
  readonly body: TObject | null;
  readonly bodyLimitBytes: number;
  readonly successes: Readonly<Partial<Record<SuccessStatus, string>>>;
  readonly reply: TObject;
  readonly perform: (
    input: Input<unknown, unknown, unknown>,
    services: Services,
  ) => Promise<{ readonly status: SuccessStatus; readonly reply: Readonly<Record<string, unknown>> }>;
}

const nothing = Type.Object({}, { additionalProperties: false });

const defaultBodyLimitBytes = 1_048_576;

export function action<
  Params extends TObject = typeof nothing,
  Query extends TObject = typeof nothing,
  Body extends TObject = typeof nothing,
  Reply extends TObject = TObject,
>(contract: Contract<Params, Query, Body, Reply>): Action {
  return {
    ...contract,
    params: contract.params ?? nothing,
    query: contract.query ?? nothing,
    body: contract.body ?? null,
    bodyLimitBytes: contract.bodyLimitBytes ?? defaultBodyLimitBytes,
    perform: async (input, services) => {
      // Validated against the very schemas these types are made from.
      const typed = input as Input<Static<Params>, Static<Query>, Static<Body>>;
      const reply = await contract.run(typed, services);
      return { status: contract.statusOf?.(reply) ?? 200, reply };
    },
  };
}
