import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { directoryOf, groupsNamed, readCast, type TenantGroup } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cleo = ''] = cast.staff;
const kinds = ['security', 'microsoft365'] as const;

beforeEach(() => control.reset());
afterAll(() => world.close());

const crew = { displayName: 'Harbour Crew', alias: 'harbour-crew', owners: [owner] };
const create = (body: object): Promise<Answer> => app.call('POST', 'groups', { body });
const pointers = (answer: Answer): unknown[] => rowsOf(answer, 'errors').map(({ pointer }) => pointer);
const writes = async () => (await control.writes()).map(({ method, path }) => `${method} ${path}`);

async function theGroup(displayName = crew.displayName): Promise<TenantGroup> {
  const [group, ...others] = await groupsNamed(control, displayName);
  if (group === undefined || others.length > 0) throw new Error(`${others.length} more than one ${displayName}`);
  return group;
}

async function created(body: object): Promise<Answer> {
  const answer = await create(body);
  expect(answer).toMatchObject({ status: 201, body: { ok: true, outcome: 'created' } });
  await control.clearCalls();
  return answer;
}

describe('a new group in Graph', () => {
  test.each([
    ['security', { mailEnabled: false, securityEnabled: true, groupTypes: [] }, null],
    [
      'microsoft365',
      { mailEnabled: true, securityEnabled: false, groupTypes: ['Unified'] },
      'harbour-crew@contoso.com',
    ],
  ])('of kind %s is created in one call and answers with its id', async (kind, flags, mail) => {
    const answer = await create({ ...crew, kind, description: 'Everyone on the quay' });
    const group = await theGroup();
    expect(answer.body).toEqual({
      ok: true,
      outcome: 'created',
      changed: true,
      isNew: true,
      dryRun: false,
      message: expect.stringContaining('was created'),
      warnings: [],
      requestId: answer.headers.get('x-request-id'),
      id: group.id,
      kind,
      displayName: 'Harbour Crew',
      requestedName: 'Harbour Crew',
      alias: 'harbour-crew',
      primarySmtpAddress: mail,
      description: 'Everyone on the quay',
      owners: [owner],
      addedCount: 0,
      removedCount: 0,
      unchangedCount: 0,
      failedCount: 0,
      firstError: null,
      results: [],
    });
    expect(answer.status).toBe(201);
    expect(group).toMatchObject({ ...flags, mailNickname: 'harbour-crew', owners: [cast.idOf(owner)], members: [] });
    expect(await writes()).toEqual(['POST /v1.0/groups']);
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
  });

  test.each([
    [undefined, 'Public'],
    ['Private', 'Private'],
    ['HiddenMembership', 'HiddenMembership'],
  ])('of kind microsoft365 with visibility %s is %s', async (visibility, expected) => {
    await created({ ...crew, kind: 'microsoft365', visibility });
    expect(await theGroup()).toMatchObject({ visibility: expected });
  });

  test.each(kinds)('of kind %s gets its alias from its name', async (kind) => {
    const answer = await create({ kind, displayName: 'Équipe du Port', owners: [owner] });
    expect(answer).toMatchObject({ status: 201, body: { alias: 'equipe-du-port' } });
  });

  test.each(kinds)('of kind %s gets its first members', async (kind) => {
    const answer = await create({ ...crew, kind, members: [ada, cast.idOf(ben), 'nobody@contoso.com'] });
    expect(answer).toMatchObject({
      status: 201,
      body: { ok: false, outcome: 'partial', addedCount: 2, failedCount: 1 },
    });
    expect(rowsOf(answer, 'results')).toMatchObject([
      { member: ada, outcome: 'added' },
      { outcome: 'added' },
      { outcome: 'failed', code: 'member_not_found' },
    ]);
    expect((await theGroup()).members).toEqual([cast.idOf(ada), cast.idOf(ben)]);
  });

  test('is audited with what was planned and what came of it', async () => {
    const answer = await create({ ...crew, kind: 'security' });
    const [row, ...others] = await auditRows(app.storage, String(answer.body?.requestId));
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      action: 'createGroup',
      operation: 'POST /groups',
      targetId: 'harbour-crew',
      targetName: 'Harbour Crew',
      state: 'succeeded',
      before: null,
      planned: { kind: 'security', mailNickname: 'harbour-crew', owners: [cast.idOf(owner)] },
      after: { id: (await theGroup()).id },
    });
    expect(row?.upstreamRequestId).not.toBe('');
  });

  test('that is only asked about is planned, and nothing is written', async () => {
    const answer = await create({ ...crew, kind: 'security', members: [ada], dryRun: true });
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'planned', changed: false, isNew: false, dryRun: true, id: null, owners: [owner] },
    });
    expect(rowsOf(answer, 'results')).toMatchObject([{ member: ada, outcome: 'would_add' }]);
    expect(await writes()).toEqual([]);
    expect(await groupsNamed(control, crew.displayName)).toEqual([]);
  });
});

