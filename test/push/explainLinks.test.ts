import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Facts, type Finding, notAsked } from '../../shared/push/explain/facts.ts';
import { type Link, linkNames, linksOf } from '../../shared/push/explain/links.ts';
import { conclude } from '../../shared/push/explain/verdict.ts';
import type { PushMapping } from '../../shared/push/mapping.ts';
import { defaultSettings } from '../../shared/push/mappings/mappingSettings.ts';
import { graphLagMs } from '../../shared/push/memberStanding.ts';
import type { ManagedMember, PushPerson } from '../../shared/push/people.ts';

const nowMs = Date.parse('2026-11-20T12:00:00Z');
const longAgoMs = nowMs - 2 * graphLagMs;
const entraId = '11111111-1111-4111-8111-111111111111';
const login = 'ada@contoso.com';
const known = <Value>(value: Value): Finding<Value> => ({ type: 'known', value });
const failed: Finding<never> = { type: 'unknown', code: 'okta_forbidden', message: 'Okta refused.', fix: 'Grant it.' };

const mapping: PushMapping = {
  oktaGroupId: '00g1',
  oktaGroupName: 'Deckhands',
  targetId: '22222222-2222-4222-8222-222222222222',
  targetName: 'deck@contoso.com',
  targetKind: 'distributionList',
  settings: defaultSettings,
  status: 'ACTIVE',
  reason: null,
  approvedAtMs: longAgoMs,
  createdAtMs: longAgoMs,
  updatedAtMs: longAgoMs,
  lastReconcile: null,
  defect: null,
};
const pin: PushPerson = {
  oktaUserId: '00u1',
  login,
  entraId,
  label: login,
  matchedBy: 'externalId',
  problem: null,
};
const managed = (state: ManagedMember['state'], changedAtMs = longAgoMs): ManagedMember => ({
  entraId,
  oktaUserId: '00u1',
  login,
  label: login,
  state,
  changedAtMs,
});
const listed = { id: entraId, type: 'user', label: login, names: [login] };
const target = { key: entraId, memberId: entraId, id: entraId, label: login };

/** Somebody who is a member, as everything says. */
const allWell: Facts = {
  user: login,
  mapping,
  person: known({ id: '00u1', login, status: 'ACTIVE' }),
  inGroup: known('member'),
  match: known({ type: 'matched', entraId, label: login, matchedBy: 'externalId' }),
  recipient: known({ type: 'found', target }),
  known: known({ pin, managed: managed('added') }),
  pending: known(null),
  listed: known(listed),
  kept: notAsked('is desired'),
  nowMs,
};
const judge = (facts: Partial<Facts>) => {
  const all = { ...allWell, ...facts };
  const links = linksOf(all);
  return { links, ...conclude(all, links) };
};
const linkOf = (links: readonly Link[], name: string) => links.find(({ link }) => link === name);

