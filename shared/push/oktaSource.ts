import type { Call } from '../call.ts';
import { Fault, type FaultCode } from '../errors.ts';
import { isGuid } from '../guid.ts';
import type { OktaApps, OktaAppUser } from '../okta/apps.ts';
import type { Okta } from '../okta/client.ts';
import { isOktaFault } from '../okta/errors.ts';
import type { OktaGroups } from '../okta/groups.ts';
import type { OktaUser, OktaUsers } from '../okta/users.ts';
import type { PushSource, SourceAccount, SourcePerson } from './source.ts';

export interface OktaSourceDependencies {
  readonly okta: Pick<Okta, 'isConfigured'>;
  readonly oktaGroups: OktaGroups;
  readonly oktaUsers: OktaUsers;
  readonly oktaApps: OktaApps;
}

/**
 * Up to how many people are asked for one by one. Pages hold 500 app users, but of the whole app: for an app of 10,000
 * they are 20 calls one after the other, and that is about what 50 single ones take, four at a time.
 */
const maxSingleReads = 50;
/** Leaves others their share of the 75 calls at once that an org allows (okta.md §4; 35 where it is free). */
const readsAtOnce = 4;

/** What Okta calls the app of Office 365 (okta.md §4). */
const officeAppName = 'office365';

/** Okta's API as the source of push mappings. Methods throw as those of Okta do. */
export function createOktaSource(dependencies: OktaSourceDependencies): PushSource {
  const { okta, oktaGroups, oktaUsers, oktaApps } = dependencies;

  async function readOneByOne(appId: string, userIds: readonly string[], call: Call): Promise<OktaAppUser[]> {
    const found: OktaAppUser[] = [];
    for (let start = 0; start < userIds.length; start += readsAtOnce) {
      const slice = userIds.slice(start, start + readsAtOnce);
      const appUsers = await Promise.all(slice.map((userId) => oktaApps.appUser(appId, userId, call)));
      found.push(...appUsers.filter((appUser) => appUser !== null));
    }
    return found;
  }

  /** Until all are found. */
  async function readPages(appId: string, userIds: readonly string[], call: Call): Promise<OktaAppUser[]> {
    const wanted = new Set(userIds);
    const found: OktaAppUser[] = [];
    try {
      for await (const page of oktaApps.appUserPages(appId, call)) {
        found.push(...page.filter(({ id }) => wanted.delete(id)));
        if (wanted.size === 0) break;
      }
    } catch (error) {
      throw isOktaFault(error, 'notFound') ? noSuchApp(appId) : error;
    }
    return found;
  }

  async function checkApp(appId: string, call: Call): Promise<void> {
    const app = await oktaApps.get(appId, call);
    if (app === null) throw noSuchApp(appId);
    if (app.name !== officeAppName) throw anotherApp(appId, app.name);
  }

  return {
    isConfigured: okta.isConfigured,

    group: async (groupId, call) => {
      const group = await oktaGroups.get(groupId, call);
      if (group === null) return null;
      return { id: group.id, name: group.name, membershipUpdatedAt: group.lastMembershipUpdated };
    },

    memberPages: async function* (groupId, call) {
      for await (const page of oktaGroups.memberPages(groupId, call)) yield page.map(personOf);
    },

    membership: async (groupId, userId, call) => {
      const nobody = { isMember: false, person: null };
      const user = await oktaUsers.find(userId, call);
      // A login is a name too, and may be another's by now.
      if (user?.id !== userId) return nobody;
      try {
        const groupIds = await oktaUsers.groupIds(userId, call);
        return { isMember: groupIds.has(groupId), person: personOf(user) };
      } catch (error) {
        // Deleted between the two reads. Thrown on, it would look like a group that is gone.
        if (isOktaFault(error, 'notFound')) return nobody;
        throw error;
      }
    },

    person: async (idOrLogin, call) => {
      const user = await oktaUsers.find(idOrLogin, call);
      return user === null ? null : personOf(user);
    },

    accounts: async (appId, userIds, call) => {
      const wanted = [...new Set(userIds)];
      const read = wanted.length > maxSingleReads ? readPages : readOneByOne;
      const appUsers = await read(appId, wanted, call);
      // Last, so that an app that went away meanwhile does not look like one that nobody has an account in.
      await checkApp(appId, call);
      warnOfForeignIds(appUsers, call);
      return new Map(appUsers.map((appUser) => [appUser.id, accountOf(appUser)]));
    },
  };
}

function personOf({ id, login, status }: OktaUser): SourcePerson {
  return { id, login, status };
}

function accountOf({ externalId, userName }: OktaAppUser): SourceAccount {
  const isEntraId = externalId !== null && isGuid(externalId);
  return { externalId: isEntraId ? externalId.toLowerCase() : null, userPrincipalName: userName };
}

/** One sentence, however many they are. */
function warnOfForeignIds(appUsers: readonly OktaAppUser[], call: Call): void {
  const foreign = appUsers.filter(({ externalId }) => externalId !== null && !isGuid(externalId));
  const [example] = foreign;
  if (example === undefined) return;
  call.warn(
    `Users of the Office 365 app whose external id is no object id of Entra: ${foreign.length} (${example.userName ?? example.id} for one). They are matched by user principal name.`,
  );
}

function noSuchApp(appId: string): Fault {
  return wrongApp('okta_object_not_found', `Okta has no app "${appId}".`);
}

function anotherApp(appId: string, name: string): Fault {
  return wrongApp('invalid_request', `The app "${appId}" of Okta is "${name}", not "${officeAppName}".`);
}

function wrongApp(code: FaultCode, detail: string): Fault {
  const fix =
    'Give the id of the Office 365 app as oktaAppId (it stands in the address of its page in the Admin Console), or null to match by user principal name alone.';
  return new Fault(code, {
    detail,
    fix,
    errors: [{ pointer: '/oktaAppId', message: `is no Office 365 app. ${detail}`, fix }],
    upstream: 'okta',
  });
}
