import type { Random } from '../random.ts';
import { MemberList } from '../tenant/memberList.ts';
import type { Group, User } from '../tenant/model.ts';
import { namedId } from './ids.ts';
import type { AppUser, OktaApp, OktaGroup, OktaUser, PushMapping, UserStatus } from './model.ts';
import type { OrgContents } from './org.ts';
import { seedAccess } from './seedAccess.ts';

const created = '2025-03-03T08:30:00.000Z';

/** Everyone else is ACTIVE. */
const statuses: Readonly<Record<string, UserStatus>> = {
  'moments.ago@corp.contoso.com': 'STAGED',
  'xenia.roth@corp.contoso.com': 'PROVISIONED',
  'sven.aalto@contoso.com': 'RECOVERY',
  'umar.siddiqui@contoso.com': 'PASSWORD_EXPIRED',
  'jonas.weir@contoso.com': 'LOCKED_OUT',
  'vera.kovac@contoso.com': 'SUSPENDED',
  'former.colleague@contoso.com': 'DEPROVISIONED',
};

/** Accounts of Microsoft 365 that are nobody's, or not Okta's. */
const notInOkta = [
  'front.desk@contoso.com',
  'room.aurora@contoso.com',
  'guest.partner_example.com#EXT#@contoso.onmicrosoft.com',
  'break.glass@contoso.onmicrosoft.com',
  'mail.user@contoso.com',
];

export function newOktaUser(
  random: Random,
  login: string,
  { status = 'ACTIVE', ...profile }: { status?: UserStatus } & Record<string, unknown>,
): OktaUser {
  return {
    id: namedId(random, '00u', login.toLowerCase()),
    status,
    created,
    activated: status === 'STAGED' ? null : created,
    statusChanged: created,
    lastUpdated: created,
    profile: { firstName: null, lastName: null, mobilePhone: null, secondEmail: null, email: login, ...profile, login },
  };
}

/** The app user of someone whose account in Entra is linked: the external id is its object id (okta.md §4, inferred). */
export const newAppUser = (userId: string, user: User, externalId: string | null): AppUser => ({
  id: userId,
  externalId,
  status: 'PROVISIONED',
  syncState: 'SYNCHRONIZED',
  lastSync: created,
  scope: 'USER',
  groupId: null,
  created,
  lastUpdated: created,
  statusChanged: created,
  userName: user.userPrincipalName,
  profile: {
    email: user.mail ?? user.userPrincipalName,
    firstName: user.givenName,
    lastName: user.surname,
    displayName: user.displayName,
    department: user.department,
    mobilePhone: user.mobilePhone,
    immutableId: user.onPremisesImmutableId,
  },
});

function seedUsers(random: Random, people: readonly User[]): OktaUser[] {
  const users = people.map((user) =>
    newOktaUser(random, user.userPrincipalName, {
      status: statuses[user.userPrincipalName] ?? 'ACTIVE',
      firstName: user.givenName ?? user.displayName.split(' ')[0],
      lastName: user.surname ?? user.displayName.split(' ').slice(1).join(' '),
      email: user.mail ?? user.userPrincipalName,
      department: user.department,
      title: user.jobTitle,
    }),
  );
  // Not assigned to Office 365, and unknown to Microsoft.
  const contractor = newOktaUser(random, 'okta.only@example.com', { firstName: 'Okta', lastName: 'Only' });
  return [...users, contractor];
}

function newGroup(random: Random, name: string, more: Partial<OktaGroup> = {}): OktaGroup {
  return {
    id: namedId(random, '00g', `${more.type ?? 'OKTA_GROUP'}:${name}`),
    type: 'OKTA_GROUP',
    created,
    lastUpdated: created,
    lastMembershipUpdated: created,
    profile: { name, description: null },
    sourceAppId: null,
    members: MemberList.empty,
    ...more,
  };
}

const members: Readonly<Record<string, readonly string[]>> = {
  'Field Engineers': ['kaya.demir', 'liam.corrigan', 'mina.sato', 'noel.fischer', 'olga.petrova'],
  'Sales Team Nordics': ['amara.osei', 'bruno.keller', 'chiara.lind', 'daniel.okafor'],
  'Future Hires': [],
  // One who left and one who is suspended, with one who is neither.
  Alumni: ['former.colleague', 'vera.kovac', 'tara.nolan'],
  // One has no mailbox yet.
  'New Starters': ['new.hire', 'quinn.harper'],
  'Without Microsoft 365': ['okta.only', 'pedro.alves'],
  'Every Status': [
    'yusuf.amin',
    'moments.ago',
    'xenia.roth',
    'sven.aalto',
    'umar.siddiqui',
    'jonas.weir',
    'vera.kovac',
    'former.colleague',
  ],
  'Office 365 By Group': ['rosa.delgado', 'tara.nolan'],
  'Marketing By Rule': ['elena.marsh', 'farid.nazari', 'grace.tan'],
};

const objectGuid = (random: Random, name: string): string =>
  Buffer.from(random.guid(`okta:objectGuid:${name}`).replaceAll('-', ''), 'hex').toString('base64');

