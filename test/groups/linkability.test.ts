import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fault } from '../../shared/errors.ts';
import { type DistributionGroup, readDistributionGroup } from '../../shared/exchange/distributionGroups.ts';
import { type GraphGroup, readGraphGroup } from '../../shared/graph/groups.ts';
import { blockersOf, type ProtectionLists, refuseUnmanageable } from '../../shared/groups/blockers.ts';
import { dynamicGroup, type Group, groupInExchange, groupInGraph } from '../../shared/groups/group.ts';
import { groupRowOf } from '../../shared/groups/groupRow.ts';
import { linkabilityOf, noteCodes, oktaVisibilityOf } from '../../shared/groups/linkability.ts';

const id = '00000000-0000-4000-8000-000000000001';
const address = 'harbour-crew@contoso.com';
const plain: ProtectionLists = { protectedGroups: [], managedGroups: null };

const graphOf = (properties: Partial<GraphGroup> = {}): GraphGroup => ({
  ...readGraphGroup({ id, displayName: 'Harbour Crew', securityEnabled: true }),
  ...properties,
});
const mailGraphOf = (properties: Partial<GraphGroup> = {}): GraphGroup =>
  graphOf({ isMailEnabled: true, mail: address, addresses: [address], ...properties });
const exchangeOf = (properties: Partial<DistributionGroup> = {}): DistributionGroup => ({
  ...readDistributionGroup({
    Guid: '00000000-0000-4000-8000-000000000002',
    ExternalDirectoryObjectId: id,
    Name: 'Harbour Crew',
    Alias: 'harbour-crew',
    PrimarySmtpAddress: address,
    RecipientTypeDetails: 'MailUniversalSecurityGroup',
  }),
  ...properties,
});
const codesOf = (group: Group, lists = plain): string[] => blockersOf(group, lists).map(({ code }) => code);

const flag = fc.boolean();
const graphGroup: fc.Arbitrary<GraphGroup> = fc
  .record({
    isUnified: flag,
    isDynamic: flag,
    isMailEnabled: flag,
    isSecurityEnabled: flag,
    isOnPremisesSynced: flag,
    wasSynced: flag,
    isAssignableToRole: flag,
    isManagementRestricted: flag,
    isTeam: flag,
  })
  .map(graphOf);
const exchangeGroup: fc.Arbitrary<DistributionGroup> = fc
  .record({
    isDirSynced: flag,
    kind: fc.constantFrom('distributionList' as const, 'mailEnabledSecurity' as const, null),
    recipientType: fc.constantFrom('RoomList', 'MailNonUniversalGroup'),
  })
  .map(exchangeOf);
const anyGroup: fc.Arbitrary<Group> = fc.oneof(
  graphGroup.map(groupInGraph),
  fc.tuple(exchangeGroup, fc.option(graphGroup)).map(([exchange, graph]) => groupInExchange(exchange, graph)),
  exchangeGroup.map(dynamicGroup),
);
const anyLists: fc.Arbitrary<ProtectionLists> = fc.record({
  protectedGroups: fc.subarray(['harbour*', 'other*']),
  managedGroups: fc.option(fc.subarray(['*crew*', 'other*'])),
});

/** What each blocker hangs on: setting it can only take linkability away. */
const blocking: Record<string, (group: Group, lists: ProtectionLists) => [Group, ProtectionLists]> = {
  'the flag of Entra': (group, lists) => [
    { ...group, graph: mailGraphOf({ ...group.graph, isOnPremisesSynced: true }) },
    lists,
  ],
  'the flag of Exchange': (group, lists) => [
    { ...group, exchange: exchangeOf({ ...group.exchange, isDirSynced: true }) },
    lists,
  ],
  'a rule': (group, lists) => [{ ...group, graph: graphOf({ ...group.graph, isDynamic: true }) }, lists],
  'directory roles': (group, lists) => [
    { ...group, graph: graphOf({ ...group.graph, isAssignableToRole: true }) },
    lists,
  ],
  'a restricted unit': (group, lists) => [
    { ...group, graph: graphOf({ ...group.graph, isManagementRestricted: true }) },
    lists,
  ],
  'being dynamic in Exchange': (group, lists) => [{ ...group, kind: 'dynamicDistribution' }, lists],
  protection: (group, lists) => [group, { ...lists, protectedGroups: ['*crew'] }],
  'other managed groups': (group, lists) => [group, { ...lists, managedGroups: ['other*'] }],
};
const gravity = [
  'on_premises_synced',
  'dynamic_membership',
  'role_assignable',
  'management_restricted',
  'unknown_kind',
  'group_not_ready',
  'protected_object',
  'outside_managed_groups',
];

