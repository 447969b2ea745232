import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FaultCode } from '../../shared/errors.ts';
import { judgeAdditions } from '../../shared/push/additionGuard.ts';
import { isDesired } from '../../shared/push/desired.ts';
import { authorities, type Authority, countableStatuses, defaultStatuses } from '../../shared/push/mapping.ts';
import { graphLagMs } from '../../shared/push/memberStanding.ts';
import type { ManagedMember, PushPerson } from '../../shared/push/people.ts';
import type { Match } from '../../shared/push/pushMatcher.ts';
import { type ActualMember, planPush, type PushPlan, type PushPlanInput } from '../../shared/push/pushPlan.ts';

const targetId = 'c0000000-0000-4000-8000-00000000000c';
const nowMs = Date.UTC(2026, 10, 21);
const hourMs = 3_600_000;
const justNowMs = nowMs - graphLagMs + 1;
const longAgoMs = nowMs - graphLagMs;

const idOf = (number: number): string => `a0000000-0000-4000-8000-00000000000${number.toString(16)}`;
const userIdOf = (number: number): string => `00u${number}`;
const loginOf = (number: number): string => `person${number}@contoso.com`;
const labelOf = (number: number): string => `mail${number}@contoso.com`;

const member = (number: number, of: Partial<ActualMember> = {}): ActualMember => ({
  id: idOf(number),
  type: 'user',
  label: labelOf(number),
  names: [`upn${number}@contoso.com`, labelOf(number)],
  ...of,
});
const row = (number: number, state: ManagedMember['state'], of: Partial<ManagedMember> = {}): ManagedMember => ({
  entraId: idOf(number),
  oktaUserId: userIdOf(number),
  login: loginOf(number),
  label: labelOf(number),
  state,
  changedAtMs: longAgoMs,
  ...of,
});
const pin = (number: number, of: Partial<PushPerson> = {}): PushPerson => ({
  oktaUserId: userIdOf(number),
  login: loginOf(number),
  entraId: idOf(number),
  label: labelOf(number),
  matchedBy: 'externalId',
  problem: null,
  ...of,
});
const problem = (code: FaultCode): PushPerson['problem'] => ({ code, message: 'So it is.', sinceMs: 0 });
const matchedTo = (number: number): Match => ({
  type: 'matched',
  entraId: idOf(number).toUpperCase(),
  label: labelOf(number),
  matchedBy: 'externalId',
});
const failed = (code: FaultCode): Match => ({ type: 'failed', code, message: 'So it is.' });
const changed: Match = { type: 'changed', code: 'match_changed', message: 'Is somebody else now.' };

type Wanted = PushPlanInput['desired'][number];
const wants = (number: number, match: Match = matchedTo(number)): Wanted => ({
  person: { id: userIdOf(number), login: loginOf(number), status: 'ACTIVE' },
  match,
});
const rowsOf = (...rows: ManagedMember[]) => new Map(rows.map((each) => [each.entraId.toLowerCase(), each]));
const peopleOf = (...people: PushPerson[]) => new Map(people.map((each) => [each.oktaUserId, each]));
const users = (...numbers: number[]) => new Set(numbers.map(userIdOf));

const input = (of: Partial<PushPlanInput>): PushPlanInput => ({
  targetId,
  authority: 'managed',
  actual: [],
  desired: [],
  scope: null,
  pinged: new Set(),
  people: new Map(),
  managed: new Map(),
  adoptMembers: false,
  mayRemove: () => 'yes',
  nowMs,
  ...of,
});
const plan = (of: Partial<PushPlanInput>): PushPlan => planPush(input(of));
const idsIn = (changes: readonly { entraId: string }[]): string[] =>
  changes.map(({ entraId }) => entraId.toLowerCase()).sort();
const ids = (...numbers: number[]): string[] => numbers.map(idOf).sort();

describe('who is desired', () => {
  test.each(countableStatuses)('is who is %s, where the mapping says so', (status) => {
    expect(isDesired({ id: '1', login: 'a', status }, [status])).toBe(true);
    expect(isDesired({ id: '1', login: 'a', status }, [])).toBe(false);
    expect(isDesired({ id: '1', login: 'a', status }, defaultStatuses)).toBe(defaultStatuses.includes(status));
  });

  test.each(['DEPROVISIONED', 'active', '', 'BRAND_NEW'])(
    'is never who is "%s", whatever the mapping says',
    (status) => {
      const anything = [...countableStatuses, status] as typeof defaultStatuses;
      expect(isDesired({ id: '1', login: 'a', status }, anything)).toBe(false);
    },
  );
});

