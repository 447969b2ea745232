import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fault, isFault } from '../../shared/errors.ts';
import type { DistributionGroup } from '../../shared/exchange/distributionGroups.ts';
import type { Recipient } from '../../shared/exchange/recipients.ts';
import type { GraphGroup } from '../../shared/graph/groups.ts';
import { blockersOf, protectionBlockers, refuseBlocked } from '../../shared/groups/blockers.ts';
import {
  compare,
  deriveAlias,
  exchangeName,
  type GroupRequest,
  judgeHolders,
  missingSettings,
  toGroupRequest,
} from '../../shared/groups/creation/creationPlan.ts';
import type { Group } from '../../shared/groups/group.ts';
import { groupKinds, kindInGraph, livesInExchange } from '../../shared/groups/kinds.ts';
import {
  type MemberRow,
  memberOutcomes,
  plannedRow,
  settledRow,
  summarize,
} from '../../shared/groups/membership/memberRows.ts';
import { isListed } from '../../shared/groups/protection.ts';
import { plainDistributionGroup } from '../support/groupSamples.ts';

/** Printable, with all that means something in a regular expression. */
const word = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' }).filter((text) => !text.includes('*'));
/** Exchange's rule, as the schema of createGroup has it. */
const aliasPattern = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00A1-\u00FF-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00A1-\u00FF-]+)*$/;

function codeOf(throwing: () => unknown): string | null {
  try {
    throwing();
    return null;
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}

describe('a list of protected names', () => {
  test('names what is on it, whatever the case, and nothing else', () => {
    const spelled = word.chain((entry) => fc.tuple(fc.constant(entry), fc.mixedCase(fc.constant(entry)), word));
    fc.assert(
      fc.property(spelled, ([entry, asSpelled, other]) => {
        expect(isListed([entry], [asSpelled])).toBe(true);
        expect(isListed([entry], [other])).toBe(entry.toLowerCase() === other.toLowerCase());
      }),
    );
  });

  test('takes * for any run of characters, also none, and every other character for itself', () => {
    fc.assert(
      fc.property(word, word, word, (start, middle, end) => {
        expect(isListed([`${start}*`], [start])).toBe(true);
        expect(isListed([`${start}*`], [`${start}${middle}`])).toBe(true);
        expect(isListed([`*${end}`], [`${middle}${end}`])).toBe(true);
        expect(isListed([`${start}*${end}`], [`${start}${middle}${end}`])).toBe(true);
        expect(isListed(['*'], [middle])).toBe(true);
        const other = `${middle}${start}`.toLowerCase();
        expect(isListed([`${start}*`], [other])).toBe(other.startsWith(start.toLowerCase()));
      }),
    );
  });

  test('needs the whole name', () => {
    fc.assert(
      fc.property(word, word, (entry, more) => {
        expect(isListed([entry], [`${entry}${more}`, `${more}${entry}x`])).toBe(false);
      }),
    );
  });

  test('is asked entry by entry and name by name; what has no name is not on it', () => {
    fc.assert(
      fc.property(fc.array(word), fc.array(fc.option(word)), (entries, names) => {
        const expected = entries.some((entry) => names.some((name) => isListed([entry], [name])));
        expect(isListed(entries, names)).toBe(expected);
      }),
    );
    expect(isListed(['*'], [null, ''])).toBe(false);
    expect(isListed([], ['anything'])).toBe(false);
  });

  test('is quick with many stars', () => {
    const startedAtMs = performance.now();
    expect(isListed([`${'*a'.repeat(5)}*b`], ['a'.repeat(64)])).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(250);
  });
});

const flag = fc.boolean();
const graphGroup: fc.Arbitrary<GraphGroup> = fc.record({
  id: fc.uuid(),
  displayName: word,
  description: fc.constant(null),
  mail: fc.constant(null),
  mailNickname: fc.constant(null),
  addresses: fc.constant([]),
  isUnified: flag,
  isDynamic: flag,
  isMailEnabled: flag,
  isSecurityEnabled: flag,
  isOnPremisesSynced: flag,
  wasSynced: flag,
  isAssignableToRole: flag,
  isManagementRestricted: flag,
  isTeam: flag,
  visibility: fc.constant(null),
  membershipRule: fc.constant(null),
});

describe('the kind of a group', () => {
  test('is one of the four that Graph shows, by its table', () => {
    fc.assert(
      fc.property(graphGroup, (group) => {
        const kind = kindInGraph(group);
        const { isUnified, isMailEnabled, isSecurityEnabled } = group;
        expect(kind === 'microsoft365').toBe(isUnified);
        expect(kind === 'security').toBe(!isUnified && !isMailEnabled);
        expect(kind === 'mailEnabledSecurity').toBe(!isUnified && isMailEnabled && isSecurityEnabled);
        expect(kind === 'distributionList').toBe(!isUnified && isMailEnabled && !isSecurityEnabled);
      }),
    );
  });

  test('is served by Exchange for two of all', () => {
    expect(groupKinds.filter(livesInExchange)).toEqual(['distributionList', 'mailEnabledSecurity']);
  });
});

describe('blockers', () => {
  const lists = { protectedGroups: [], managedGroups: null };
  const groupOf = (graph: GraphGroup | null, isDirSynced: boolean | null): Group => ({
    id: graph?.id ?? null,
    kind: 'distributionList',
    displayName: 'Harbour Crew',
    name: null,
    alias: 'harbour-crew',
    primarySmtpAddress: null,
    addresses: [],
    description: null,
    exchange: isDirSynced === null ? null : { ...existing, isDirSynced },
    graph,
  });

  test('are one for each reason, either directory sufficing for a synced group', () => {
    fc.assert(
      fc.property(fc.option(graphGroup), fc.option(flag), (graph, isDirSynced) => {
        const codes = blockersOf(groupOf(graph, isDirSynced), lists).map(({ code }) => code);
        expect(codes).toEqual([
          ...(isDirSynced === true || graph?.isOnPremisesSynced === true ? ['on_premises_synced'] : []),
          ...(graph?.isDynamic === true ? ['dynamic_membership'] : []),
          ...(graph?.isAssignableToRole === true ? ['role_assignable'] : []),
          ...(graph?.isManagementRestricted === true ? ['management_restricted'] : []),
          ...(graph === null || isDirSynced === null ? ['group_not_ready'] : []),
        ]);
      }),
    );
  });

  test('of the configuration come by any name, and MANAGED_GROUPS only where it is set', () => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 3 }),
        fc.option(fc.array(word)),
        fc.array(word),
        (names, managed, listed) => {
          const codes = protectionBlockers(names, { protectedGroups: listed, managedGroups: managed }).map(
            ({ code }) => code,
          );
          expect(codes.includes('protected_object')).toBe(isListed(listed, names));
          expect(codes.includes('outside_managed_groups')).toBe(managed !== null && !isListed(managed, names));
        },
      ),
    );
  });

  test('are thrown as the gravest, naming all', () => {
    const blockers = protectionBlockers(['x'], { protectedGroups: ['x'], managedGroups: [] });
    expect(blockers).toHaveLength(2);
    try {
      refuseBlocked(blockers, 'the group x');
      throw new Error('nothing was thrown');
    } catch (error) {
      if (!isFault(error)) throw error;
      expect(error.code).toBe('protected_object');
      for (const { message } of blockers) expect(error.message).toContain(message);
      expect(error.message).toContain('the group x');
    }
    expect(() => {
      refuseBlocked([], 'x');
    }).not.toThrow();
  });
});

