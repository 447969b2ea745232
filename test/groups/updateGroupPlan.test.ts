import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fault } from '../../shared/errors.ts';
import {
  departRestrictions,
  type DistributionGroup,
  type DistributionGroupChange,
  joinRestrictions,
} from '../../shared/exchange/distributionGroups.ts';
import type { Recipient } from '../../shared/exchange/recipients.ts';
import { takeSteps } from '../../shared/groups/update/changeSteps.ts';
import { changeOf, planChange, type ResolvedUpdate } from '../../shared/groups/update/exchangeChange.ts';
import {
  type ChangeRow,
  type GroupUpdate,
  judgeUpdate,
  recipientFields,
  refuseForbiddenSettings,
  wasNotSet,
  wasSet,
  wouldSet,
} from '../../shared/groups/update/groupChange.ts';

const people: readonly Recipient[] = Array.from({ length: 6 }, (_, index) => ({
  id: `00000000-0000-4000-8000-00000000000${index}`,
  exchangeId: `10000000-0000-4000-8000-00000000000${index}`,
  name: `Name ${index}`,
  displayName: `Person ${index}`,
  alias: `alias-${index}`,
  distinguishedName: `CN=Name ${index},DC=EURPR01A001`,
  primarySmtpAddress: `person-${index}@contoso.com`,
  addresses: [`person-${index}@contoso.com`],
  userPrincipalName: `person-${index}@contoso.com`,
  recipientType: 'UserMailbox',
}));
const recipients = fc.subarray([...people]);
/** Recipients as Exchange may list them. */
const entries = recipients.chain((some) =>
  fc.tuple(
    ...some.map((each) =>
      fc.constantFrom(each.id ?? '', each.exchangeId, each.name, each.distinguishedName ?? '', each.name.toUpperCase()),
    ),
  ),
);
const stranger = 'Somebody who is gone';
const address = fc.constantFrom(...Array.from({ length: 6 }, (_, index) => `list-${index}@contoso.com`));
const text = fc.constantFrom('Harbour', 'Harbour Crew', 'GRP_Harbour', 'Quay');
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });

const actualGroup: fc.Arbitrary<DistributionGroup> = fc
  .record({
    displayName: text,
    addresses: fc.uniqueArray(address, { minLength: 1 }),
    description: optional(text),
    managedBy: entries,
    hideFromAddressLists: fc.boolean(),
    requireSenderAuthentication: fc.boolean(),
    joinRestriction: fc.constantFrom(...joinRestrictions),
    departRestriction: fc.constantFrom(...departRestrictions),
    moderationEnabled: fc.boolean(),
    moderatedBy: entries,
    bypassModerationFrom: entries,
    acceptMessagesFrom: entries,
    rejectMessagesFrom: entries,
    sendOnBehalf: entries,
    mailTip: optional(text),
    hasStranger: fc.boolean(),
  })
  .map(({ hasStranger, ...group }) => ({
    ...group,
    managedBy: hasStranger ? [...group.managedBy, stranger] : group.managedBy,
    id: '20000000-0000-4000-8000-000000000001',
    exchangeId: '20000000-0000-4000-8000-000000000002',
    kind: 'distributionList' as const,
    recipientType: 'MailUniversalDistributionGroup',
    name: 'Harbour',
    alias: 'harbour',
    primarySmtpAddress: group.addresses[0] ?? '',
    isDirSynced: false,
    sendModerationNotifications: 'always' as const,
    hiddenMembership: false,
    bccBlocked: false,
    bypassNestedModeration: false,
    customAttributes: {},
    legacyExchangeDn: null,
    otherAddresses: [],
  }));

const wantedUpdate: fc.Arbitrary<ResolvedUpdate> = fc.record(
  {
    displayName: text,
    description: optional(text),
    owners: recipients.filter((some) => some.length > 0),
    primarySmtpAddress: address,
    addresses: fc.array(fc.mixedCase(address)),
    hideFromAddressLists: fc.boolean(),
    requireSenderAuthentication: fc.boolean(),
    joinRestriction: fc.constantFrom(...joinRestrictions),
    departRestriction: fc.constantFrom(...departRestrictions),
    moderationEnabled: fc.boolean(),
    moderatedBy: recipients,
    bypassModerationFrom: recipients,
    acceptMessagesFrom: recipients,
    rejectMessagesFrom: recipients,
    sendOnBehalf: recipients,
    mailTip: optional(text),
    ignoreNamingPolicy: fc.boolean(),
  },
  { requiredKeys: [] },
);