describe('linkability of any group', () => {
  test.each(Object.entries(blocking))('is gone with %s, whatever else there is', (_what, block) => {
    fc.assert(
      fc.property(anyGroup, anyLists, (group, lists) => {
        expect(linkabilityOf(...block(group, lists)).linkable).toBe(false);
      }),
    );
  });

  test('is that there is no blocker; each has a code, a message and a fix, the gravest first and none twice', () => {
    fc.assert(
      fc.property(anyGroup, anyLists, (group, lists) => {
        const { linkable, blockers, notes } = linkabilityOf(group, lists);
        expect(linkable).toBe(blockers.length === 0);
        const places = blockers.map(({ code }) => gravity.indexOf(code));
        expect(places).toEqual([...new Set(places)].sort((left, right) => left - right));
        expect(places).not.toContain(-1);
        for (const { code, message, fix } of [...blockers, ...notes]) {
          expect(code).not.toBe('');
          expect(message).toMatch(/^[A-Z].*\.$/);
          expect(fix).toMatch(/^[A-Z].*\.$/);
        }
      }),
    );
  });

  test('decides whether a write is refused, with the code of the gravest', () => {
    fc.assert(
      fc.property(anyGroup, anyLists, (group, lists) => {
        let refusedWith: string | null = null;
        try {
          refuseUnmanageable(group, lists);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          refusedWith = error.code;
        }
        expect(refusedWith).toBe(codesOf(group, lists)[0] ?? null);
      }),
    );
  });

  test('does not depend on notes', () => {
    fc.assert(
      fc.property(anyGroup, anyLists, (group, lists) => {
        const quiet = group.graph === null ? null : { ...group.graph, isTeam: false, wasSynced: false };
        expect(blockersOf({ ...group, graph: quiet }, lists)).toEqual(blockersOf(group, lists));
      }),
    );
  });
});

describe('a blocker', () => {
  test('of a synced group is the same whether both directories say so or only one is there', () => {
    const both = blockersOf(
      groupInExchange(exchangeOf({ isDirSynced: true }), mailGraphOf({ isOnPremisesSynced: true })),
      plain,
    );
    const inEntra = blockersOf(groupInGraph(graphOf({ isOnPremisesSynced: true })), plain);
    const inExchange = blockersOf(groupInExchange(exchangeOf({ isDirSynced: true }), null), plain);
    expect(both.map(({ code }) => code)).toEqual(['on_premises_synced']);
    expect(inEntra).toEqual(both);
    expect(inExchange[0]).toEqual(both[0]);
    expect(both[0]?.message).not.toContain('Entra');
  });

  test.each([
    [true, false, /^Exchange says .* Entra says that it is not/],
    [false, true, /^Entra says .* Exchange says that it is not/],
  ])(
    'says who says what where the directories disagree (Exchange: %s, Entra: %s)',
    (isDirSynced, isOnPremisesSynced, words) => {
      const group = groupInExchange(exchangeOf({ isDirSynced }), mailGraphOf({ isOnPremisesSynced }));
      const [blocker] = blockersOf(group, plain);
      expect(blocker).toMatchObject({ code: 'on_premises_synced', message: expect.stringMatching(words) });
      expect(blocker?.fix).toContain('in some minutes');
    },
  );

  test('names a room list as such, and any other type as Exchange calls it', () => {
    const of = (recipientType: string) =>
      blockersOf(groupInExchange(exchangeOf({ kind: null, recipientType }), mailGraphOf()), plain);
    expect(of('RoomList')).toMatchObject([{ code: 'unknown_kind', message: expect.stringContaining('room list') }]);
    expect(of('MailNonUniversalGroup')).toMatchObject([
      { code: 'unknown_kind', message: expect.stringContaining('"MailNonUniversalGroup"') },
    ]);
  });

  test('says which directory shows a group that only one shows', () => {
    expect(blockersOf(groupInGraph(mailGraphOf()), plain)).toMatchObject([
      { code: 'group_not_ready', message: expect.stringMatching(/^Only Entra shows/) },
    ]);
    expect(blockersOf(groupInExchange(exchangeOf(), null), plain)).toMatchObject([
      { code: 'group_not_ready', message: expect.stringMatching(/^Only Exchange shows/) },
    ]);
  });

  test('of a dynamic distribution group is its filter alone: Entra never shows it', () => {
    expect(blockersOf(dynamicGroup(exchangeOf()), plain)).toMatchObject([
      { code: 'dynamic_membership', message: expect.stringContaining('filter') },
    ]);
  });
});

