import { namedId } from '../okta/ids.ts';
import { mergeOrg } from '../okta/merge.ts';
import { mergeTenant } from '../tenant/merge.ts';
import { directoryRoles } from '../tenant/roles.ts';
import type { World } from '../world.ts';

// One person for each thing that may be found about an immutable id; docs/simulator.md has the table.

const SYNCED_AT = '2025-03-03T08:30:00.000Z';

/** The values that somebody's immutable id may have, all from the simulator's seed. */
interface Anchors {
  /** The object GUID of Active Directory as text. */
  readonly objectGuid: string;
  /** Base64 of its 16 bytes as Active Directory keeps them: what is expected. */
  readonly expected: string;
  /** Base64 of the same digits in the order of the text: the wrong-endian twin. */
  readonly wrongEndian: string;
  /** mS-DS-ConsistencyGuid in Base64. */
  readonly consistency: string;
  readonly oktaId: string;
  /** Of nobody. */
  readonly other: string;
}

/** graph.md §2.1: the first three fields of a GUID are little-endian in its bytes. */
function base64Of(guid: string): string {
  const [a = '', b = '', c = '', ...rest] = guid.split('-').map((field) => Buffer.from(field, 'hex'));
  return Buffer.concat([
    ...[a, b, c].map((field) => Buffer.from(field).reverse()),
    ...rest.map((each) => Buffer.from(each)),
  ]).toString('base64');
}

function anchorsOf({ random }: World, upn: string): Anchors {
  const objectGuid = random.guid(`objectGuid:${upn}`);
  return {
    objectGuid,
    expected: base64Of(objectGuid),
    wrongEndian: Buffer.from(objectGuid.replaceAll('-', ''), 'hex').toString('base64'),
    consistency: base64Of(random.guid(`consistencyGuid:${upn}`)),
    oktaId: namedId(random, '00u', upn),
    other: base64Of(random.guid(`otherAnchor:${upn}`)),
  };
}

type Found = 'expected' | 'wrongEndian' | 'consistency' | 'oktaId' | 'other' | null;

interface Case {
  /** The part of the user principal name after `anchor.`. */
  readonly name: string;
  /** contoso.com, which is federated, unless said. */
  readonly domain?: string;
  readonly actual: Found;
  /** No app user of Active Directory: Okta is where the person is mastered. */
  readonly isCloud?: boolean;
  readonly hasNoMailbox?: boolean;
  /** What the app user of Office 365 holds, and Okta will assert at sign-in; the expected value unless said. */
  readonly asserted?: Found;
  readonly byGroup?: boolean;
  readonly more?: object;
}

const cases: readonly Case[] = [
  { name: 'equal', actual: 'expected' },
  { name: 'missing', actual: null },
  { name: 'swapped', actual: 'wrongEndian' },
  { name: 'consistency', actual: 'consistency' },
  { name: 'oktaid', actual: 'oktaId' },
  { name: 'wanted', actual: 'other' },
  { name: 'reborn', actual: 'other' },
  { name: 'twin', actual: 'other' },
  {
    name: 'synced',
    actual: 'other',
    more: {
      onPremisesSyncEnabled: true,
      onPremisesDistinguishedName: 'CN=Anchor Synced,OU=People,DC=corp,DC=contoso,DC=com',
      onPremisesDomainName: 'corp.contoso.com',
      onPremisesLastSyncDateTime: '2025-03-03T08:30:00Z',
      onPremisesSamAccountName: 'anchor.synced',
      onPremisesUserPrincipalName: 'anchor.synced@contoso.com',
    },
  },
  { name: 'managed', domain: 'corp.contoso.com', actual: 'other' },
  { name: 'admin', actual: 'other', more: { directoryRoles: [directoryRoles.globalAdministrator] } },
  { name: 'asserted', actual: 'expected', asserted: 'other' },
  { name: 'bygroup', actual: 'other', byGroup: true },
  { name: 'cloud', actual: null, isCloud: true, asserted: 'oktaId' },
  { name: 'crowded', actual: 'other' },
  { name: 'bare', actual: 'other', hasNoMailbox: true },
  { name: 'free', actual: 'other' },
];
const GROUP = 'Office 365 By Group';
const INITIAL = 'contoso.onmicrosoft.com';

const upnOf = ({ name, domain = 'contoso.com' }: Case): string => `anchor.${name}@${domain}`;
const titled = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const valueOf = (anchors: Anchors, which: Found): string | null => (which === null ? null : anchors[which]);