describe('a plan adds', () => {
  test('who is desired and no member, once for two Okta users who are one in Entra', () => {
    const result = plan({ desired: [wants(1), wants(2, matchedTo(1)), wants(3)], actual: [member(3)] });
    expect(result.adds).toEqual([
      {
        entraId: idOf(1).toUpperCase(),
        oktaUserId: userIdOf(1),
        login: loginOf(1),
        label: labelOf(1),
        isOurs: false,
      },
    ]);
    expect(result).toMatchObject({ actualCount: 1, desiredCount: 3, unchangedCount: 1, removes: [], kept: [] });
  });

  test.each<[string, ManagedMember | null, boolean, { adds: boolean; isOurs?: boolean }]>([
    ['nobody who is shown', null, true, { adds: false }],
    ['whom a crash has left half added, though shown', row(1, 'adding'), true, { adds: true, isOurs: true }],
    ['whom a crash has left half added', row(1, 'adding'), false, { adds: true, isOurs: true }],
    ['whom a crash has left half removed', row(1, 'removing'), true, { adds: true, isOurs: true }],
    [
      'nobody added just now whom Graph does not show yet',
      row(1, 'added', { changedAtMs: justNowMs }),
      false,
      { adds: false },
    ],
    ['whom somebody else has removed', row(1, 'added'), false, { adds: true, isOurs: true }],
    [
      'whom we removed just now, though shown',
      row(1, 'removed', { changedAtMs: justNowMs }),
      true,
      { adds: true, isOurs: false },
    ],
    ['nobody who came back by other hands', row(1, 'removed'), true, { adds: false }],
    ['whom we removed long ago', row(1, 'removed'), false, { adds: true, isOurs: false }],
  ])('%s', (_what, managed, isShown, { adds, isOurs }) => {
    const result = plan({
      desired: [wants(1)],
      actual: isShown ? [member(1)] : [],
      managed: rowsOf(...(managed === null ? [] : [managed])),
    });
    expect(result.adds.map((each) => each.isOurs)).toEqual(adds ? [isOurs] : []);
    expect(result).toMatchObject({ removes: [], kept: [], unchangedCount: adds ? 0 : 1, actualCount: adds ? 0 : 1 });
  });

  test('whom somebody else removed, and says so', () => {
    const gone = row(1, 'added');
    expect(plan({ desired: [wants(1)], managed: rowsOf(gone) }).drift.removedOutside).toEqual([gone]);
    const states = (['adding', 'removing', 'removed'] as const).map((state) => row(1, state));
    for (const each of [...states, row(1, 'added', { changedAtMs: justNowMs })]) {
      expect(plan({ desired: [wants(1)], managed: rowsOf(each) }).drift.removedOutside).toEqual([]);
    }
    expect(plan({ managed: rowsOf(gone) }).drift.removedOutside).toEqual([]);
  });

  test('for whom the managed set has it', () => {
    const managed = rowsOf(row(1, 'adding', { oktaUserId: userIdOf(2) }));
    const desired = [wants(1), wants(2, matchedTo(1))];
    expect(plan({ desired, managed }).adds).toMatchObject([{ oktaUserId: userIdOf(2), login: loginOf(2) }]);
  });
});

describe('members who are desired and there already', () => {
  test('become managed where the mapping adopts, and only those that are not', () => {
    const of = { desired: [wants(1), wants(2), wants(3)], actual: [member(1), member(2), member(3)] };
    const managed = rowsOf(row(2, 'added'), row(3, 'removed'));
    expect(plan({ ...of, managed, adoptMembers: true })).toMatchObject({
      adopts: [{ label: labelOf(1), isOurs: false }, { label: labelOf(3) }],
      adds: [],
      forgets: [],
      unchangedCount: 3,
    });
    expect(plan({ ...of, managed })).toMatchObject({ adopts: [], adds: [], forgets: ids(3), unchangedCount: 3 });
  });

  test('are no drift, whoever added them', () => {
    const result = plan({ desired: [wants(1)], actual: [member(1)] });
    expect(result.drift).toEqual({ addedOutside: [], removedOutside: [] });
  });
});