describe('owners of a group in Graph', () => {
  const crowd = Array.from({ length: 25 }, (_, index) => `owner${String(index).padStart(2, '0')}@corp.contoso.com`);
  const manyOwners = { ...crew, kind: 'security', owners: crowd };
  const seedCrowd = () => control.tenant({ users: crowd.map((userPrincipalName) => ({ userPrincipalName })) });

  test('beyond twenty are set after the creation', async () => {
    await seedCrowd();
    const answer = await create(manyOwners);
    expect(answer).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', owners: crowd } });
    expect((await theGroup()).owners).toHaveLength(25);
    expect(await writes()).toEqual(['POST /v1.0/groups', `PATCH /v1.0/groups/${(await theGroup()).id}`]);
    expect(await create(manyOwners)).toMatchObject({ status: 200, body: { outcome: 'already_exists' } });
  });

  test('beyond twenty that could not be set are a warning, and a repeat sets them', async () => {
    await seedCrowd();
    const refusal = { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges.' } };
    await control.fault({
      upstream: 'graph',
      match: { method: 'PATCH', path: '/groups/' },
      fault: { kind: 'status', status: 403, body: refusal },
      times: 1,
    });
    const answer = await create(manyOwners);
    expect(answer).toMatchObject({ status: 201, body: { ok: false, outcome: 'partial', changed: true, isNew: true } });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('not with all its owners')]);
    expect((await theGroup()).owners).toHaveLength(20);

    expect(await create({ ...manyOwners, dryRun: true })).toMatchObject({ body: { outcome: 'planned' } });
    expect((await theGroup()).owners).toHaveLength(20);
    expect(await create(manyOwners)).toMatchObject({ status: 200, body: { ok: true, outcome: 'completed' } });
    expect((await theGroup()).owners).toHaveLength(25);
    expect(await create(manyOwners)).toMatchObject({ body: { outcome: 'already_exists', changed: false } });
  });

  test('under two names are one owner', async () => {
    const answer = await create({ ...crew, kind: 'security', owners: [owner, cast.idOf(owner)] });
    expect(answer).toMatchObject({ status: 201, body: { owners: [owner] } });
  });

  test('are all held against the directory before anything is written', async () => {
    const group = cast.security.id;
    const answer = await create({ ...crew, kind: 'security', owners: [owner, 'nobody@contoso.com', group] });
    expect(answer).toMatchObject({ status: 409, body: { code: 'owner_not_valid' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([
      { pointer: '/owners/1', message: expect.stringContaining('nobody@contoso.com') },
      { pointer: '/owners/2', message: expect.stringContaining('cannot own') },
    ]);
    expect(await writes()).toEqual([]);
  });

  test('must be there', async () => {
    for (const kind of kinds) {
      expect(pointers(await create({ ...crew, kind, owners: [] }))).toEqual(['/owners']);
    }
  });

  test('that are protected are refused', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: ada });
    const body = { ...crew, kind: 'security', owners: [cast.idOf(ada)] };
    expect(await guarded.call('POST', 'groups', { body })).toMatchObject({
      status: 403,
      body: { code: 'protected_object' },
    });
    await guarded.close();
    expect(await writes()).toEqual([]);
  });
});