describe('a note', () => {
  const notesOf = (group: Group) => linkabilityOf(group, plain).notes;

  test('is there for the group of a Team, which stays linkable', () => {
    const group = groupInGraph(graphOf({ isUnified: true, isTeam: true }));
    expect(linkabilityOf(group, plain)).toMatchObject({
      linkable: true,
      notes: [{ code: 'team_connected', message: expect.stringContaining('channels') }],
    });
  });

  test('is there for a group whose authority the cloud is now, saying for mail groups that Graph still refuses', () => {
    const mail = groupInExchange(exchangeOf(), mailGraphOf({ wasSynced: true }));
    expect(linkabilityOf(mail, plain)).toMatchObject({
      linkable: true,
      notes: [{ code: 'converted_to_cloud', fix: expect.stringContaining('Graph still refuses') }],
    });
    const [note] = notesOf(groupInGraph(graphOf({ wasSynced: true })));
    expect(note).toMatchObject({ code: 'converted_to_cloud' });
    expect(note?.fix).not.toContain('Graph');
  });

  test('does not call a group converted that Exchange still takes for synced', () => {
    expect(notesOf(groupInExchange(exchangeOf({ isDirSynced: true }), mailGraphOf({ wasSynced: true })))).toEqual([]);
  });

  test('is there for nothing else', () => {
    expect(notesOf(groupInGraph(graphOf()))).toEqual([]);
    expect(notesOf(groupInExchange(exchangeOf(), mailGraphOf()))).toEqual([]);
    expect(notesOf(dynamicGroup(exchangeOf()))).toEqual([]);
  });
});

describe("what Okta's own app can do", () => {
  test.each<[string, Group, RegExp | null]>([
    ['a security group', groupInGraph(graphOf()), null],
    ['a Microsoft 365 group', groupInGraph(graphOf({ isUnified: true, isMailEnabled: true })), null],
    ['a group that was synced once', groupInGraph(graphOf({ wasSynced: true })), null],
    ['a synced security group', groupInGraph(graphOf({ isOnPremisesSynced: true })), /on-premises/],
    ['a dynamic security group', groupInGraph(graphOf({ isDynamic: true })), /rule/],
    ['a dynamic Microsoft 365 group', groupInGraph(graphOf({ isUnified: true, isDynamic: true })), /rule/],
    [
      'a distribution list',
      groupInExchange(exchangeOf({ kind: 'distributionList' }), mailGraphOf()),
      /not distribution lists/,
    ],
    ['a mail-enabled security group', groupInExchange(exchangeOf(), mailGraphOf()), /not mail-enabled security groups/],
    ['a mail group that only Entra shows', groupInGraph(mailGraphOf()), /not mail-enabled security groups/],
    ['a dynamic distribution group', dynamicGroup(exchangeOf()), /does not know/],
  ])('with %s', (_what, group, reason) => {
    const { oktaLinkable, oktaReason } = oktaVisibilityOf(group);
    expect(oktaLinkable).toBe(reason === null);
    if (reason === null) expect(oktaReason).toBeNull();
    else expect(oktaReason).toMatch(reason);
  });
});

test('a row of a list tells every code, and the sentence of the gravest', () => {
  const group = groupInGraph(graphOf({ isOnPremisesSynced: true, isAssignableToRole: true }));
  const [first] = blockersOf(group, plain);
  expect(groupRowOf(group, plain)).toEqual({
    id,
    kind: 'security',
    displayName: 'Harbour Crew',
    alias: null,
    primarySmtpAddress: null,
    description: null,
    linkable: false,
    blockerCodes: 'on_premises_synced,role_assignable',
    blockerMessage: first?.message,
    oktaLinkable: false,
    oktaReason: expect.stringContaining('on-premises'),
  });
  expect(groupRowOf(groupInGraph(graphOf()), plain)).toMatchObject({ blockerCodes: '', blockerMessage: null });
});

test('docs/linkability.md explains every code of a blocker and of a note, and no other', async () => {
  const text = await readFile(new URL('../../docs/linkability.md', import.meta.url), 'utf8');
  const codes = text.split('\n').flatMap((line) => /^\| [^|]+ \| `(\w+)` +\|/.exec(line)?.[1] ?? []);
  expect([...new Set(codes)].sort()).toEqual([...gravity, ...noteCodes].sort());
});

test("PROTECTED_GROUPS knows a group by Exchange's id too, and by every name that a person may give it", () => {
  const group = groupInExchange(
    exchangeOf({ displayName: 'Crew', addresses: [address, 'quay@contoso.com'] }),
    mailGraphOf(),
  );
  const { exchangeId } = exchangeOf();
  for (const listed of [id, exchangeId, 'CREW', 'Harbour Crew', 'harbour-crew', address, 'Quay@contoso.com', 'quay@*'])
    expect(codesOf(group, { ...plain, protectedGroups: [listed] })).toEqual(['protected_object']);
});