function userOf(each: Case, anchors: Anchors): Record<string, unknown> {
  const userPrincipalName = upnOf(each);
  return {
    userPrincipalName,
    displayName: `Anchor ${titled(each.name)}`,
    givenName: 'Anchor',
    surname: titled(each.name),
    onPremisesImmutableId: valueOf(anchors, each.actual),
    ...(each.hasNoMailbox
      ? {}
      : {
          mail: userPrincipalName,
          recipientTypeDetails: 'UserMailbox',
          proxyAddresses: [
            `SMTP:${userPrincipalName}`,
            // The address at the initial domain is someone else's.
            ...(each.name === 'crowded' ? [] : [`smtp:anchor.${each.name}@${INITIAL}`]),
          ],
        }),
    ...each.more,
  };
}

function appUsersOf(world: World, each: Case, anchors: Anchors): object[] {
  const user = upnOf(each);
  const linked = { user, status: 'PROVISIONED', syncState: 'SYNCHRONIZED', lastSync: SYNCED_AT, userName: user };
  const names = { email: user, firstName: 'Anchor', lastName: titled(each.name) };
  const [account] = world.tenant.view('entra').named(user);
  const group = world.okta.org.groupNamed(GROUP);
  const office = {
    ...linked,
    externalId: account?.id ?? null,
    profile: { ...names, immutableId: valueOf(anchors, each.asserted ?? 'expected') },
    ...(each.byGroup && group ? { scope: 'GROUP', groupId: group.id } : {}),
  };
  const directory = {
    ...linked,
    app: 'active_directory',
    externalId: anchors.expected,
    profile: { ...names, samAccountName: `anchor.${each.name}`, 'mS-DS-ConsistencyGuid': anchors.consistency },
  };
  return each.isCloud ? [office] : [office, directory];
}

interface Anchored {
  readonly userPrincipalName: string;
  readonly id: string;
  readonly objectGuid: string;
  readonly actual: string | null;
  readonly expected: string;
}

/** Puts them all in, in Microsoft 365 and in Okta, silently; says who they are, or what is wrong. */
export function seedImmutableIds(world: World): { faults: string[]; users: Anchored[] } {
  const { random } = world;
  const people = cases.map((each) => ({ each, anchors: anchorsOf(world, upnOf(each)) }));
  const anchors = (name: string): Anchors => anchorsOf(world, `anchor.${name}@contoso.com`);
  const faults = mergeTenant(world, {
    users: [
      ...people.map(({ each, anchors: own }) => userOf(each, own)),
      {
        userPrincipalName: 'anchor.holder@contoso.com',
        displayName: 'Anchor Holder',
        accountEnabled: false,
        onPremisesImmutableId: anchors('wanted').expected,
      },
      { userPrincipalName: `anchor.crowded@${INITIAL}`, displayName: 'Anchor Crowder' },
    ],
    deletedUsers: [
      {
        userPrincipalName: 'anchor.former@contoso.com',
        displayName: 'Anchor Former',
        onPremisesImmutableId: anchors('reborn').expected,
      },
      {
        id: random.guid('deletedUser:anchor.twin@contoso.com'),
        userPrincipalName: 'anchor.twin@contoso.com',
        displayName: 'Anchor Twin',
        onPremisesImmutableId: random.guid('formerTwin'),
      },
    ],
  });
  if (faults.length > 0) return { faults, users: [] };
  const { org } = world.okta;
  const members = [...(org.groupNamed(GROUP)?.members ?? [])];
  const inOrg = mergeOrg(world, {
    users: people.map(({ each }) => ({
      login: upnOf(each),
      status: 'ACTIVE',
      profile: { firstName: 'Anchor', lastName: titled(each.name), email: upnOf(each) },
    })),
    groups: [{ name: GROUP, members: [...members, 'anchor.bygroup@contoso.com'] }],
    appUsers: people.flatMap(({ each, anchors: own }) => appUsersOf(world, each, own)),
  });
  const view = world.tenant.view('entra');
  return {
    faults: inOrg,
    users: people.map(({ each, anchors: own }) => ({
      userPrincipalName: upnOf(each),
      id: view.named(upnOf(each))[0]?.id ?? '',
      objectGuid: own.objectGuid,
      actual: valueOf(own, each.actual),
      expected: each.isCloud ? own.oktaId : own.expected,
    })),
  };
}