describe('a plan removes', () => {
  const outsider = member(5);
  const leaver = member(1);
  const managed = rowsOf(row(1, 'added'));

  test.each<[Authority, string[], string[]]>([
    ['additive', [], ids(1, 5)],
    ['managed', ids(1), ids(5)],
    ['exclusive', ids(1, 5), []],
  ])('as far as authority %s goes, and says what exclusive would do', (authority, removed, beyond) => {
    const result = plan({ authority, actual: [outsider, leaver], managed });
    expect(idsIn(result.removes)).toEqual(removed);
    expect(idsIn(result.kept)).toEqual(beyond);
    expect(result.kept.every(({ code, message }) => code === null && message.includes(`"${authority}"`))).toBe(true);
    expect(result.exclusiveWouldRemove.map(({ id }) => id).sort()).toEqual(beyond);
    expect(result.drift.addedOutside).toEqual([outsider]);
  });

  test('what is its own by the managed set, and others by what Graph shows', () => {
    expect(plan({ authority: 'exclusive', actual: [outsider, leaver], managed }).removes).toEqual([
      { entraId: idOf(5), oktaUserId: null, login: null, label: labelOf(5), isOurs: false },
      { entraId: idOf(1), oktaUserId: userIdOf(1), login: loginOf(1), label: labelOf(1), isOurs: true },
    ]);
  });

  test.each<[string, ManagedMember, boolean, 'removed' | 'forgotten' | 'left']>([
    ['removes whom it added and Graph shows', row(1, 'added'), true, 'removed'],
    ['removes whom it added just now', row(1, 'added', { changedAtMs: justNowMs }), false, 'removed'],
    ['forgets whom it added and somebody removed', row(1, 'added'), false, 'forgotten'],
    ['removes whom a crash left half added', row(1, 'adding', { changedAtMs: justNowMs }), false, 'removed'],
    ['removes whom a crash left half added long ago', row(1, 'adding'), true, 'removed'],
    ['forgets whom an add begun long ago never brought', row(1, 'adding'), false, 'forgotten'],
    ['removes again whom a crash left half removed', row(1, 'removing', { changedAtMs: justNowMs }), false, 'removed'],
    ['removes again whom a crash left half removed and is there', row(1, 'removing'), true, 'removed'],
    ['forgets whom a removal begun long ago has taken', row(1, 'removing'), false, 'forgotten'],
    ['leaves whom it removed just now, though shown', row(1, 'removed', { changedAtMs: justNowMs }), true, 'left'],
    ['forgets whom it removed', row(1, 'removed'), false, 'forgotten'],
  ])('or rather: %s', (_what, managedRow, isShown, fate) => {
    for (const authority of ['managed', 'exclusive'] as const) {
      const result = plan({ authority, actual: isShown ? [leaver] : [], managed: rowsOf(managedRow) });
      expect(result.removes.map(({ entraId, label }) => [entraId, label])).toEqual(
        fate === 'removed' ? [[idOf(1), labelOf(1)]] : [],
      );
      expect(result.forgets).toEqual(fate === 'forgotten' ? ids(1) : []);
      expect(result).toMatchObject({ kept: [], actualCount: fate === 'removed' ? 1 : 0, exclusiveWouldRemove: [] });
      expect(result.drift).toEqual({ addedOutside: [], removedOutside: [] });
    }
  });

  test('whom it removed long ago and others brought back only where it may remove others', () => {
    const of = { actual: [leaver], managed: rowsOf(row(1, 'removed')) };
    const kept = plan(of);
    expect(kept).toMatchObject({ removes: [], kept: [{ entraId: idOf(1) }], forgets: ids(1) });
    expect(kept.drift.addedOutside).toEqual([leaver]);
    expect(plan({ ...of, authority: 'exclusive' })).toMatchObject({
      removes: [{ oktaUserId: null, isOurs: false }],
      forgets: [],
    });
  });

  test.each(['user', 'group', 'orgContact', 'device', 'servicePrincipal'])(
    'a %s like any other with authority exclusive',
    (type) => {
      expect(idsIn(plan({ authority: 'exclusive', actual: [member(1, { type })] }).removes)).toEqual(ids(1));
    },
  );

  test('nobody who is never to be removed, and says why', () => {
    const asked: unknown[] = [];
    const result = plan({
      authority: 'exclusive',
      actual: [outsider, leaver],
      managed,
      mayRemove: ({ id, names }) => {
        asked.push([id, ...names]);
        return id === idOf(1) ? 'never_remove' : 'protected';
      },
    });
    expect(asked).toEqual([
      [idOf(5), 'upn5@contoso.com', labelOf(5)],
      [idOf(1), 'upn1@contoso.com', labelOf(1), loginOf(1), labelOf(1)],
    ]);
    expect(result).toMatchObject({ removes: [], exclusiveWouldRemove: [] });
    expect(result.kept).toEqual([
      {
        entraId: idOf(5),
        label: labelOf(5),
        code: 'protected_object',
        message: 'Is not removed: it is listed in PROTECTED_USERS.',
      },
      {
        entraId: idOf(1),
        label: labelOf(1),
        code: null,
        message: 'Is not removed: it is listed in neverRemove of the mapping.',
      },
    ]);
  });

  test('nobody whom another Okta user still wants', () => {
    const people = peopleOf(pin(1), pin(2, { entraId: idOf(1) }));
    const result = plan({ desired: [wants(2, matchedTo(1))], actual: [leaver], managed, people });
    expect(result).toMatchObject({ removes: [], adds: [], unchangedCount: 1 });
    expect(idsIn(plan({ actual: [leaver], managed, people }).removes)).toEqual(ids(1));
  });
});

