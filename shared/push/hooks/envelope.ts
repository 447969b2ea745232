import { Fault } from '../../errors.ts';
import { concernOf } from './eventTypes.ts';

/** What is kept of an event: it says where to look, never what to write (design §6.6). */
export interface HookEvent {
  readonly type: string;
  /** Of Okta's System Log; null where it has none. */
  readonly uuid: string | null;
  /** When it happened, in milliseconds since 1970. */
  readonly atMs: number;
  /** Okta's, like `SUCCESS`. */
  readonly outcome: string;
  readonly groupIds: readonly string[];
  readonly userIds: readonly string[];
  readonly appIds: readonly string[];
  readonly appUserIds: readonly string[];
  /** Of the user, where the event says no id of one. */
  readonly login: string | null;
}

export interface Envelope {
  /** null where it has none. */
  readonly eventId: string | null;
  /** Those of a type that concerns a mapping. */
  readonly events: readonly HookEvent[];
  /** Of those that were no event at all. */
  readonly unreadableCount: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** As the keys of our tables can have them; `*` and `!` mean something there. */
const idPattern = /^[\w-]{1,64}$/;
const longestText = 100;
/** Far above what an event names (okta.md §1.2), and low enough for one event to fit into a message. */
const mostTargets = 20;

/**
 * Reads what Okta posts to an event hook. Real bodies differ (okta.md §1.2): keys may be null or not there, `target` may
 * be null or in any order. One event that cannot be read keeps no other from being heard.
 * @throws Fault `invalid_request` for what is no envelope
 */
export function readEnvelope(body: unknown, nowMs: number): Envelope {
  const envelope = fieldsOf(body);
  const { events } = fieldsOf(envelope.data);
  if (!Array.isArray(events)) throw noEnvelope();
  const readable = events.filter((event) => textOf(fieldsOf(event).eventType) !== null);
  const sentAtMs = timeOf(envelope.eventTime) ?? nowMs;
  return {
    eventId: textOf(envelope.eventId) ?? textOf(envelope.eventID),
    events: readable.flatMap((event) => readEvent(fieldsOf(event), Math.min(sentAtMs, nowMs), nowMs) ?? []),
    unreadableCount: events.length - readable.length,
  };
}

/** null: of a type that concerns no mapping. */
function readEvent(event: Fields, sentAtMs: number, nowMs: number): HookEvent | null {
  const type = textOf(event.eventType) ?? '';
  if (concernOf(type) === null) return null;
  const targets = (Array.isArray(event.target) ? event.target : []).map(fieldsOf);
  // By type: they are not always in the same place (okta.md §1.2).
  const idsOf = (wanted: string) =>
    [...new Set(targets.filter((target) => target.type === wanted).flatMap(({ id }) => idIn(id) ?? []))].slice(
      0,
      mostTargets,
    );
  const named = namedInPath(textOf(fieldsOf(fieldsOf(event.debugContext).debugData).requestUri, 2_000));
  const [groupIds, userIds] = [idsOf('UserGroup'), idsOf('User')];
  return {
    type,
    uuid: textOf(event.uuid),
    // Of the future is nothing: a clock is wrong.
    atMs: Math.min(timeOf(event.published) ?? sentAtMs, nowMs),
    outcome: textOf(fieldsOf(event.outcome).result) ?? 'UNKNOWN',
    groupIds: groupIds.length > 0 ? groupIds : named.groupIds,
    userIds: userIds.length > 0 ? userIds : named.userIds,
    appIds: idsOf('AppInstance'),
    appUserIds: idsOf('AppUser'),
    login: userIds.length > 0 ? null : named.login,
  };
}

interface NamedInPath {
  readonly groupIds: readonly string[];
  readonly userIds: readonly string[];
  readonly login: string | null;
}

/** Where `target` is null, the request that set the event off is all that names anybody (okta.md §1.2). */
function namedInPath(path: string | null): NamedInPath {
  const group = segmentAfter(path, 'groups');
  const user = segmentAfter(path, 'users');
  const userId = user !== null && /^00u\w{17}$/.test(user) ? user : null;
  return {
    groupIds: group !== null && /^00g\w{17}$/.test(group) ? [group] : [],
    userIds: userId === null ? [] : [userId],
    // A user can be asked for by login as well.
    login: userId === null && user?.includes('@') === true ? user : null,
  };
}

function segmentAfter(path: string | null, name: 'groups' | 'users'): string | null {
  const [, segment] = new RegExp(`^/api/v1/(?:[^?#]*/)?${name}/([^/?#]+)`).exec(path ?? '') ?? [];
  if (segment === undefined) return null;
  try {
    return textOf(decodeURIComponent(segment));
  } catch {
    return null;
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function textOf(value: unknown, longest = longestText): string | null {
  return typeof value === 'string' && value !== '' && value.length <= longest ? value : null;
}

function idIn(value: unknown): string | null {
  return typeof value === 'string' && idPattern.test(value) ? value : null;
}

function timeOf(value: unknown): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

function noEnvelope(): Fault {
  return new Fault('invalid_request', {
    detail: 'The body is no delivery of an Okta event hook: it has no list data.events.',
    fix: 'Send what Okta sends: {"eventId", "data": {"events": [{"eventType", "target", …}]}}.',
    errors: [{ pointer: '/data/events', message: 'is no list', fix: 'Give the list of events.' }],
  });
}