const known = new Map(
  people.flatMap((person) =>
    [person.id ?? '', person.exchangeId, person.name, person.distinguishedName ?? ''].map((entry) => [
      entry.toLowerCase(),
      person,
    ]),
  ),
);
const sameText = (left: string, right: string) => left.toLowerCase() === right.toLowerCase();
const without = (list: readonly string[], gone: readonly string[]) =>
  list.filter((each) => !gone.some((other) => sameText(each, other)));

/** What Set-DistributionGroup makes of a change (exchange.md §4), sent as the app sends it: addresses in a call of their own. */
function applied(group: DistributionGroup, { owners, addresses, ...rest }: DistributionGroupChange): DistributionGroup {
  const primary = rest.primarySmtpAddress ?? group.primarySmtpAddress;
  const changed: DistributionGroup = {
    ...group,
    ...rest,
    primarySmtpAddress: primary,
    addresses: [primary, ...without(group.addresses, [primary])],
  };
  if (addresses !== undefined) {
    const bare = (list: readonly string[] = []) => list.map((each) => each.replace(/^smtp:/, ''));
    const kept = without(changed.addresses, bare(addresses.remove));
    expect(kept).toContain(primary);
    for (const added of bare(addresses.add)) expect(without([added], kept)).toEqual([added]);
    return applyOwners({ ...changed, addresses: [...kept, ...bare(addresses.add)] }, owners);
  }
  return applyOwners(changed, owners);
}

function applyOwners(group: DistributionGroup, edit: DistributionGroupChange['owners']): DistributionGroup {
  if (edit === undefined) return group;
  // Owners are edited and never replaced: a list would lose whom somebody else adds meanwhile.
  if (!('add' in edit || 'remove' in edit)) throw new Error('a whole list of owners');
  const { add = [], remove = [] } = edit;
  return { ...group, managedBy: [...without(group.managedBy, remove), ...add] };
}

const plan = (update: ResolvedUpdate, actual: DistributionGroup) =>
  planChange(update, actual, known, actual.displayName);