describe('a desired person who cannot be resolved', () => {
  test('is listed, waiting for a mailbox or not', () => {
    const desired = [wants(1, failed('no_mailbox')), wants(2, failed('member_not_found')), wants(3, changed)];
    expect(plan({ desired })).toMatchObject({ desiredCount: 3, adds: [], unchangedCount: 0 });
    expect(plan({ desired }).unresolved).toEqual([
      { oktaUserId: '00u1', login: loginOf(1), code: 'no_mailbox', message: 'So it is.', isWaiting: true },
      { oktaUserId: '00u2', login: loginOf(2), code: 'member_not_found', message: 'So it is.', isWaiting: false },
      {
        oktaUserId: '00u3',
        login: loginOf(3),
        code: 'match_changed',
        message: 'Is somebody else now.',
        isWaiting: false,
      },
    ]);
  });

  test.each<[string, Match, boolean]>([
    ['nobody', failed('member_not_found'), true],
    ['several', failed('ambiguous_member'), true],
    ['somebody else than before', changed, true],
    ['somebody without a mailbox yet', failed('no_mailbox'), false],
    ['protected', failed('protected_object'), false],
    ['of a kind that is no member', failed('member_kind_not_allowed'), false],
  ])('who is %s may hold back removals of users that the mapping has not added', (_what, match, isHeld) => {
    const guest = member(5);
    const contact = member(6, { type: 'orgContact' });
    const result = plan({
      authority: 'exclusive',
      desired: [wants(9, match)],
      actual: [guest, contact, member(1)],
      managed: rowsOf(row(1, 'added')),
    });
    expect(idsIn(result.removes)).toEqual(isHeld ? ids(1, 6) : ids(1, 5, 6));
    expect(result.kept).toEqual(
      isHeld
        ? [
            {
              entraId: idOf(5),
              label: labelOf(5),
              code: 'held_back',
              message: 'Is not removed while a desired person cannot be resolved: it might be this member.',
            },
          ]
        : [],
    );
    expect(result.exclusiveWouldRemove).toEqual([]);
  });

  test('holds nobody back whom authority managed removes', () => {
    const result = plan({ desired: [wants(9, changed)], actual: [member(1)], managed: rowsOf(row(1, 'added')) });
    expect(idsIn(result.removes)).toEqual(ids(1));
  });

  describe.each<[string, Match]>([
    ['failed', failed('member_not_found')],
    ['changed', changed],
    ['waiting', failed('no_mailbox')],
  ])('(%s) keeps in', (_what, match) => {
    const desired = [wants(1, match)];
    const heldBack = (of: Partial<PushPlanInput>) => {
      for (const authority of ['managed', 'exclusive'] as const) {
        const result = plan({ authority, desired, ...of });
        expect(result.removes).toEqual([]);
        expect(result.kept.map(({ code }) => code)).toEqual(['held_back']);
        expect(result.adds).toEqual([]);
      }
    };

    test('whom the mapping added for it', () => {
      heldBack({ actual: [member(7)], managed: rowsOf(row(7, 'added', { oktaUserId: userIdOf(1) })) });
    });

    test('whom the mapping added by its login, for an Okta user that was', () => {
      const managed = rowsOf(row(7, 'added', { login: loginOf(1).toUpperCase() }));
      heldBack({ actual: [member(7)], managed });
    });

    test('whom it is pinned to', () => {
      heldBack({
        actual: [member(1)],
        managed: rowsOf(row(1, 'added', { oktaUserId: '00uOld' })),
        people: peopleOf(pin(1, { login: 'old@contoso.com' })),
      });
      const foreign = plan({
        authority: 'exclusive',
        desired,
        actual: [member(1)],
        people: peopleOf(pin(1, { login: 'old@contoso.com' })),
      });
      expect(foreign.removes).toEqual([]);
      expect(foreign.drift.addedOutside).toEqual([]);
      expect(foreign.kept).toMatchObject([
        { code: 'held_back', message: expect.stringContaining('is who a desired person was') },
      ]);
    });

    test('who bears its login', () => {
      const result = plan({
        authority: 'exclusive',
        desired,
        actual: [member(7, { names: [null, loginOf(1).toUpperCase()] })],
      });
      expect(result).toMatchObject({ removes: [], kept: [{ code: 'held_back' }], drift: { addedOutside: [] } });
    });
  });
});