const existing: DistributionGroup = plainDistributionGroup;

const owner: fc.Arbitrary<Recipient> = fc.uuid().map((id) => ({
  id,
  exchangeId: `${id.slice(0, -1)}f`,
  name: `Name ${id}`,
  displayName: `Somebody ${id}`,
  alias: `alias-${id}`,
  distinguishedName: `CN=${id}`,
  primarySmtpAddress: `${id}@contoso.com`,
  addresses: [`${id}@contoso.com`],
  userPrincipalName: `${id}@contoso.com`,
  recipientType: 'UserMailbox',
  isDirSynced: false,
}));
const address = fc.stringMatching(/^[a-z][a-z0-9]{0,9}@(contoso\.com|corp\.contoso\.com)$/);
const name = fc.string({ minLength: 1, maxLength: 256, unit: 'grapheme' }).filter((text) => /^\S(.*\S)?$/.test(text));
const request: fc.Arbitrary<{ request: GroupRequest; owners: Recipient[] }> = fc
  .record({
    kind: fc.constantFrom('distributionList' as const, 'mailEnabledSecurity' as const),
    displayName: name,
    alias: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    primarySmtpAddress: fc.option(address, { nil: undefined }),
    description: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    owners: fc.uniqueArray(owner, { minLength: 1, maxLength: 5, selector: ({ id }) => id }),
    addresses: fc.option(fc.uniqueArray(address, { maxLength: 5 }), { nil: undefined }),
    hideFromAddressLists: fc.option(flag, { nil: undefined }),
    requireSenderAuthentication: fc.option(flag, { nil: undefined }),
    ignoreNamingPolicy: fc.option(flag, { nil: undefined }),
    joinRestriction: fc.constantFrom(undefined, 'closed', 'approvalRequired'),
    departRestriction: fc.constantFrom(undefined, 'closed'),
  })
  .map(({ owners, ...input }) => {
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as typeof input;
    const ids = owners.map(({ primarySmtpAddress }) => primarySmtpAddress);
    return {
      request: toGroupRequest({ ...(given as { kind: GroupRequest['kind']; displayName: string }), owners: ids }),
      owners,
    };
  });

