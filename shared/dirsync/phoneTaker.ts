import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, isFault } from '../errors.ts';
import { isGraphFault } from '../graph/errors.ts';
import { type GraphSyncedUsers, maxUserPage } from '../graph/syncedUsers.ts';
import { newPhoneDraft, type PhoneDraft, rememberedOf, startedAtMsOf, withPage } from './switchRecord.ts';
import type { SwitchRecords } from './switchRecords.ts';

export interface PhoneTaker {
  /**
   * Reads and stores all users that are mastered on-premises, with their phones. What time does not suffice for is gone on
   * with when the request comes again within ten minutes.
   * @throws Fault `deadline_exceeded`, `storage_unavailable`, upstream faults: nothing may be switched then
   */
  take(call: Call): Promise<PhoneDraft>;
}

/** How old the first page may be when the last one is read. Graph's own links live longer. */
const draftLifeMs = 10 * 60_000;

export function createPhoneTaker(dependencies: {
  syncedUsers: GraphSyncedUsers;
  switchRecords: SwitchRecords;
  clock: Clock;
}): PhoneTaker {
  const { syncedUsers, switchRecords, clock } = dependencies;

  /** The draft of a request that was interrupted or of a dry run, or a new one. */
  async function openDraft(call: Call): Promise<PhoneDraft> {
    const draft = await switchRecords.draft(call);
    const isYoung = draft !== null && clock.now() - startedAtMsOf(draft.switchId) < draftLifeMs;
    return draft === null || !isYoung || isCheap(draft) ? newPhoneDraft(clock.now()) : draft;
  }

  async function readAll(call: Call): Promise<PhoneDraft> {
    let draft = await openDraft(call);
    let isBegunAnew = false;
    while (!draft.isRead) {
      const from = draft.nextPath;
      const page = await syncedUsers.page({ size: maxUserPage, from }, call).catch((error: unknown) => {
        // Graph does not know where it was any more: it is begun anew, once.
        if (from === null || isBegunAnew || !isGraphFault(error, 'rejected', 'notFound')) throw error;
        return null;
      });
      if (page === null) {
        isBegunAnew = true;
        draft = newPhoneDraft(clock.now());
        continue;
      }
      const users = page.users.map(rememberedOf);
      await switchRecords.storeUsers(draft.switchId, draft.pages + 1, users, call);
      draft = withPage(draft, { users, nextPath: page.nextPath });
      await switchRecords.storeDraft(draft, call.proving());
    }
    return draft;
  }

  return {
    take: async (call) => {
      try {
        return await readAll(call);
      } catch (error) {
        throw withoutPhones(error);
      }
    },
  };
}

/** What one call reads is read anew: phones may have changed since. */
function isCheap({ isRead, pages }: PhoneDraft): boolean {
  return isRead && pages <= 1;
}

/** Says of what hindered it that nothing was switched, and how a large tenant is read nevertheless. */
function withoutPhones(error: unknown): unknown {
  if (isFault(error, 'deadline_exceeded')) {
    return new Fault('deadline_exceeded', {
      detail: 'Time was up before the phones of all users from on-premises were remembered; nothing was switched.',
      fix: 'Repeat the request within ten minutes: it goes on with the users it has not stored yet.',
      ...(error.upstream === null ? {} : { upstream: error.upstream }),
      cause: error,
    });
  }
  if (isFault(error, 'storage_unavailable')) {
    return new Fault('storage_unavailable', {
      detail: `${error.message} Without the phones remembered nothing is switched.`,
      fix: error.fix,
      upstream: 'storage',
      cause: error,
    });
  }
  return error;
}