describe('a plan about some people', () => {
  test.each<[string, ManagedMember | null, boolean, boolean]>([
    ['adds who is new', null, true, true],
    ['adds who may be there, without a ping too', null, false, true],
    ['adds who is known to be in, to heal what others did', row(1, 'added'), true, true],
    ['adds nobody who is known to be in and was not pinged', row(1, 'added'), false, false],
    ['finishes what a crash left', row(1, 'adding'), false, true],
    ['takes a removal back', row(1, 'removing'), false, true],
    ['adds whom it removed just now', row(1, 'removed', { changedAtMs: justNowMs }), false, true],
    ['adds whom it removed', row(1, 'removed'), true, true],
  ])('that did not ask Graph %s', (_what, managed, isPinged, adds) => {
    const result = plan({
      actual: null,
      scope: users(1),
      pinged: isPinged ? users(1) : new Set(),
      desired: [wants(1)],
      managed: rowsOf(...(managed === null ? [] : [managed])),
    });
    expect(idsIn(result.adds)).toEqual(adds ? ids(1) : []);
    expect(result).toMatchObject({ actualCount: null, forgets: [], removes: [], unchangedCount: adds ? 0 : 1 });
    expect(result.drift.removedOutside).toEqual([]);
  });

  test('heals who was added just now and is not shown, where it was pinged', () => {
    const of = { scope: users(1), desired: [wants(1)], managed: rowsOf(row(1, 'added', { changedAtMs: justNowMs })) };
    expect(plan({ ...of, pinged: users(1) })).toMatchObject({ adds: [{ isOurs: true }], actualCount: 0 });
    expect(plan({ ...of, pinged: users(1), actual: [member(1)] }).adds).toEqual([]);
    expect(plan({ ...of, pinged: users(2) }).adds).toEqual([]);
  });

  test.each<[Authority, ManagedMember | null, 'removed' | 'kept' | 'forgotten' | 'left']>([
    ['managed', row(1, 'added'), 'removed'],
    ['managed', row(1, 'adding'), 'removed'],
    ['managed', row(1, 'removing'), 'removed'],
    ['managed', row(1, 'removed'), 'forgotten'],
    ['managed', row(1, 'removed', { changedAtMs: justNowMs }), 'left'],
    ['managed', null, 'kept'],
    ['exclusive', row(1, 'added'), 'removed'],
    ['exclusive', row(1, 'removed', { changedAtMs: justNowMs }), 'left'],
    ['exclusive', null, 'removed'],
    ['additive', row(1, 'added'), 'kept'],
    ['additive', null, 'kept'],
  ])('who left: authority %s with %j', (authority, managed, fate) => {
    const result = plan({
      authority,
      actual: null,
      scope: users(1),
      pinged: users(1),
      people: peopleOf(pin(1, { entraId: idOf(1).toUpperCase() })),
      managed: rowsOf(...(managed === null ? [] : [managed])),
    });
    expect(idsIn(result.removes)).toEqual(fate === 'removed' ? ids(1) : []);
    expect(idsIn(result.kept)).toEqual(fate === 'kept' ? ids(1) : []);
    expect(result.forgets).toEqual(fate === 'forgotten' ? ids(1) : []);
    expect([...result.removes, ...result.kept].map(({ label }) => label)).toEqual(
      fate === 'removed' || fate === 'kept' ? [labelOf(1)] : [],
    );
    expect(result.removes.map(({ isOurs, oktaUserId }) => [isOurs, oktaUserId])).toEqual(
      fate !== 'removed' ? [] : [managed === null ? [false, null] : [true, userIdOf(1)]],
    );
    expect(result.adds).toEqual([]);
  });

  test('has nobody to remove where a person never got a mailbox, and removes who was in all the same', () => {
    const of = { authority: 'exclusive' as const, actual: null, scope: users(1) };
    expect(plan({ ...of, people: peopleOf(pin(1, { problem: problem('no_mailbox') })) })).toMatchObject({
      removes: [],
      kept: [],
    });
    expect(idsIn(plan({ ...of, people: peopleOf(pin(1, { problem: problem('upstream_failed') })) }).removes)).toEqual(
      ids(1),
    );
    const people = peopleOf(pin(1, { problem: problem('no_mailbox') }));
    expect(idsIn(plan({ ...of, people, managed: rowsOf(row(1, 'added')) }).removes)).toEqual(ids(1));
    expect(idsIn(plan({ ...of, people, actual: [member(1)] }).removes)).toEqual(ids(1));
  });

  test('keeps whom another person of the group is pinned to', () => {
    const people = peopleOf(pin(1), pin(2, { entraId: idOf(1) }));
    for (const authority of ['managed', 'exclusive'] as const) {
      const result = plan({ authority, actual: null, scope: users(1), people, managed: rowsOf(row(1, 'added')) });
      expect(result).toMatchObject({
        removes: [],
        kept: [{ code: null, message: expect.stringContaining('another Okta user') }],
      });
    }
    const both = plan({ actual: null, scope: users(1, 2), people, managed: rowsOf(row(1, 'added')) });
    expect(idsIn(both.removes)).toEqual(ids(1));
  });

  test('leaves to another person whom that one wants, and calls objects what Entra calls them', () => {
    const of = { scope: users(1), actual: [], desired: [wants(2, matchedTo(1))], managed: rowsOf(row(1, 'added')) };
    expect(plan(of)).toMatchObject({ adds: [], removes: [], kept: [], forgets: [] });
    const upper = member(1, { id: idOf(1).toUpperCase() });
    const result = plan({ authority: 'exclusive', actual: [upper] });
    expect(result.removes.map(({ entraId }) => entraId)).toEqual([upper.id]);
  });

  test('removes who was matched before, once it has been matched anew', () => {
    const result = plan({
      actual: null,
      scope: users(1),
      desired: [wants(1, matchedTo(2))],
      managed: rowsOf(row(1, 'added')),
    });
    expect(idsIn(result.removes)).toEqual(ids(1));
    expect(idsIn(result.adds)).toEqual(ids(2));
  });

  test('is held back by people whom it has not looked at', () => {
    const of = { authority: 'exclusive' as const, actual: null, scope: users(1) };
    const unknown = pin(9, { entraId: null, problem: problem('member_not_found') });
    expect(plan({ ...of, people: peopleOf(pin(1), unknown) })).toMatchObject({
      removes: [],
      kept: [{ code: 'held_back' }],
      unresolved: [],
    });
    expect(idsIn(plan({ ...of, people: peopleOf(pin(1), pin(9)) }).removes)).toEqual(ids(1));
    const settledNow = { ...of, scope: users(1, 9), people: peopleOf(pin(1), unknown) };
    expect(idsIn(plan(settledNow).removes)).toEqual(ids(1));
    const waiting = pin(9, { problem: problem('no_mailbox'), login: loginOf(1).toUpperCase() });
    expect(plan({ ...of, people: peopleOf(waiting), managed: rowsOf(row(1, 'added')) }).removes).toEqual([]);
    // Whoever reads all people knows who is unresolved now.
    const whole = plan({ authority: 'exclusive', actual: [member(1)], people: peopleOf(unknown) });
    expect(idsIn(whole.removes)).toEqual(ids(1));
  });

  test('lists those of them that cannot be resolved', () => {
    const desired = [wants(1, failed('member_not_found')), wants(2, failed('member_not_found'))];
    expect(plan({ actual: null, scope: users(1), desired }).unresolved.map(({ oktaUserId }) => oktaUserId)).toEqual([
      '00u1',
    ]);
  });
});