describe('the chain from Okta to the list', () => {
  test('is whole for a member that is desired', () => {
    const { links, ...conclusion } = judge({});
    expect(links.map(({ link, ok, code }) => [link, ok, code])).toEqual(linkNames.map((link) => [link, true, 'ok']));
    expect(conclusion).toEqual({
      verdict: 'member',
      isDesired: true,
      isMember: true,
      brokenAt: null,
      message: 'ada@contoso.com is a member of deck@contoso.com, as the Okta group says.',
      fix: null,
    });
  });

  test.each<[string, Partial<Facts>, string, string]>([
    [
      'mapping',
      { mapping: { ...mapping, settings: { ...defaultSettings, reportOnly: true } } },
      'report_only',
      'member',
    ],
    [
      'oktaStatus',
      { person: known({ id: '00u1', login, status: 'SUSPENDED' }), listed: known(null) },
      'status_not_desired',
      'not_desired',
    ],
    [
      'oktaUser',
      {
        person: known(null),
        inGroup: known('not_member'),
        listed: known(null),
        known: known({ pin: null, managed: null }),
      },
      'okta_object_not_found',
      'not_desired',
    ],
    ['oktaMembership', { inGroup: known('not_member'), listed: known(null) }, 'not_in_okta_group', 'not_desired'],
    ['oktaMembership', { inGroup: known('no_group') }, 'okta_object_not_found', 'unknown'],
    [
      'match',
      { match: known({ type: 'failed', code: 'member_not_found', message: 'nobody' }), listed: known(null) },
      'member_not_found',
      'missing',
    ],
    [
      'match',
      { match: known({ type: 'changed', code: 'match_changed', message: 'another' }) },
      'match_changed',
      'member',
    ],
    [
      'recipient',
      { recipient: known({ type: 'not_ready', code: 'no_mailbox', message: 'not yet' }), listed: known(null) },
      'no_mailbox',
      'missing',
    ],
    [
      'recipient',
      { recipient: known({ type: 'failed', code: 'protected_object', message: 'no' }), listed: known(null) },
      'protected_object',
      'missing',
    ],
    ['list', { listed: known(null) }, 'not_member', 'missing'],
  ])('is broken at %s', (name, facts, code, verdict) => {
    const { links, ...conclusion } = judge(facts);
    expect(linkOf(links, name)).toMatchObject({ ok: false, code, fix: expect.any(String) });
    expect(conclusion).toMatchObject({ brokenAt: name, verdict });
  });

  test.each([
    ['SUSPENDED', 'add SUSPENDED to desiredStatuses'],
    ['DEPROVISIONED', 'Reactivate'],
  ])('says what to do about the status %s', (status, fix) => {
    const { links } = judge({ person: known({ id: '00u1', login, status }) });
    expect(linkOf(links, 'oktaStatus')?.fix).toContain(fix);
  });

  test('tells a change that waits, since when and how often it was tried, and why', () => {
    const problem = { code: 'no_mailbox' as const, message: 'There is no mailbox.', sinceMs: longAgoMs };
    const pending = {
      oktaGroupId: '00g1',
      oktaUserId: '00u1',
      isMembership: true,
      firstSeenAtMs: longAgoMs,
      eventAtMs: longAgoMs,
      dueAtMs: nowMs,
      waitingSinceMs: null,
      etag: '',
    };
    const found = (attempts: number) => {
      const facts = {
        pending: known({ ...pending, attempts }),
        known: known({ pin: { ...pin, problem }, managed: null }),
      };
      return linkOf(judge({ ...facts, listed: known(null) }).links, 'change');
    };
    expect(found(3)).toMatchObject({ ok: false, code: 'change_waiting' });
    expect(found(3)?.message).toMatch(/since 2026-11-20T11:50.*was tried 3 times.*due 2026-11-20T12:00.*no mailbox/);
    expect(found(0)?.message).toContain('has not been tried yet');
  });

  test('tells a problem of the last look, and a change whose end is not known', () => {
    const problem = { code: 'no_mailbox' as const, message: 'There is no mailbox.', sinceMs: longAgoMs };
    const withProblem = judge({ known: known({ pin: { ...pin, problem }, managed: null }), listed: known(null) });
    expect(linkOf(withProblem.links, 'change')).toMatchObject({ ok: false, code: 'no_mailbox' });
    for (const state of ['adding', 'removing'] as const) {
      const { links } = judge({ known: known({ pin, managed: managed(state) }) });
      expect(linkOf(links, 'change')).toMatchObject({ ok: false, code: 'change_open' });
      const fresh = judge({ known: known({ pin, managed: managed(state, nowMs) }) });
      expect(linkOf(fresh.links, 'change')).toMatchObject({ ok: true });
      expect(linkOf(fresh.links, 'list')).toMatchObject({ ok: null, code: 'unknown' });
      expect(fresh).toMatchObject({ isMember: null, verdict: 'unknown' });
    }
  });

  test('knows that Graph lags behind what was written a moment ago', () => {
    const added = judge({ listed: known(null), known: known({ pin, managed: managed('added', nowMs) }) });
    expect(linkOf(added.links, 'list')).toMatchObject({ ok: true, code: 'not_shown_yet' });
    expect(added).toMatchObject({ verdict: 'member', isMember: true });
    const removed = judge({ inGroup: known('not_member'), known: known({ pin, managed: managed('removed', nowMs) }) });
    expect(linkOf(removed.links, 'list')).toMatchObject({ ok: false, code: 'not_member' });
    expect(linkOf(removed.links, 'list')?.message).toContain('a moment ago');
    expect(removed).toMatchObject({ verdict: 'not_desired', isMember: false });
  });

  test('names the first broken link of somebody who is missing, with its fix', () => {
    const recipient: Facts['recipient'] = known({ type: 'not_ready', code: 'no_mailbox', message: 'No mailbox yet.' });
    expect(judge({ recipient, listed: known(null) })).toMatchObject({
      verdict: 'missing',
      brokenAt: 'recipient',
      message: 'ada@contoso.com is desired and no member of deck@contoso.com. No mailbox yet.',
      fix: expect.stringContaining('mailbox'),
    });
  });
});