describe('a group in Graph that exists', () => {
  test.each(kinds)('of kind %s as asked for is found, and nothing is written', async (kind) => {
    await created({ ...crew, kind, description: 'The quay' });
    const answer = await create({ ...crew, kind, alias: 'HARBOUR-CREW' });
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'already_exists', changed: false, isNew: false, id: (await theGroup()).id },
    });
    expect(await writes()).toEqual([]);
  });

  test.each(kinds)('of kind %s without a description gets it', async (kind) => {
    await created({ ...crew, kind });
    const answer = await create({ ...crew, kind, description: 'The quay' });
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'completed', changed: true, isNew: false, description: 'The quay' },
    });
    expect(await writes()).toEqual([`PATCH /v1.0/groups/${(await theGroup()).id}`]);
    const [row] = await auditRows(app.storage, String(answer.body?.requestId));
    expect(row).toMatchObject({ before: { description: null }, after: { description: 'The quay' } });
  });

  test('gets the members that are missing', async () => {
    await created({ ...crew, kind: 'security', members: [ada] });
    const answer = await create({ ...crew, kind: 'security', members: [ada, ben] });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'completed', addedCount: 1, unchangedCount: 1 } });
    expect((await theGroup()).members).toEqual([cast.idOf(ada), cast.idOf(ben)]);
  });

  test.each([
    [{ kind: 'microsoft365' }, ['/kind']],
    [{ displayName: 'Other Crew' }, ['/displayName']],
    [{ description: 'Somebody else' }, ['/description']],
    [{ owners: [ada] }, ['/owners']],
    [{ owners: [owner, ada] }, ['/owners']],
    [{ kind: 'microsoft365', visibility: 'Private', displayName: 'Other' }, ['/kind', '/displayName', '/visibility']],
  ])('and differs by %j is left alone, each difference told', async (change, fields) => {
    await created({ ...crew, kind: 'security', description: 'The quay' });
    const answer = await create({ ...crew, kind: 'security', description: 'The quay', ...change });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(pointers(answer)).toEqual(fields);
    expect(await writes()).toEqual([]);
  });

  test('as a distribution list under this alias is no group to be had', async () => {
    await create({ ...crew, kind: 'distributionList' });
    const answer = await create({ ...crew, kind: 'microsoft365' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(rowsOf(answer, 'errors')).toContainEqual(
      expect.objectContaining({ pointer: '/kind', message: expect.stringContaining('distributionList') }),
    );
  });

  test('with a membership rule is another one', async () => {
    const { displayName, mailNickname } = cast.dynamic;
    const answer = await create({ kind: 'security', displayName, alias: mailNickname, owners: [owner] });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(pointers(answer)).toContain('/kind');
  });

  test('twice under one alias is told by its name, or not at all', async () => {
    const group = { mailNickname: 'harbour-crew', mailEnabled: false, securityEnabled: true, owners: [owner] };
    await control.tenant({
      groups: [
        { ...group, displayName: 'Harbour Crew' },
        { ...group, displayName: 'Old Crew' },
      ],
    });
    expect(await create({ ...crew, kind: 'security' })).toMatchObject({
      status: 200,
      body: { outcome: 'already_exists', id: (await theGroup()).id },
    });
    const answer = await create({ ...crew, kind: 'security', displayName: 'New Crew' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'ambiguous_group' } });
    expect(answer.body?.detail).toContain('Old Crew');
    expect(await writes()).toEqual([]);
  });

  test('and must not be managed gets no members', async () => {
    const { displayName, mailNickname, owners } = cast.roleAssignable;
    const { users } = await directoryOf(control);
    const names = owners.map((id) => users.find((user) => user.id === id)?.userPrincipalName ?? id);
    const body = { kind: 'security', displayName, alias: mailNickname, owners: names.length === 0 ? [owner] : names };
    const answer = await create({ ...body, members: [ada] });
    expect([403, 409]).toContain(answer.status);
    expect(['role_assignable', 'exists_with_differences']).toContain(answer.body?.code);
    expect(await writes()).toEqual([]);
  });
});

describe('what a kind does not have', () => {
  test.each([
    ['security', { visibility: 'Private' }, ['/visibility']],
    [
      'security',
      { primarySmtpAddress: 'crew@contoso.com', addresses: ['c@contoso.com'] },
      ['/primarySmtpAddress', '/addresses'],
    ],
    [
      'microsoft365',
      { hideFromAddressLists: true, requireSenderAuthentication: false },
      ['/hideFromAddressLists', '/requireSenderAuthentication'],
    ],
    [
      'microsoft365',
      { ignoreNamingPolicy: true, joinRestriction: 'open' },
      ['/ignoreNamingPolicy', '/joinRestriction'],
    ],
    ['distributionList', { visibility: 'Public' }, ['/visibility']],
  ])('is refused for %s: %j', async (kind, more, fields) => {
    const answer = await create({ ...crew, kind, ...more });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(new Set(pointers(answer))).toEqual(new Set(fields));
    expect(await control.calls({ upstream: 'graph' })).toEqual([]);
  });

  test.each(kinds)('is, for %s, an alias beyond ASCII', async (kind) => {
    const answer = await create({ ...crew, kind, alias: 'équipe' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointers(answer)).toEqual(['/alias']);
  });
});

describe('members of a group in Graph', () => {
  test('of a Microsoft 365 group are users alone', async () => {
    const answer = await create({ ...crew, kind: 'microsoft365', members: [cast.security.id, cleo] });
    expect(rowsOf(answer, 'results')).toMatchObject([
      { outcome: 'failed', code: 'member_kind_not_allowed' },
      { outcome: 'added' },
    ]);
  });

  test('of a security group may be security groups, and no others', async () => {
    const answer = await create({
      ...crew,
      kind: 'security',
      members: [cast.security.id, cast.unified.id, cast.guest.mail, cast.oddUpn.mail],
    });
    expect(rowsOf(answer, 'results').map(({ outcome, code }) => [outcome, code])).toEqual([
      ['added', 'added'],
      ['failed', 'member_kind_not_allowed'],
      ['added', 'added'],
      ['added', 'added'],
    ]);
    expect((await theGroup()).members).toEqual([cast.security.id, cast.guest.id, cast.oddUpn.id]);
  });
});

describe('protected names', () => {
  test('are refused before a look', async () => {
    const guarded = await world.startApp({ PROTECTED_GROUPS: 'Harbour*' });
    const answer = await guarded.call('POST', 'groups', { body: { ...crew, kind: 'security' } });
    expect(answer).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    await guarded.close();
    expect(await writes()).toEqual([]);
  });
});