/** Six objects in Entra, eight Okta users, and whatever may be known of them. */
const objectCount = 6;
const userCount = 8;
const states = fc.constantFrom<ManagedMember['state']>('adding', 'added', 'removing', 'removed');
const matches = fc.oneof(
  { weight: 6, arbitrary: fc.nat(objectCount - 1).map(matchedTo) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<FaultCode>('member_not_found', 'no_mailbox', 'protected_object').map(failed),
  },
  { weight: 1, arbitrary: fc.constant(changed) },
);

interface World {
  readonly input: PushPlanInput;
  /** Who really is a member. */
  readonly truth: ReadonlySet<string>;
}

const world = (unresolvedToo = true): fc.Arbitrary<World> =>
  fc
    .record({
      authority: fc.constantFrom(...authorities),
      adoptMembers: fc.boolean(),
      objects: fc.array(
        fc.record({
          isMember: fc.boolean(),
          isShownWrongly: fc.boolean(),
          type: fc.constantFrom('user', 'user', 'user', 'orgContact', 'group'),
          permission: fc.constantFrom('yes', 'yes', 'yes', 'never_remove', 'protected' as const),
          row: fc.option(fc.record({ state: states, isFresh: fc.boolean(), user: fc.nat(userCount - 1) })),
        }),
        { minLength: objectCount, maxLength: objectCount },
      ),
      desired: fc.array(
        fc.record({
          isDesired: fc.boolean(),
          match: matches,
          pinnedTo: fc.nat(objectCount - 1),
          isPinned: fc.boolean(),
        }),
        {
          minLength: userCount,
          maxLength: userCount,
        },
      ),
    })
    .map(({ authority, adoptMembers, objects, desired }): World => {
      const rows = objects.flatMap((each, number) =>
        each.row === null
          ? []
          : row(number, each.row.state, {
              oktaUserId: userIdOf(each.row.user),
              login: loginOf(each.row.user),
              changedAtMs: each.row.isFresh ? justNowMs : longAgoMs,
            }),
      );
      const managed = rowsOf(...rows);
      const truth = new Set<string>();
      const actual: ActualMember[] = [];
      for (const [number, { isMember, isShownWrongly, type }] of objects.entries()) {
        const known = managed.get(idOf(number));
        const isFresh = known?.changedAtMs === justNowMs;
        const isIn =
          isFresh && known.state === 'added' ? true : isFresh && known.state === 'removed' ? false : isMember;
        if (isIn) truth.add(idOf(number));
        // Graph is behind our own writes, and only behind these.
        if (isFresh && isShownWrongly ? !isIn : isIn) actual.push(member(number, { type }));
      }
      const wanted = desired
        .map((each, number) => ({ ...each, number }))
        .filter(({ isDesired: is, match }) => is && (unresolvedToo || match.type === 'matched'));
      return {
        truth,
        input: input({
          authority,
          adoptMembers,
          actual,
          managed,
          desired: wanted.map(({ number, match }) => wants(number, match)),
          people: peopleOf(
            ...desired.flatMap(({ match, isPinned, pinnedTo }, number) =>
              match.type === 'matched'
                ? pin(number, { entraId: match.entraId })
                : isPinned
                  ? pin(number, { entraId: idOf(pinnedTo), problem: problem(match.code) })
                  : [],
            ),
          ),
          mayRemove: ({ id }) => objects.find((_, number) => idOf(number) === id)?.permission ?? 'yes',
        }),
      };
    });

const withScope = world().chain((each) =>
  fc
    .record({
      scope: fc.subarray(Array.from({ length: userCount }, (_, number) => number)),
      ping: fc.boolean(),
      reads: fc.boolean(),
    })
    .map(({ scope, ping, reads }): World => ({
      ...each,
      input: {
        ...each.input,
        actual: reads ? each.input.actual : null,
        scope: users(...scope),
        pinged: ping ? users(...scope) : new Set(),
        desired: each.input.desired.filter(({ person }) => users(...scope).has(person.id)),
      },
    })),
);
const anyWorld = fc.oneof(world(), withScope);

const wantedIds = ({ desired }: PushPlanInput): Set<string> =>
  new Set(desired.flatMap(({ match }) => (match.type === 'matched' ? match.entraId.toLowerCase() : [])));
const managedIn = ({ managed }: PushPlanInput, id: string): ManagedMember | undefined => {
  const found = managed.get(id);
  return found?.state === 'removed' ? undefined : found;
};

/** Does what a plan says, as the writer of members would. */
function carryOut({ input: before, truth }: World, { adds, removes, adopts, forgets }: PushPlan): World {
  const members = new Set(truth);
  const managed = new Map(before.managed);
  const note = (id: string, state: 'added' | 'removed', oktaUserId: string | null) =>
    managed.set(id, { ...row(0, state), entraId: id, oktaUserId: oktaUserId ?? '', changedAtMs: nowMs });
  for (const { entraId, oktaUserId, isOurs } of adds) {
    const id = entraId.toLowerCase();
    if (!members.has(id) || isOurs || before.adoptMembers) note(id, 'added', oktaUserId);
    else managed.delete(id);
    members.add(id);
  }
  for (const { entraId, oktaUserId, isOurs } of removes) {
    members.delete(entraId.toLowerCase());
    if (isOurs) note(entraId.toLowerCase(), 'removed', oktaUserId);
  }
  for (const { entraId, oktaUserId } of adopts) note(entraId.toLowerCase(), 'added', oktaUserId);
  for (const id of forgets) expect(managed.delete(id)).toBe(true);
  return { input: { ...before, managed, pinged: new Set() }, truth: members };
}

