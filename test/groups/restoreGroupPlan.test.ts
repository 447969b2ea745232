import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DistributionGroup, DistributionGroupChange } from '../../shared/exchange/distributionGroups.ts';
import type { Recipient } from '../../shared/exchange/recipients.ts';
import {
  changeOf,
  differencesFrom,
  type FoundPeople,
  judgeSite,
  lostPeopleRows,
  piecesOf,
} from '../../shared/groups/restore/restorePlan.ts';
import { recipientFields } from '../../shared/groups/update/groupChange.ts';
import type { Snapshot } from '../../shared/groups/deletion/snapshot.ts';
import { plainDistributionGroup } from '../support/groupSamples.ts';

const recipient = (name: string, change: Partial<Recipient> = {}): Recipient => ({
  id: `id-of-${name}`,
  exchangeId: `guid-of-${name}`,
  name,
  displayName: name,
  alias: name,
  distinguishedName: null,
  primarySmtpAddress: `${name}@contoso.com`,
  addresses: [`${name}@contoso.com`],
  userPrincipalName: null,
  recipientType: 'UserMailbox',
  ...change,
});
const people = ['ada', 'ben', 'cat'].map((name) => recipient(name));
const found: FoundPeople = new Map(people.map((each) => [String(each.id), each]));

const fresh: DistributionGroup = {
  ...plainDistributionGroup,
  id: 'new-id',
  exchangeId: 'new-guid',
  name: 'Crew',
  displayName: 'Crew',
  alias: 'crew',
  primarySmtpAddress: 'crew@contoso.com',
  addresses: ['crew@contoso.com'],
  managedBy: ['id-of-ada'],
  legacyExchangeDn: '/o=new',
};

const someone = fc.uniqueArray(fc.constantFrom('id-of-ada', 'id-of-ben', 'id-of-cat', 'id-of-nobody'));
const old: fc.Arbitrary<DistributionGroup> = fc.record({
  id: fc.constant('old-id'),
  exchangeId: fc.constant('old-guid'),
  kind: fc.constant('distributionList' as const),
  recipientType: fc.constant('MailUniversalDistributionGroup'),
  name: fc.constant('Crew'),
  displayName: fc.constant('Crew'),
  alias: fc.constant('crew'),
  primarySmtpAddress: fc.constant('crew@contoso.com'),
  addresses: fc
    .uniqueArray(fc.constantFrom('a@contoso.com', 'b@contoso.com'))
    .map((further) => ['crew@contoso.com', ...further]),
  description: fc.constantFrom(null, 'On the quay'),
  managedBy: fc.constant(['id-of-ada']),
  isDirSynced: fc.constant(false),
  hideFromAddressLists: fc.boolean(),
  requireSenderAuthentication: fc.boolean(),
  joinRestriction: fc.constantFrom('open', 'closed', 'approvalRequired'),
  departRestriction: fc.constantFrom('open', 'closed'),
  moderationEnabled: fc.boolean(),
  sendModerationNotifications: fc.constantFrom('always', 'internal', 'never'),
  moderatedBy: someone,
  bypassModerationFrom: someone,
  acceptMessagesFrom: someone,
  rejectMessagesFrom: someone,
  sendOnBehalf: someone,
  hiddenMembership: fc.constant(false),
  bccBlocked: fc.boolean(),
  bypassNestedModeration: fc.boolean(),
  mailTip: fc.constantFrom(null, 'Careful'),
  customAttributes: fc.dictionary(fc.constantFrom('1', '7', '15'), fc.constantFrom('north', 'south')),
  legacyExchangeDn: fc.constantFrom(null, '/o=old'),
  otherAddresses: fc.uniqueArray(fc.constantFrom('X500:/o=older', 'x500:/O=OLD')),
});

/** What Set-DistributionGroup makes of a group. */
function apply(group: DistributionGroup, { addresses, customAttributes, ...rest }: DistributionGroupChange) {
  const added = addresses?.add ?? [];
  return {
    ...group,
    ...rest,
    addresses: [...group.addresses, ...added.filter((each) => /^smtp:/i.test(each)).map((each) => each.slice(5))],
    otherAddresses: [...group.otherAddresses, ...added.filter((each) => !/^smtp:/i.test(each))],
    customAttributes: { ...group.customAttributes, ...customAttributes },
  } as DistributionGroup;
}

/** Without who is gone and what no group can have twice. */
const shape = (group: DistributionGroup) => ({
  ...group,
  ...Object.fromEntries(recipientFields.map((name) => [name, group[name].filter((entry) => found.has(entry)).sort()])),
  id: null,
  exchangeId: null,
  legacyExchangeDn: null,
  addresses: [...group.addresses].sort(),
  otherAddresses: null,
});