function seedGroups(
  random: Random,
  users: readonly OktaUser[],
  apps: { office: string; directory: string },
  tenantGroups: readonly Group[],
): OktaGroup[] {
  const idOf = (name: string): string => {
    const found = users.find(({ profile }) => profile.login.split('@')[0] === name);
    if (!found) throw new Error(`The seed of Okta names ${name}, who is not in it`);
    return found.id;
  };
  const of = (names: readonly string[]): MemberList => MemberList.of(names.map(idOf));
  const imported = tenantGroups
    .filter(({ displayName }) => ['Engineering Access', 'Project Aurora', 'Social Club'].includes(displayName))
    .map(({ id, displayName }) =>
      newGroup(random, displayName, {
        type: 'APP_GROUP',
        sourceAppId: apps.office,
        profile: { name: displayName, description: null, externalId: id },
      }),
    );
  return [
    newGroup(random, 'Everyone', {
      type: 'BUILT_IN',
      profile: { name: 'Everyone', description: 'All users in your organization' },
      members: MemberList.of(users.map(({ id }) => id)),
    }),
    ...Object.entries(members).map(([name, names]) => newGroup(random, name, { members: of(names) })),
    newGroup(random, 'Plant Staff', {
      type: 'APP_GROUP',
      sourceAppId: apps.directory,
      profile: {
        name: 'Plant Staff',
        description: null,
        groupType: 'Security',
        samAccountName: 'Plant Staff',
        objectSid: 'S-1-5-21-1004336348-1177238915-682003330-1177',
        groupScope: 'Global',
        dn: 'CN=Plant Staff,OU=Groups,DC=corp,DC=contoso,DC=com',
        externalId: objectGuid(random, 'Plant Staff'),
      },
      members: of(['anton.berg', 'bella.cruz', 'carl.dahl']),
    }),
    ...imported,
  ];
}

function seedApps(random: Random, assigningGroupId: string): OktaApp[] {
  const app = (name: OktaApp['name'], label: string, more: Partial<OktaApp>): OktaApp => ({
    id: namedId(random, '0oa', name),
    name,
    label,
    created,
    lastUpdated: created,
    settings: {},
    assignedGroupIds: [],
    capabilities: null,
    ...more,
  });
  return [
    app('office365', 'Microsoft Office 365', {
      settings: { msftTenant: 'contoso', domain: 'contoso.com' },
      assignedGroupIds: [assigningGroupId],
      capabilities: {
        create: { lifecycleCreate: { status: 'ENABLED' } },
        update: {
          lifecycleDeactivate: { status: 'ENABLED' },
          profile: { status: 'ENABLED' },
          password: { status: 'DISABLED', seed: 'RANDOM', change: 'KEEP_EXISTING' },
        },
      },
    }),
    app('active_directory', 'corp.contoso.com', {}),
  ];
}

/** A healthy, a stopped and a broken one. */
function seedPushMappings(random: Random, appId: string, groups: readonly OktaGroup[]): PushMapping[] {
  const idOf = (name: string): string => groups.find(({ profile }) => profile.name === name)?.id ?? '';
  const mapping = (source: string, target: string, more: Partial<PushMapping>): PushMapping => ({
    id: namedId(random, 'gPm', source),
    appId,
    sourceGroupId: idOf(source),
    targetGroupId: idOf(target),
    status: 'ACTIVE',
    errorSummary: '',
    created,
    lastUpdated: created,
    lastPush: created,
    failsWith: null,
    ...more,
  });
  return [
    mapping('Sales Team Nordics', 'Project Aurora', {}),
    mapping('Field Engineers', 'Engineering Access', { status: 'INACTIVE' }),
    mapping('New Starters', 'Social Club', {
      status: 'ERROR',
      errorSummary:
        'Unable to update Group Push mapping target App group: the group was not found in Microsoft Office 365.',
    }),
  ];
}

/** An org of the people of the Microsoft 365 tenant, by the same logins. */
export function seedOrg(
  random: Random,
  tenant: { users: readonly User[]; groups: readonly Group[]; clientId: string },
): OrgContents {
  const people = tenant.users.filter(({ userPrincipalName }) => !notInOkta.includes(userPrincipalName));
  const users = seedUsers(random, people);
  const [office, directory] = [namedId(random, '0oa', 'office365'), namedId(random, '0oa', 'active_directory')];
  const groups = seedGroups(random, users, { office, directory }, tenant.groups);
  const assigning = groups.find(({ profile }) => profile.name === 'Office 365 By Group');
  const assigned = (user: User): AppUser => {
    const id = namedId(random, '00u', user.userPrincipalName);
    const byGroup = assigning?.members.includes(id) ?? false;
    return { ...newAppUser(id, user, user.id), ...(byGroup ? { scope: 'GROUP', groupId: assigning?.id ?? null } : {}) };
  };
  const inDirectory = people.filter(({ onPremisesImmutableId }) => onPremisesImmutableId !== null);
  return {
    users,
    groups,
    rules: [
      {
        id: namedId(random, '0pr', 'Marketing'),
        name: 'Marketing by department',
        status: 'ACTIVE',
        created,
        lastUpdated: created,
        expression: 'user.department=="Marketing"',
        groupIds: groups.filter(({ profile }) => profile.name === 'Marketing By Rule').map(({ id }) => id),
      },
    ],
    apps: seedApps(random, assigning?.id ?? ''),
    appUsers: {
      [office]: people
        .filter(({ userPrincipalName }) => !['STAGED', 'DEPROVISIONED'].includes(statuses[userPrincipalName] ?? ''))
        .map(assigned),
      // Base64 of the object GUID (okta.md §4).
      [directory]: inDirectory.map((user) =>
        newAppUser(namedId(random, '00u', user.userPrincipalName), user, user.onPremisesImmutableId),
      ),
    },
    pushMappings: seedPushMappings(random, office, groups),
    ...seedAccess(random, tenant.clientId),
    settings: { rateLimits: { default: 6_000 }, deactivationRemovesMemberships: false, pushesImmutableId: false },
  };
}
