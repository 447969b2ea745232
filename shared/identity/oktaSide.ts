import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import { textOf } from '../okta/answers.ts';
import type { OktaApp, OktaApps, OktaAppUser } from '../okta/apps.ts';
import type { OktaUser, OktaUsers } from '../okta/users.ts';
import { domainOf, type OktaAssignment, type OktaSide } from './facts.ts';
import { immutableIdOfGuid, readGuid } from './immutableIdCodec.ts';

/** Whom Okta is asked about. */
export interface OktaSideSearch {
  readonly userPrincipalName: string;
  /** null: looked up by the user principal name, which is the login of most. */
  readonly oktaUserId: string | null;
  /** The Office 365 app; null: the user's only one, or the one whose domain is that of the user principal name. */
  readonly oktaAppId: string | null;
}

/** A user of Okta with the apps that have to do with Entra. */
export interface OktaPerson {
  readonly user: OktaUser;
  readonly office365: { readonly app: OktaApp; readonly appUser: OktaAppUser } | null;
  /** Whether several Office 365 apps have the user, of which none is named nor the one for the domain. */
  readonly isAppInDoubt: boolean;
  /** In each Active Directory integration. */
  readonly inDirectories: readonly OktaAppUser[];
}

export interface OktaSideReader {
  /** null: nobody. Throws as `read` does. */
  find(search: OktaSideSearch, call: Call): Promise<OktaPerson | null>;
  /** Throws as Okta's methods do; @throws Fault `okta_object_not_found` where the app is no Office 365 app */
  read(search: OktaSideSearch, call: Call): Promise<OktaSide>;
}

const nobody: OktaSide = { userId: null, directoryExternalId: null, consistencyGuid: null, office365: null };

export function createOktaSideReader(dependencies: { oktaUsers: OktaUsers; oktaApps: OktaApps }): OktaSideReader {
  const { oktaUsers, oktaApps } = dependencies;

  async function givenApp(appId: string, call: Call): Promise<OktaApp> {
    const app = await oktaApps.get(appId, call);
    if (app?.name === 'office365') return app;
    throw new Fault('okta_object_not_found', {
      detail: app === null ? `Okta has no app ${appId}.` : `The app ${appId} of Okta is of the kind ${app.name}.`,
      fix: 'Give the id of the Office 365 app (0oa…), or leave oktaAppId out to have it found.',
      upstream: 'okta',
    });
  }

  async function appUsersIn(apps: readonly OktaApp[], userId: string, call: Call): Promise<OktaAppUser[]> {
    const found = await Promise.all(apps.map(({ id }) => oktaApps.appUser(id, userId, call)));
    return found.filter((appUser) => appUser !== null);
  }

  async function find(search: OktaSideSearch, call: Call): Promise<OktaPerson | null> {
    const { userPrincipalName, oktaUserId, oktaAppId } = search;
    const given = oktaAppId === null ? null : await givenApp(oktaAppId, call);
    const user = await oktaUsers.find(oktaUserId ?? userPrincipalName, call);
    if (user === null) return null;
    const apps = (await oktaApps.ofUser(user.id, call)).filter(({ status }) => status === 'ACTIVE');
    const app = given ?? officeAppFor(apps, userPrincipalName);
    const directories = apps.filter(({ name }) => name === 'active_directory');
    const [inDirectories, [appUser]] = await Promise.all([
      appUsersIn(directories, user.id, call),
      appUsersIn(app === null ? [] : [app], user.id, call),
    ]);
    const office365 = app === null || appUser === undefined ? null : { app, appUser };
    return { user, office365, isAppInDoubt: app === null && apps.some(isOffice365), inDirectories };
  }

  return {
    find,

    read: async (search, call) => {
      const person = await find(search, call);
      if (person === null) return nobody;
      const { user, office365, inDirectories } = person;
      return {
        userId: user.id,
        directoryExternalId: onlyOne(inDirectories.map(({ externalId }) => externalId)),
        consistencyGuid: onlyOne(inDirectories.map(consistencyGuidOf)),
        office365: office365 === null ? null : assignmentOf(office365.app, office365.appUser),
      };
    },
  };
}

function isOffice365({ name }: OktaApp): boolean {
  return name === 'office365';
}

function officeAppFor(apps: readonly OktaApp[], userPrincipalName: string): OktaApp | null {
  const offices = apps.filter(isOffice365);
  if (offices.length === 1) return offices[0] ?? null;
  const own = offices.filter(({ domain }) => domain?.toLowerCase() === domainOf(userPrincipalName));
  return own.length === 1 ? (own[0] ?? null) : null;
}

/** null where two directories say different things (okta.md §5 P13). */
export function onlyOne(values: readonly (string | null)[]): string | null {
  const different = new Set(values.filter((value) => value !== null));
  const [first = null] = different;
  return different.size === 1 ? first : null;
}

/** Okta names the property as Active Directory does, where it is imported (inferred). */
function consistencyGuidOf({ profile }: OktaAppUser): string | null {
  const read = readGuid(textOf(profile, 'mS-DS-ConsistencyGuid') ?? '');
  return read === null ? null : immutableIdOfGuid(read.guid);
}

function assignmentOf({ id, label }: OktaApp, { profile, externalId, scope, group }: OktaAppUser): OktaAssignment {
  return {
    appId: id,
    appLabel: label,
    immutableId: textOf(profile, 'immutableId'),
    externalId,
    isByGroup: scope === 'GROUP',
    group,
  };
}
