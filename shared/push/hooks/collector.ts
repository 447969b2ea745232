import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { Queues } from '../../store/queues.ts';
import type { PushMapping } from '../mapping.ts';
import { pushQueue, reconcileQueue } from '../queues.ts';
import type { PushSource } from '../source.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { PushMemberStore } from '../store/memberStore.ts';
import { groupDeletion, type Ping, type PushPending, wholeGroup } from '../store/pendingStore.ts';
import type { HookEvent } from './envelope.ts';
import { type Concern, concernOf } from './eventTypes.ts';
import { readHookMessage } from './message.ts';

export interface EventCollector {
  /**
   * Puts what the events of a message concern onto the pending changes of the mappings, and their mappings on their way.
   * Tolerates messages that come twice, late or for nothing.
   * @param deliveryCount more than 1: an earlier try did not come to its end
   * @throws Fault of the storage: the message comes again
   */
  collect(message: unknown, deliveryCount: number, call: Call): Promise<void>;
  /**
   * For a message that was given up: what its events were is not known to be collected, so the mappings that it names are
   * reconciled in full. Never throws: nobody would come after it.
   */
  giveUp(message: unknown, call: Call): Promise<void>;
}

export interface EventCollectorDependencies {
  readonly pushMappings: Pick<PushMappingStore, 'get'>;
  readonly pushMembers: Pick<PushMemberStore, 'mappingsOf'>;
  readonly pushPending: Pick<PushPending, 'put' | 'mark'>;
  readonly pushSource: Pick<PushSource, 'isConfigured' | 'person'>;
  readonly queues: Pick<Queues, 'send'>;
  readonly clock: Clock;
}

/** So that a burst of events becomes one look at the group. */
const burstMs = 1_000;

export function createEventCollector(dependencies: EventCollectorDependencies): EventCollector {
  const { pushMappings, pushMembers, pushPending, pushSource, queues, clock } = dependencies;

  type Lookups = ReturnType<typeof openLookups>;

  /** What is asked twice within one message is looked up once. */
  function openLookups(call: Call) {
    const mappingOf = remember((oktaGroupId) => pushMappings.get(oktaGroupId, call));
    const mappingsOf = remember((oktaUserId) => pushMembers.mappingsOf(oktaUserId, call));
    const idOf = remember((login) => findByLogin(login, call));
    return { mappingOf, mappingsOf, idOf };
  }

  /** Nobody's failure holds the events of others back: a login that cannot be looked up now is left to the reconcile. */
  async function findByLogin(login: string, call: Call): Promise<string | null> {
    if (!pushSource.isConfigured) return null;
    try {
      return (await pushSource.person(login, call))?.id ?? null;
    } catch (error) {
      if (!isFault(error)) throw error;
      call.log.warn({ event: 'event_login_unresolved', requestId: call.requestId, code: error.code });
      return null;
    }
  }

  /** By group and user, the newest of each. */
  async function pingsOf(events: readonly HookEvent[], { mappingOf, mappingsOf, idOf }: Lookups) {
    const pings = new Map<string, Ping>();
    const note = async (oktaGroupId: string, oktaUserId: string, event: HookEvent) => {
      const mapping = await mappingOf(oktaGroupId);
      if (mapping === null || !isConcerned(mapping, event)) return;
      const { type, atMs } = event;
      const key = `${oktaGroupId} ${oktaUserId}`;
      const known = pings.get(key);
      const isMembership = concernOf(type) === 'membership' || known?.isMembership === true;
      const eventAtMs = Math.max(atMs, known?.eventAtMs ?? 0);
      pings.set(key, { oktaGroupId, oktaUserId, isMembership, eventAtMs });
    };
    for (const event of events) {
      const concern = concernOf(event.type);
      const named = event.login === null ? null : await idOf(event.login);
      const userIds = named === null ? event.userIds : [...event.userIds, named];
      if (concern === 'person') {
        for (const id of userIds) for (const groupId of await mappingsOf(id)) await note(groupId, id, event);
      } else {
        for (const groupId of event.groupIds)
          for (const id of aboutWhom(concern, userIds)) await note(groupId, id, event);
      }
    }
    return [...pings.values()];
  }

  return {
    collect: async (message, deliveryCount, call) => {
      const { requestId } = call;
      const events = readHookMessage(message)?.events;
      if (events === undefined) {
        call.log.error({ event: 'events_unreadable', requestId });
        return;
      }
      const successful = events.filter(({ outcome }) => outcome === 'SUCCESS');
      const pings = await pingsOf(successful, openLookups(call));
      const groupIds = [...new Set(pings.map(({ oktaGroupId }) => oktaGroupId))];
      if (pings.length > 0) await pushPending.put(pings, call);
      for (const oktaGroupId of groupIds) {
        const isUnmarked = await pushPending.mark(oktaGroupId, call);
        // A try that marked the group may have ended before its message was sent, and nobody else sends one while the
        // mark is fresh: who comes again sends it in any case. One message too many finds nothing to do.
        if (isUnmarked || deliveryCount > 1) await queues.send(pushQueue, { oktaGroupId }, call, clock.now() + burstMs);
      }
      const eventCount = events.length;
      const pingCount = pings.length;
      const groupCount = groupIds.length;
      call.log.info({ event: 'events_collected', requestId, eventCount, pingCount, groupCount });
    },

    giveUp: async (message, call) => {
      const { requestId } = call;
      const events = readHookMessage(message)?.events ?? [];
      const lookups = openLookups(call);
      const asked = new Set<string>();
      const failures: unknown[] = [];
      const attempt = async (work: () => Promise<void>) => {
        await work().catch((error: unknown) => void failures.push(error));
      };
      // One by one: whatever about one of them broke the collector breaks no other here.
      for (const event of events) {
        await attempt(async () => {
          const pings = await pingsOf([event], lookups);
          // By them the reconcile sees that something has moved, where Okta's own time of the group does not tell.
          await attempt(() => pushPending.put(pings, call));
          for (const { oktaGroupId } of pings.filter((ping) => !asked.has(ping.oktaGroupId))) {
            await queues.send(reconcileQueue, { oktaGroupId }, call);
            asked.add(oktaGroupId);
          }
        });
      }
      const counts = { eventCount: events.length, reconciledCount: asked.size, failedCount: failures.length };
      call.log.error({ event: 'events_poisoned', requestId, ...counts }, failures[0]);
    },
  };
}

/** Also in ERROR: what happens meanwhile must not be lost. */
function isConcerned({ status, settings }: PushMapping, { type, appIds }: HookEvent): boolean {
  if (status === 'INACTIVE') return false;
  // Of all the apps that people come to and leave, one says who they are in Entra.
  const isOfOtherApp = !appIds.some((id) => id === settings.oktaAppId);
  return !(type.startsWith('application.') && appIds.length > 0 && isOfOtherApp);
}

/** A membership of nobody in particular: the whole group is looked at. */
function aboutWhom(concern: Concern | null, userIds: readonly string[]): readonly string[] {
  if (concern === 'deletion') return [groupDeletion];
  return concern === 'group' || userIds.length === 0 ? [wholeGroup] : userIds;
}

function remember<Value>(find: (key: string) => Promise<Value>): (key: string) => Promise<Value> {
  const found = new Map<string, Value>();
  return async (key) => {
    const value = found.has(key) ? (found.get(key) as Value) : await find(key);
    found.set(key, value);
    return value;
  };
}
