import type { Story } from './story.ts';

const swapped = 'anchor.swapped@contoso.com';
const free = 'anchor.free@contoso.com';
const wanted = 'anchor.wanted@contoso.com';
const temporary = 'anchor.free@contoso.onmicrosoft.com';

interface Seeded {
  readonly users: readonly { readonly userPrincipalName: string; readonly id: string; readonly expected: string }[];
}

interface State {
  readonly users: readonly {
    readonly id: string;
    readonly userPrincipalName: string;
    readonly onPremisesImmutableId: string | null;
  }[];
}

/** Federated users who cannot sign in get the immutable ID that Okta asserts, whatever happens in the middle. */
export async function immutableId(story: Story): Promise<void> {
  story.say('An immutable ID is repaired, which Entra does not let anybody change while its domain is federated');
  const { users } = (await story.control('POST', 'seed/immutableIds')) as Seeded;
  const the = (name: string) => users.find(({ userPrincipalName }) => userPrincipalName === name);
  const inTenant = async (name: string) => {
    const { users: all } = (await story.control('GET', 'state')) as State;
    const user = all.find(({ id }) => id === the(name)?.id);
    return [user?.userPrincipalName, user?.onPremisesImmutableId];
  };
  const repair = (name: string) => `users/${name}/immutable-id/repair`;

  await story.play({
    title: 'Ask what is wrong with somebody who cannot sign in.',
    method: 'GET',
    path: `users/${swapped}/immutable-id`,
    expected: { status: 200, comparison: 'wrong_endian', signIn: 'federated', repairable: true },
  });
  await story.play({
    title: 'See what a repair would do.',
    method: 'POST',
    path: repair(swapped),
    body: { dryRun: true },
    expected: { status: 200, outcome: 'planned', changed: false },
  });
  await story.play({
    title: 'Repair it: Entra refuses the direct way, so the user principal name is moved away and back.',
    method: 'POST',
    path: repair(swapped),
    expected: { status: 200, ok: true, outcome: 'repaired', userPrincipalName: swapped, warnings: [] },
    body: {},
  });
  story.check('In the tenant the user has its name, and the immutable ID that Okta asserts.', await inTenant(swapped), [
    swapped,
    the(swapped)?.expected,
  ]);
  await story.play({
    title: 'Somebody whose immutable ID another user holds is refused before anything is written.',
    method: 'POST',
    path: repair(wanted),
    body: {},
    expected: { status: 409, code: 'immutable_id_in_use' },
  });

  await story.control('POST', 'faults', {
    upstream: 'graph',
    match: { method: 'PATCH', path: `/users/${the(free)?.id ?? ''}` },
    fault: {
      kind: 'status',
      status: 403,
      body: {
        error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' },
      },
    },
    skip: 3,
    times: 1_000,
  });
  const { body: stuck } = await story.play({
    title:
      'A grant is taken away in the middle: the way home is refused, and a person is called, with what would undo it.',
    method: 'POST',
    path: repair(free),
    body: {},
    expected: { status: 202, outcome: 'needs_attention', userPrincipalName: temporary },
  });
  await story.happen({
    title: 'The grant is given back. Nobody repeats the request: the repair goes on by itself.',
    shown: 'DELETE /_sim/faults',
    cause: () => story.control('DELETE', 'faults'),
    sentence: 'In the tenant the user is home with the right immutable ID,',
    actual: () => inTenant(free),
    expected: [free, the(free)?.expected],
  });
  await story.happen({
    title: 'And so says its operation.',
    shown: `GET /api/operations/${String(stuck.operationId)}`,
    cause: () => Promise.resolve(),
    sentence: 'It has succeeded,',
    actual: async () => (await story.read(`operations/${String(stuck.operationId)}`)).state,
    expected: 'succeeded',
  });
}
