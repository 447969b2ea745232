import type { Story } from './story.ts';

const list = 'night-watch@contoso.com';
const amara = 'amara.osei@contoso.com';
const bruno = 'bruno.keller@contoso.com';
const noel = 'noel.fischer@contoso.com';
const olga = 'olga.petrova@contoso.com';
const contact = 'pat.supplier@example.com';

interface Okta {
  readonly groups: readonly { readonly id: string; readonly profile: { readonly name: string } }[];
}

interface State {
  readonly users: readonly { readonly id: string; readonly userPrincipalName: string }[];
  readonly contacts: readonly { readonly id: string; readonly mail: string }[];
}

/** A distribution list follows an Okta group: nobody calls the app, Okta's event hook and a timer do. */
export async function groupPush(story: Story): Promise<void> {
  story.say('Group Push for a distribution list, which Okta refuses to push to');
  await story.control('PUT', 'okta/org', { groups: [{ name: 'Night Watch', members: [amara, bruno] }] });
  const { groups } = (await story.control('GET', 'okta/state')) as Okta;
  const oktaGroupId = groups.find(({ profile }) => profile.name === 'Night Watch')?.id ?? '';
  const mapping = `push-mappings/${oktaGroupId}`;
  const inGroup = (name: string, user: string) => `okta/groups/${encodeURIComponent(name)}/members/${user}`;

  const { body: put } = await story.play({
    title: 'Let a new list follow the Okta group. Nobody is added before somebody has seen the plan.',
    method: 'PUT',
    path: mapping,
    body: {
      create: { kind: 'distributionList', displayName: 'Night Watch', primarySmtpAddress: list, owners: [amara] },
    },
    expected: { status: 201, outcome: 'created', reasonCode: 'awaiting_approval', plannedCount: 2 },
  });
  await story.play({
    title: 'Approve that plan, and that plan alone: the list is filled, and follows from now on.',
    method: 'PUT',
    path: `${mapping}/status`,
    body: { status: 'ACTIVE', planId: put.planId },
    expected: { status: 200, ok: true, outcome: 'updated', reasonCode: null, addedCount: 2 },
  });

  const nameOf = await namesOfMembers(story);
  const members = async () => {
    const { members: ids } = (await story.control('GET', `groups/${list}`)) as { members: readonly string[] };
    return ids.map(nameOf).sort();
  };
  await story.happen({
    title: 'Somebody joins the Okta group. From here on nobody calls the app: Okta tells it.',
    shown: `Okta: PUT groups/Night Watch/members/${noel}`,
    cause: () => story.control('PUT', inGroup('Night Watch', noel)),
    sentence: `In the tenant ${noel} is in the list,`,
    actual: members,
    expected: [amara, bruno, noel],
  });
  await story.happen({
    title: 'Somebody leaves it.',
    shown: `Okta: DELETE groups/Night Watch/members/${bruno}`,
    cause: () => story.control('DELETE', inGroup('Night Watch', bruno)),
    sentence: `In the tenant ${bruno} is gone from the list,`,
    actual: members,
    expected: [amara, noel],
  });
  await story.happen({
    title: 'Somebody is deactivated, and still in the Okta group.',
    shown: `Okta: PATCH users/${noel} {"status":"DEPROVISIONED"}`,
    cause: () => story.control('PATCH', `okta/users/${noel}`, { status: 'DEPROVISIONED' }),
    sentence: `In the tenant ${noel} is gone from the list,`,
    actual: members,
    expected: [amara],
  });
  await story.happen({
    title: 'The Okta group gets another name.',
    shown: 'Okta: PATCH groups/Night Watch {"profile":{"name":"Harbour Watch"}}',
    cause: () => story.control('PATCH', 'okta/groups/Night%20Watch', { profile: { name: 'Harbour Watch' } }),
    sentence: 'The mapping is ACTIVE and knows the new name,',
    actual: async () => {
      const { status, oktaGroupName } = await story.read(mapping);
      return [status, oktaGroupName];
    },
    expected: ['ACTIVE', 'Harbour Watch'],
  });
  await story.happen({
    title: 'Nothing broke: somebody joins under the new name.',
    shown: `Okta: PUT groups/Harbour Watch/members/${olga}`,
    cause: () => story.control('PUT', inGroup('Harbour Watch', olga)),
    sentence: `In the tenant ${olga} is in the list,`,
    actual: members,
    expected: [amara, olga],
  });
  await story.happen({
    title: 'Somebody adds a contact in Exchange, of which no event tells; then the timer of the reconcile fires.',
    shown: `Exchange: a member ${contact}; POST /admin/functions/reconcilePushMappings`,
    cause: async () => {
      await story.control('PUT', `groups/${list}/members/${contact}`);
      await story.fire('reconcilePushMappings');
    },
    sentence: 'The mapping reports a member that was added outside,',
    actual: async () => (await story.read(mapping)).lastAddedOutsideCount,
    expected: 1,
  });
  story.check('In the tenant the contact is still in the list.', await members(), [amara, olga, contact]);
  await story.play({
    title: 'Ask who was added outside. Authority "managed" removes only whom the mapping has added.',
    method: 'POST',
    path: `${mapping}/push`,
    body: { dryRun: true },
    expected: { status: 200, outcome: 'unchanged', plannedCount: 0, keptCount: 1, addedOutside: [contact] },
  });
}

/** How a member is called, by its id. */
async function namesOfMembers(story: Story): Promise<(id: string) => string> {
  const { users, contacts } = (await story.control('GET', 'state')) as State;
  const names = new Map([
    ...users.map(({ id, userPrincipalName }) => [id, userPrincipalName] as const),
    ...contacts.map(({ id, mail }) => [id, mail] as const),
  ]);
  return (id) => names.get(id) ?? id;
}