describe('the pieces of a restore', () => {
  test('make a new group what the old one was, but for who is gone, and leave nothing missing', () => {
    fc.assert(
      fc.property(old, (group) => {
        const pieces = piecesOf(group, found, []);
        const created = { ...fresh, requireSenderAuthentication: group.requireSenderAuthentication };
        const change = changeOf(pieces, created);
        const restored = change === null ? created : apply(created, change);
        expect(shape(restored)).toEqual(shape(group));
        expect(changeOf(pieces, restored)).toBeNull();
        const legacy = [...group.otherAddresses, ...(group.legacyExchangeDn === null ? [] : ['X500:/o=old'])];
        const kept = restored.otherAddresses.map((each) => each.toLowerCase());
        expect(new Set(kept)).toEqual(new Set(legacy.map((each) => each.toLowerCase())));
        expect(kept).toHaveLength(new Set(kept).size);
      }),
    );
  });

  test('come to the same one by one as all together', () => {
    fc.assert(
      fc.property(old, (group) => {
        const pieces = piecesOf(group, found, []);
        let group1: DistributionGroup = fresh;
        for (const piece of pieces) group1 = apply(group1, changeOf([piece], group1) ?? {});
        const together = apply(fresh, changeOf(pieces, fresh) ?? {});
        expect(shape(group1)).toEqual(shape(together));
      }),
    );
  });

  test('leave out addresses that others hold', () => {
    const group = { ...fresh, addresses: ['crew@contoso.com', 'a@contoso.com', 'b@contoso.com'] };
    expect(piecesOf(group, found, ['A@contoso.com']).map(({ item }) => item)).toEqual(['b@contoso.com', 'X500:/o=new']);
  });

  test('are none for a list that lived on the defaults, and one for a mail-enabled security group that did not', () => {
    const plain = { ...fresh, legacyExchangeDn: null };
    expect(piecesOf(plain, found, [])).toEqual([]);
    expect(piecesOf({ ...plain, kind: 'mailEnabledSecurity' }, found, []).map(({ item }) => item)).toEqual([
      'departRestriction',
    ]);
  });
});

describe('a group on its way', () => {
  test('is known at whatever point the restore was interrupted', () => {
    fc.assert(
      fc.property(old, fc.nat(), (group, point) => {
        const pieces = piecesOf(group, found, []);
        const done = pieces.slice(0, pieces.length === 0 ? 0 : point % (pieces.length + 1));
        const halfway = apply(fresh, changeOf(done, fresh) ?? {});
        expect(differencesFrom(group, halfway, found, people)).toEqual([]);
      }),
    );
  });

  test.each([
    ['kind', { kind: 'mailEnabledSecurity', departRestriction: 'open' }],
    ['name', { name: 'Crew (2)' }],
    ['displayName', { displayName: 'Other' }],
    ['alias', { alias: 'other' }],
    ['primarySmtpAddress', { primarySmtpAddress: 'other@contoso.com' }],
    ['description', { description: 'Mine' }],
    ['moderationEnabled', { moderationEnabled: true }],
    ['sendOnBehalf', { sendOnBehalf: ['id-of-nobody'] }],
    ['customAttribute7', { customAttributes: { 7: 'mine' } }],
    ['owners', { managedBy: ['id-of-ada', 'id-of-nobody'] }],
  ] as [string, Partial<DistributionGroup>][])('is told from somebody else’s by its %s', (field, change) => {
    expect(differencesFrom(fresh, { ...fresh, ...change }, found, people)).toEqual([field]);
  });
});

describe('what stands where the group stood', () => {
  const holder = (change: Partial<Recipient>) => recipient('somebody', change);
  const group = { ...fresh, addresses: ['crew@contoso.com', 'old@contoso.com'] };
  const list = { recipientType: 'MailUniversalDistributionGroup', exchangeId: 'there' };

  test.each<[string, Partial<Recipient>[], object]>([
    ['nobody', [], { site: { type: 'free' }, taken: [] }],
    [
      'one group of the alias',
      [{ ...list, alias: 'CREW' }],
      { site: { type: 'group', exchangeId: 'there' }, taken: [] },
    ],
    ['one group of the name', [{ ...list, name: 'Crew' }], { site: { type: 'group' } }],
    ['a person with the address', [{ addresses: ['crew@contoso.com'] }], { site: { type: 'taken' } }],
    [
      'two groups',
      [
        { ...list, alias: 'crew' },
        { ...list, name: 'Crew' },
      ],
      { site: { type: 'taken' } },
    ],
    [
      'a holder of a further address',
      [{ addresses: ['OLD@contoso.com'] }],
      { site: { type: 'free' }, taken: ['old@contoso.com'] },
    ],
  ])('%s', (_who, holders, judged) => {
    expect(judgeSite(group, holders.map(holder))).toMatchObject(judged);
  });
});

test('whoever is gone has a row for each setting, and an address to be known by', () => {
  const snapshot = {
    exchange: { ...fresh, acceptMessagesFrom: ['id-of-dan', 'id-of-ada'], sendOnBehalf: ['id-of-eve'] },
    people: [{ entry: 'id-of-dan', id: 'id-of-dan', address: 'dan@contoso.com' }],
  } as unknown as Snapshot;
  expect(lostPeopleRows(snapshot, found).map(({ item, message }) => [item, message.includes('everybody can')])).toEqual(
    [
      ['acceptMessagesFrom: dan@contoso.com', false],
      ['sendOnBehalf: id-of-eve', false],
    ],
  );
  expect(lostPeopleRows({ ...snapshot, exchange: null }, found)).toEqual([]);
});
