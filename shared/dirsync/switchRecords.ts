import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Blobs } from '../store/blobs.ts';
import { invertedTime } from '../store/invertedTime.ts';
import { type PhoneDraft, type RememberedUser, switchNotFound, type SwitchRecord } from './switchRecord.ts';

/** Where switches of the tenant and the users before them are kept. All methods throw storage faults. */
export interface SwitchRecords {
  /** @throws Fault `switch_not_found`, also for one that is older than they are kept */
  get(switchId: string, call: Call): Promise<SwitchRecord>;
  /** null: none. */
  latest(call: Call): Promise<SwitchRecord | null>;
  store(record: SwitchRecord, call: Call): Promise<void>;
  /** As if it had never been stored: its users stay for a draft to take up. */
  withdraw(switchId: string, call: Call): Promise<void>;
  /** `page` counts from 1. */
  storeUsers(switchId: string, page: number, users: readonly RememberedUser[], call: Call): Promise<void>;
  users(switchId: string, page: number, call: Call): Promise<readonly RememberedUser[]>;
  /** What an interrupted request has read. */
  draft(call: Call): Promise<PhoneDraft | null>;
  storeDraft(draft: PhoneDraft, call: Call): Promise<void>;
  removeDraft(call: Call): Promise<void>;
  /** Removes what is older than switches are kept; how many switches that were. May be repeated. */
  removeExpired(call: Call): Promise<number>;
}

const dayMs = 86_400_000;
/** Names sort newest first. */
const recordsFolder = 'dirsync/switches/';
const usersFolder = 'dirsync/users/';
const draftName = 'dirsync/draft.json';
const removedAtOnce = 100;

export function createSwitchRecords(dependencies: {
  blobs: Blobs;
  clock: Clock;
  retentionDays: number;
}): SwitchRecords {
  const { blobs, clock, retentionDays } = dependencies;
  /** What every switch that is too old comes after. */
  const expiry = () => invertedTime(clock.now() - retentionDays * dayMs);
  const read = async (name: string, call: Call) => (await blobs.read(name, call)) as SwitchRecord | null;

  return {
    get: async (switchId, call) => {
      const record = switchId < expiry() ? await read(recordName(switchId), call) : null;
      if (record === null) throw switchNotFound(switchId);
      return record;
    },

    latest: async (call) => {
      const [name] = await blobs.list({ prefix: recordsFolder, after: null, limit: 1 }, call);
      return name === undefined || name > `${recordsFolder}${expiry()}` ? null : read(name, call);
    },

    store: (record, call) => blobs.write(recordName(record.switchId), record, call),

    withdraw: (switchId, call) => blobs.remove(recordName(switchId), call),

    storeUsers: (switchId, page, users, call) => blobs.write(pageName(switchId, page), users, call),

    users: async (switchId, page, call) => {
      const users = (await blobs.read(pageName(switchId, page), call)) as readonly RememberedUser[] | null;
      if (users === null) throw switchNotFound(switchId);
      return users;
    },

    draft: async (call) => (await blobs.read(draftName, call)) as PhoneDraft | null,
    storeDraft: (draft, call) => blobs.write(draftName, draft, call),
    removeDraft: (call) => blobs.remove(draftName, call),

    removeExpired: async (call) => {
      let removedCount = 0;
      const draft = (await blobs.read(draftName, call)) as PhoneDraft | null;
      if (draft !== null && draft.switchId >= expiry()) await blobs.remove(draftName, call);
      // The users first: a switch without them is still found by the next run. Those of requests that were given up
      // have no switch, and go with their time too.
      for (const prefix of [usersFolder, recordsFolder]) {
        for (;;) {
          const names = await blobs.list({ prefix, after: `${prefix}${expiry()}`, limit: removedAtOnce }, call);
          for (const name of names) await blobs.remove(name, call);
          if (prefix === recordsFolder) removedCount += names.length;
          if (names.length < removedAtOnce) break;
        }
      }
      return removedCount;
    },
  };
}

function recordName(switchId: string): string {
  return `${recordsFolder}${switchId}.json`;
}

function pageName(switchId: string, page: number): string {
  return `${usersFolder}${switchId}/${String(page).padStart(6, '0')}.json`;
}