describe('what cannot be asked', () => {
  const names = ['person', 'inGroup', 'match', 'recipient', 'known', 'pending', 'listed'] as const;
  const linkOfFinding = {
    person: 'oktaUser',
    inGroup: 'oktaMembership',
    match: 'match',
    recipient: 'recipient',
    known: 'change',
    pending: 'change',
    listed: 'list',
  } as const;

  test.each(names)('of %s is unknown with the reason, and hides no other link', (name) => {
    const facts = { [name]: failed };
    const { links } = judge(facts);
    const expected = linkOfFinding[name];
    expect(linkOf(links, expected)).toMatchObject({ ok: null, code: 'okta_forbidden', fix: 'Grant it.' });
    const hidden = links.filter(({ ok }) => ok === null).map(({ link }) => link);
    expect(hidden).toEqual(name === 'person' ? ['oktaUser', 'oktaStatus'] : [expected]);
  });

  test('is never guessed: no link is judged, and nobody called a member or none, by what is not known', () => {
    const subsets = fc.subarray([...names]);
    fc.assert(
      fc.property(subsets, fc.boolean(), (unknown, isMember) => {
        const facts = {
          ...allWell,
          listed: known(isMember ? listed : null),
          ...Object.fromEntries(unknown.map((name) => [name, failed])),
        };
        const links = linksOf(facts);
        const conclusion = conclude(facts, links);
        for (const name of unknown) expect(linkOf(links, linkOfFinding[name])?.ok).toBeNull();
        if (unknown.includes('listed')) expect(conclusion).toMatchObject({ isMember: null, verdict: 'unknown' });
        if (unknown.includes('person') || unknown.includes('inGroup')) {
          expect(conclusion).toMatchObject({ isDesired: null, verdict: 'unknown' });
        }
        if (unknown.length === 0) expect(conclusion.verdict).toBe(isMember ? 'member' : 'missing');
        expect(conclusion.brokenAt).toBe(links.find(({ ok }) => ok === false)?.link ?? null);
      }),
    );
  });

  test('says of a group without a mapping what Okta alone can tell', () => {
    const nothing = notAsked('nothing to look at');
    const rest = { match: nothing, recipient: nothing, known: nothing, pending: nothing, listed: nothing };
    const { links, ...conclusion } = judge({ mapping: null, ...rest });
    expect(links.map(({ ok }) => ok)).toEqual([false, true, null, true, null, null, null, null]);
    expect(conclusion).toMatchObject({ verdict: 'unknown', brokenAt: 'mapping', isDesired: null, isMember: null });
  });
});

describe('a member that is not desired', () => {
  const leaver: Partial<Facts> = { inGroup: known('not_member') };
  const keptMember = { entraId, label: login, code: null, message: 'Is not removed: not its own.' };

  test('stays where the mapping may not remove it, and the reason is told', () => {
    const { verdict, message, brokenAt, fix } = judge({ ...leaver, kept: known(keptMember) });
    expect([verdict, brokenAt]).toEqual(['kept', 'oktaMembership']);
    expect(message).toContain('although not desired');
    expect(message).toContain('Is not removed: not its own.');
    expect(fix).toContain('members/remove');
  });

  test.each<[string, Partial<Facts>]>([
    ['with the next reconcile', {}],
    ['while the mapping writes nothing', { mapping: { ...mapping, status: 'INACTIVE' } }],
    [
      'while the mapping writes nothing',
      { mapping: { ...mapping, settings: { ...defaultSettings, reportOnly: true } } },
    ],
  ])('goes, or stays, %s', (words, facts) => {
    const { verdict, message } = judge({ ...leaver, kept: known(null), ...facts });
    expect(verdict).toBe('to_be_removed');
    expect(message).toContain(words);
  });

  test('is unknown where it cannot be told whether it stays', () => {
    expect(judge({ ...leaver, kept: failed })).toMatchObject({ verdict: 'unknown', fix: 'Grant it.' });
  });
});