/** What New-DistributionGroup makes of a request (exchange.md §4). */
function made({ request: wanted, owners }: { request: GroupRequest; owners: Recipient[] }): DistributionGroup {
  const primarySmtpAddress = wanted.primarySmtpAddress ?? `${wanted.alias}@contoso.com`;
  return {
    ...existing,
    kind: wanted.kind as DistributionGroup['kind'],
    name: exchangeName(wanted),
    displayName: wanted.displayName,
    alias: wanted.alias,
    primarySmtpAddress,
    addresses: [primarySmtpAddress],
    description: wanted.description,
    managedBy: owners.map(({ id }) => id ?? ''),
    requireSenderAuthentication: wanted.requireSenderAuthentication ?? true,
    joinRestriction: wanted.joinRestriction ?? existing.joinRestriction,
    departRestriction: wanted.departRestriction ?? existing.departRestriction,
  };
}

/** What Set-DistributionGroup makes of it. */
function completed(group: DistributionGroup, wanted: GroupRequest): DistributionGroup {
  const missing = missingSettings(wanted, group);
  return {
    ...group,
    hideFromAddressLists: missing?.hideFromAddressLists ?? group.hideFromAddressLists,
    description: missing?.description ?? group.description,
    addresses: [...group.addresses, ...(missing?.addresses?.add ?? []).map((each) => each.replace(/^smtp:/, ''))],
  };
}

describe('a request held against a group', () => {
  test('finds no difference in what New- made of it, and nothing missing once Set- has completed it', () => {
    fc.assert(
      fc.property(request, (wanted) => {
        const group = made(wanted);
        expect(compare(wanted.request, group, wanted.owners).differences).toEqual([]);
        const after = completed(group, wanted.request);
        expect(compare(wanted.request, after, wanted.owners)).toEqual({ differences: [], missing: null });
      }),
    );
  });

  test('finds the name under a naming policy, unless it was to be ignored', () => {
    fc.assert(
      fc.property(request, (wanted) => {
        const { displayName } = wanted.request;
        const group = { ...made(wanted), displayName: `GRP_${displayName}_EU`, name: 'GRP' };
        const fields = compare(wanted.request, group, wanted.owners).differences.map(({ field }) => field);
        expect(fields).toEqual(wanted.request.ignoreNamingPolicy ? ['displayName'] : []);
      }),
    );
  });

  test('finds every owner under whichever of their names Exchange lists them, and nobody else', () => {
    const names = ['id', 'exchangeId', 'name', 'alias', 'distinguishedName', 'primarySmtpAddress'] as const;
    fc.assert(
      fc.property(request, fc.constantFrom(...names), owner, (wanted, by, stranger) => {
        const managedBy = wanted.owners.map((each) => (each[by] ?? '').toUpperCase());
        const differences = (of: readonly string[]) =>
          compare(wanted.request, { ...made(wanted), managedBy: of }, wanted.owners).differences.map(
            ({ field }) => field,
          );
        expect(differences(managedBy)).toEqual([]);
        expect(differences(managedBy.slice(1))).toEqual(['owners']);
        expect(differences([...managedBy, stranger.id ?? ''])).toEqual(['owners']);
        expect(differences([])).toEqual(['owners']);
      }),
    );
  });

  test('never takes away: what is missing only adds', () => {
    fc.assert(
      fc.property(request, fc.uniqueArray(address), (wanted, addresses) => {
        const missing = missingSettings(wanted.request, { ...made(wanted), addresses });
        expect(missing?.addresses?.remove).toBeUndefined();
        expect(missing?.hideFromAddressLists).not.toBe(false);
        const added = missing?.addresses?.add ?? [];
        for (const each of added) expect(addresses).not.toContain(each.replace('smtp:', ''));
      }),
    );
  });
});

describe('an alias', () => {
  test('that is derived is one that Exchange takes, or there is none', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300, unit: 'binary' }),
        fc.option(fc.string({ unit: 'grapheme' })),
        (text, local) => {
          const alias = deriveAlias(text, local === null ? null : `${local}@contoso.com`);
          if (alias === null) return;
          expect(alias).toMatch(aliasPattern);
          expect(alias.length).toBeLessThanOrEqual(64);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('is the local part of a plain address, as it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{1,20}([.-][A-Za-z0-9]{1,20}){0,2}$/), name, (local, displayName) => {
        expect(deriveAlias(displayName, `${local}@contoso.com`)).toBe(local);
      }),
    );
  });

  test('comes from the name where there is no address, alike for names that differ in case', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z]{1,20}( [A-Za-z]{1,20}){0,2}$/), (displayName) => {
        expect(deriveAlias(displayName, null)).toBe(displayName.toLowerCase().replaceAll(' ', '-'));
      }),
    );
    expect(deriveAlias('Ärzte & Pflege', null)).toBe('arzte-pflege');
    expect(deriveAlias('.. _ ..', null)).toBeNull();
    expect(codeOf(() => toGroupRequest({ kind: 'distributionList', displayName: '港口', owners: ['x'] }))).toBe(
      'invalid_request',
    );
  });
});