const shownAs = (truth: Iterable<string>, known: readonly ActualMember[]): ActualMember[] =>
  [...truth].map((id) => known.find((each) => each.id === id) ?? { id, type: 'user', label: id, names: [] });

describe('whatever is known', () => {
  test('leaves exactly the desired and those that authority and the rules keep', () => {
    fc.assert(
      fc.property(world(), (each) => {
        const { input: given, truth } = each;
        const wanted = wantedIds(given);
        const unresolved = given.desired.filter(({ match }) => match.type !== 'matched');
        const isUnknown = unresolved.some(
          ({ match }) => match.type === 'changed' || (match.type === 'failed' && match.code === 'member_not_found'),
        );
        const stays = [...truth].filter((id) => {
          if (wanted.has(id)) return true;
          const ours = managedIn(given, id);
          if (given.authority === 'additive' || (given.authority === 'managed' && ours === undefined)) return true;
          if (given.mayRemove({ id, names: [] }) !== 'yes') return true;
          const isSomebody = unresolved.some(
            ({ person }) =>
              ours?.oktaUserId === person.id || given.people.get(person.id)?.entraId?.toLowerCase() === id,
          );
          const type = given.actual?.find((shown) => shown.id === id)?.type ?? 'user';
          return isSomebody || (isUnknown && ours === undefined && type === 'user');
        });
        const after = carryOut(each, planPush(given)).truth;
        expect([...after].sort()).toEqual([...new Set([...wanted, ...stays])].sort());
      }),
      { numRuns: 2_000 },
    );
  });

  test('has nothing left to do once it is done, whether Graph shows it already or not', () => {
    fc.assert(
      fc.property(world(), (each) => {
        const first = planPush(each.input);
        const done = carryOut(each, first);
        const known = each.input.actual ?? [];
        const foreign = new Set(first.removes.filter(({ isOurs }) => !isOurs).map(({ entraId }) => entraId));
        const behind = known.filter(({ id }) => !foreign.has(id));
        const shown = shownAs(done.truth, known);
        for (const later of [{ actual: shown }, { actual: behind }, { actual: shown, nowMs: nowMs + graphLagMs }]) {
          const again = planPush({ ...done.input, ...later });
          expect(again).toMatchObject({ adds: [], removes: [], adopts: [], drift: { removedOutside: [] } });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('says of each object one thing, and counts each once', () => {
    fc.assert(
      fc.property(anyWorld, ({ input: given }) => {
        const { adds, removes, adopts, forgets, kept, unchangedCount, actualCount } = planPush(given);
        const changes = [...idsIn(adds), ...idsIn(removes), ...idsIn(adopts)];
        expect(new Set([...changes, ...forgets]).size).toBe(changes.length + forgets.length);
        const untouched = new Set([...idsIn(adds), ...idsIn(removes), ...idsIn(kept)]);
        expect(untouched.size).toBe(adds.length + removes.length + kept.length);
        if (given.actual === null) expect(actualCount).toBeNull();
        else if (given.scope === null) expect(unchangedCount + kept.length + removes.length).toBe(actualCount);
      }),
      { numRuns: 1_000 },
    );
  });

  test('counts members so that the guards know the size that comes out', () => {
    fc.assert(
      fc.property(world(), (each) => {
        const isOpen = [...each.input.managed.values()].some(({ state }) => state === 'adding' || state === 'removing');
        fc.pre(!isOpen);
        const result = planPush(each.input);
        const size = (result.actualCount ?? Number.NaN) - result.removes.length + result.adds.length;
        expect(size).toBe(carryOut(each, result).truth.size);
      }),
    );
  });

  test('removes nobody because of somebody who cannot be resolved', () => {
    const codes = fc.constantFrom<Match>(
      failed('member_not_found'),
      failed('no_mailbox'),
      failed('protected_object'),
      changed,
    );
    fc.assert(
      fc.property(anyWorld, fc.nat(), codes, ({ input: given }, which, match) => {
        const resolved = given.desired.filter((each) => each.match.type === 'matched');
        const lost = resolved[which % resolved.length];
        fc.pre(lost !== undefined);
        const before = new Set(idsIn(planPush(given).removes));
        const desired = given.desired.map((each) => (each === lost ? { ...each, match } : each));
        for (const id of idsIn(planPush({ ...given, desired }).removes)) expect(before.has(id)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('removes nobody who is desired, nor whom the rules protect, nor beyond its authority', () => {
    fc.assert(
      fc.property(anyWorld, ({ input: given }) => {
        const { removes } = planPush(given);
        if (given.authority === 'additive') expect(removes).toEqual([]);
        for (const id of idsIn(removes)) {
          expect(wantedIds(given).has(id)).toBe(false);
          expect(given.mayRemove({ id, names: [] })).toBe('yes');
          if (given.authority === 'managed') expect(managedIn(given, id)).toBeDefined();
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('changes nothing of anybody whom it is not about', () => {
    fc.assert(
      fc.property(withScope, ({ input: given }) => {
        const { adds, removes, adopts, forgets, kept, unresolved } = planPush(given);
        const isInScope = (oktaUserId: string | null) => oktaUserId !== null && given.scope?.has(oktaUserId) === true;
        for (const each of [...adds, ...adopts, ...unresolved]) expect(isInScope(each.oktaUserId)).toBe(true);
        for (const id of [...idsIn(removes), ...idsIn(kept), ...forgets]) {
          const owners = [
            given.managed.get(id),
            ...[...given.people.values()].filter(({ entraId }) => entraId?.toLowerCase() === id),
          ];
          expect(
            owners.some((each) => each !== undefined && isInScope(each.oktaUserId)) || wantedIds(given).has(id),
          ).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('removes of some people nobody whom a whole plan would not remove', () => {
    fc.assert(
      fc.property(
        world(false),
        fc.subarray(Array.from({ length: userCount }, (_, number) => number)),
        ({ input: given }, some) => {
          const scope = users(...some);
          const desired = given.desired.filter(({ person }) => scope.has(person.id));
          const whole = new Set(idsIn(planPush(given).removes));
          for (const id of idsIn(planPush({ ...given, desired, scope }).removes)) expect(whole.has(id)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('tells by authority exclusive what it would do, without doing it', () => {
    fc.assert(
      fc.property(world(), ({ input: given }) => {
        const { removes, exclusiveWouldRemove } = planPush(given);
        const exclusive = planPush({ ...given, authority: 'exclusive' });
        const shown = new Set(given.actual?.map(({ id }) => id));
        const told = [...idsIn(removes), ...exclusiveWouldRemove.map(({ id }) => id)].filter((id) => shown.has(id));
        expect(told.sort()).toEqual(idsIn(exclusive.removes).filter((id) => shown.has(id)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('has one planId for the same changes, in whatever order and case they are found', () => {
    const orders = world().chain((each) =>
      fc.record({
        given: fc.constant(each.input),
        desired: fc.shuffledSubarray([...each.input.desired], { minLength: each.input.desired.length }),
        actual: fc.shuffledSubarray([...(each.input.actual ?? [])], { minLength: each.input.actual?.length ?? 0 }),
      }),
    );
    fc.assert(
      fc.property(orders, ({ given, desired, actual }) => {
        const upper = actual.map((each) => ({ ...each, id: each.id.toUpperCase() }));
        const mayRemove: PushPlanInput['mayRemove'] = ({ id, names }) =>
          given.mayRemove({ id: id.toLowerCase(), names });
        const other = planPush({ ...given, targetId: targetId.toUpperCase(), desired, actual: upper, mayRemove });
        const { planId, ...rest } = planPush(given);
        expect(other.planId).toBe(planId);
        expect(planId).toMatch(/^[0-9a-f]{32}$/);
        expect(planPush({ ...given, targetId: idOf(1) }).planId).not.toBe(planId);
        if (rest.adds.length + rest.removes.length > 0) expect(planId).not.toBe(plan({}).planId);
      }),
    );
  });
});

describe('the guard on additions', () => {
  const judge = (addCount: number, maxAdditions: number | null, recent: { atMs: number; count: number }[] = []) =>
    judgeAdditions({ addCount, recent, maxAdditions, nowMs });

  test.each<[string, number, number | null, [number, number][], boolean]>([
    ['any number where the mapping sets none', 100_000, null, [[nowMs, 9]], false],
    ['as many as the mapping allows', 10, 10, [], false],
    ['one more', 11, 10, [], true],
    [
      'what those of the last 24 hours leave',
      6,
      10,
      [
        [nowMs - hourMs, 3],
        [nowMs - 24 * hourMs + 1, 1],
      ],
      false,
    ],
    [
      'more than these leave',
      7,
      10,
      [
        [nowMs - hourMs, 3],
        [nowMs - 24 * hourMs + 1, 1],
      ],
      true,
    ],
    ['as many again a day later', 10, 10, [[nowMs - 24 * hourMs, 10]], false],
    ['one where none may come', 1, 0, [], true],
    ['nothing, however many have come', 0, 3, [[nowMs, 9]], false],
  ])('on %s', (_what, addCount, maxAdditions, recent, isRefused) => {
    const fault = judge(
      addCount,
      maxAdditions,
      recent.map(([atMs, count]) => ({ atMs, count })),
    );
    expect(fault?.code ?? null).toBe(isRefused ? 'too_many_additions' : null);
  });

  test('names the numbers and how to allow it', () => {
    expect(judge(8, 10, [{ atMs: nowMs, count: 3 }])).toMatchObject({
      message:
        '8 members would be added; 10 may come within 24 hours, and 3 were added in the last 24 hours. Nothing was written.',
      fix: expect.stringContaining('raise "maxAdditions" of the mapping to 11 or more'),
    });
    expect(judge(8, 7)?.message).toBe('8 members would be added; 7 may come within 24 hours. Nothing was written.');
  });
});