describe('the plan of an update', () => {
  test('is done when it is applied: planned again, nothing is left', () => {
    fc.assert(
      fc.property(wantedUpdate, actualGroup, (update, actual) => {
        const change = changeOf(plan(update, actual));
        const after = change === null ? actual : applied(actual, change);
        expect(plan(update, after)).toEqual([]);
        expect(after.managedBy.length > 0 || actual.managedBy.length === 0).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('says nothing of what was not asked for, and only what differs', () => {
    fc.assert(
      fc.property(wantedUpdate, actualGroup, (update, actual) => {
        for (const { field, before, after } of plan(update, actual)) {
          expect(Object.keys(update)).toContain(field);
          expect(before).not.toBe(after);
        }
        expect(plan({}, actual)).toEqual([]);
      }),
    );
  });

  test('leaves a list alone that means the same people, by whichever of their names and in whatever order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...people], { minLength: 1 }), fc.nat(3), (some, by) => {
        const names = some.map((each, index) => {
          const forms = [each.id ?? '', each.exchangeId, each.name, each.distinguishedName ?? ''];
          return forms[(by + index) % forms.length] ?? '';
        });
        const lists = Object.fromEntries(recipientFields.map((field) => [field, [...names].reverse()]));
        const [actual] = fc.sample(actualGroup, 1);
        if (actual === undefined) throw new Error('no sample');
        const update = { owners: some, ...Object.fromEntries(recipientFields.map((field) => [field, some])) };
        expect(plan(update, { ...actual, managedBy: names, ...lists })).toEqual([]);
        // What Exchange lists after a write may be a name that nobody has looked up.
        expect(planChange(update, { ...actual, managedBy: names, ...lists }, new Map(), '')).toEqual([]);
      }),
    );
  });

  test('takes another name for the one asked for only when it came after the write, and under a naming policy', () => {
    const [sample] = fc.sample(actualGroup, 1);
    if (sample === undefined) throw new Error('no sample');
    const actual = { ...sample, displayName: 'GRP_Harbour' };
    const fields = (update: ResolvedUpdate, nameBefore: string) =>
      planChange(update, actual, known, nameBefore).map(({ field }) => field);
    expect(fields({ displayName: 'Harbour' }, 'Quay')).toEqual([]);
    expect(fields({ displayName: 'Harbour' }, 'GRP_Harbour')).toEqual(['displayName']);
    expect(fields({ displayName: 'Harbour', ignoreNamingPolicy: true }, 'Quay')).toEqual(['displayName']);
    expect(fields({ displayName: 'Pier' }, 'Quay')).toEqual(['displayName']);
  });
});

describe('what a mail-enabled security group does not allow', () => {
  const refusal = (update: GroupUpdate, moderationEnabled: boolean, moderatedBy: readonly string[]) => {
    try {
      refuseForbiddenSettings('mailEnabledSecurity', update, { moderationEnabled, moderatedBy });
      return null;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      expect(error.code).toBe('invalid_request');
      return error.errors.map(({ pointer }) => pointer);
    }
  };

  test.each<[GroupUpdate, boolean, string[], string[] | null]>([
    [{ joinRestriction: 'open' }, false, [], ['/joinRestriction']],
    [{ departRestriction: 'open' }, false, [], ['/departRestriction']],
    [
      { joinRestriction: 'open', departRestriction: 'open', moderationEnabled: true },
      false,
      [],
      ['/joinRestriction', '/departRestriction', '/moderatedBy'],
    ],
    [{ joinRestriction: 'closed', departRestriction: 'closed' }, true, [], null],
    [{ moderationEnabled: true }, false, ['somebody'], null],
    [{ moderationEnabled: true, moderatedBy: ['somebody'] }, false, [], null],
    [{ moderatedBy: [] }, true, ['somebody'], ['/moderatedBy']],
    [{ moderatedBy: [] }, false, ['somebody'], null],
    [{ moderationEnabled: false, moderatedBy: [] }, true, ['somebody'], null],
    [{ moderationEnabled: true }, false, [], ['/moderatedBy']],
    [{ displayName: 'x' }, true, [], null],
  ])('%j, moderated: %p by %j: %j', (update, moderationEnabled, moderatedBy, expected) => {
    expect(refusal(update, moderationEnabled, moderatedBy)).toEqual(expected);
  });

  test('is allowed in a distribution list', () => {
    const update = { joinRestriction: 'open', departRestriction: 'open', moderationEnabled: true } as const;
    expect(() => {
      refuseForbiddenSettings('distributionList', update, { moderationEnabled: false, moderatedBy: [] });
    }).not.toThrow();
  });
});

describe('the outcome of an update', () => {
  const difference = { field: 'description', before: '', after: 'x' } as const;
  const fault = { code: 'upstream_rejected', message: 'no' } as const;
  const lost = { code: 'outcome_unknown', message: 'lost' } as const;

  test.each<[string, ChangeRow[]]>([
    ['unchanged', []],
    ['planned', [wouldSet(difference), wouldSet(difference)]],
    ['updated', [wasSet(difference)]],
    ['partial', [wasSet(difference), wasNotSet(difference, fault), wasNotSet(difference, lost)]],
    ['pending', [wasSet(difference), wasNotSet(difference, lost)]],
  ])('is %s', (outcome, rows) => {
    expect(judgeUpdate(rows)).toBe(outcome);
  });
});

describe('steps', () => {
  const difference = (field: ChangeRow['field']) => ({ field, before: '', after: 'x' });
  const refused = new Fault('upstream_rejected', { detail: 'Refused.', fix: 'None.' });
  const done = () => Promise.resolve({ type: 'done' as const });
  const told = (rows: readonly ChangeRow[]) => rows.map(({ field, outcome, code }) => [field, outcome, code]);

  test('stop at the first that fails; what comes after it is told as not attempted', async () => {
    let wasCalled = false;
    const rows = await takeSteps([
      { differences: [difference('displayName')], write: done },
      { differences: [difference('owners')], write: () => Promise.reject(refused) },
      {
        differences: [difference('owners'), difference('addresses')],
        write: () => {
          wasCalled = true;
          return done();
        },
      },
    ]);
    expect(wasCalled).toBe(false);
    expect(told(rows)).toEqual([
      ['displayName', 'set', 'set'],
      ['owners', 'failed', 'upstream_rejected'],
      ['addresses', 'failed', 'not_attempted'],
    ]);
  });

  test('of which two set one thing have it set when both are done', async () => {
    const both = { differences: [difference('owners')] };
    const rows = await takeSteps([
      { ...both, write: done },
      { ...both, write: () => Promise.resolve({ type: 'partly', fault: refused }) },
    ]);
    expect(told(rows)).toEqual([['owners', 'failed', 'upstream_rejected']]);
  });

  test('that begin with a refusal are that refusal; with a part done, they are rows', async () => {
    const step = { differences: [difference('owners')] };
    await expect(takeSteps([{ ...step, write: () => Promise.reject(refused) }])).rejects.toBe(refused);
    const rows = await takeSteps([{ ...step, write: () => Promise.resolve({ type: 'partly', fault: refused }) }]);
    expect(told(rows)).toEqual([['owners', 'failed', 'upstream_rejected']]);
  });

  test('do not turn a defect into a row', async () => {
    const defect = new TypeError('defect');
    const steps = [
      { differences: [difference('displayName')], write: done },
      { differences: [difference('owners')], write: () => Promise.reject(defect) },
    ];
    await expect(takeSteps(steps)).rejects.toBe(defect);
  });
});