describe('the name in Exchange', () => {
  test('is never longer than it takes', () => {
    fc.assert(
      fc.property(request, ({ request: wanted }) => {
        const made_ = exchangeName(wanted);
        expect(made_.length).toBeLessThanOrEqual(64);
        expect([wanted.displayName, wanted.alias]).toContain(made_);
      }),
    );
  });
});

describe('who holds a name', () => {
  const types = [
    'MailUniversalDistributionGroup',
    'MailUniversalSecurityGroup',
    'RoomList',
    'GroupMailbox',
    'UserMailbox',
  ];

  test('is free with nobody, the group with one of ours, and taken with all else', () => {
    const holder = fc
      .tuple(owner, fc.constantFrom(...types))
      .map(([each, recipientType]) => ({ ...each, recipientType }));
    fc.assert(
      fc.property(fc.array(holder, { maxLength: 3 }), (holders) => {
        const occupancy = judgeHolders(holders);
        const [first] = holders;
        const isOurs = holders.length === 1 && types.slice(0, 2).includes(first?.recipientType ?? '');
        expect(occupancy.type).toBe(first === undefined ? 'free' : isOurs ? 'group' : 'taken');
        if (occupancy.type === 'group') expect(occupancy.exchangeId).toBe(first?.exchangeId);
        if (occupancy.type === 'taken') expect(occupancy.holders).toEqual(holders);
      }),
    );
  });
});

describe('rows of members', () => {
  const row: fc.Arbitrary<MemberRow> = fc.record({
    member: word,
    outcome: fc.constantFrom(...memberOutcomes),
    code: fc.constantFrom('member_not_found' as const, 'added' as const),
    message: word,
  });

  test('add up: every row is counted once, and the first failure is told', () => {
    fc.assert(
      fc.property(fc.array(row), word, flag, (rows, label, isDryRun) => {
        const sum = summarize(rows, label, isDryRun);
        const planned = rows.filter(({ outcome }) => outcome.startsWith('would_')).length;
        const kept = rows.filter(({ outcome }) => outcome === 'kept').length;
        const counted = sum.addedCount + sum.removedCount + sum.unchangedCount + sum.failedCount + planned + kept;
        expect(counted).toBe(rows.length);
        expect(sum.addedCount).toBe(rows.filter(({ outcome }) => outcome === 'added').length);
        expect(sum.removedCount).toBe(rows.filter(({ outcome }) => outcome === 'removed').length);
        expect(sum.results).toEqual(rows);
        expect(sum.ok).toBe(sum.failedCount === 0);
        expect(sum.changed).toBe(sum.addedCount + sum.removedCount > 0);
        const isFailure = ({ outcome }: MemberRow) => ['failed', 'not_ready', 'not_attempted'].includes(outcome);
        const first = rows.find(isFailure);
        expect(sum.firstError).toBe(first === undefined ? null : `${first.member}: ${first.message}`);
        expect(sum.message.startsWith(label)).toBe(true);
      }),
    );
  });

  test('have the outcome that all of them together have', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        const { outcome, failedCount, changed } = summarize(rows, 'x', false);
        if (failedCount === rows.length) expect(outcome).toBe('failed');
        else if (failedCount > 0) expect(outcome).toBe('partial');
        else expect(outcome).toBe(changed ? 'updated' : 'unchanged');
      }),
    );
  });

  test('say what was, or would be, done to one member', () => {
    expect(settledRow('m', 'add', true)).toMatchObject({ outcome: 'added', code: 'added' });
    expect(settledRow('m', 'add', false)).toMatchObject({ outcome: 'already_member' });
    expect(settledRow('m', 'remove', true)).toMatchObject({ outcome: 'removed' });
    expect(settledRow('m', 'remove', false)).toMatchObject({ outcome: 'not_member' });
    expect(plannedRow('m', 'add', true)).toMatchObject({ outcome: 'would_add' });
    expect(plannedRow('m', 'add', false)).toMatchObject({ outcome: 'already_member' });
    expect(plannedRow('m', 'remove', true)).toMatchObject({ outcome: 'would_remove' });
    expect(plannedRow('m', 'remove', false)).toMatchObject({ outcome: 'not_member' });
  });
});
