import type { Story } from './story.ts';

const address = 'field-engineers@contoso.com';
const group = `groups/${address}`;
const wanted = {
  kind: 'mailEnabledSecurity',
  displayName: 'Field Engineers',
  primarySmtpAddress: address,
  owners: ['amara.osei@contoso.com'],
  hideFromAddressLists: true,
};

/** The main job: a group that Okta's Group Push refuses, filled, repeated, emptied in part, deleted. */
export async function mailEnabledSecurityGroup(story: Story): Promise<void> {
  story.say('A mail-enabled security group, which Group Push cannot create and Graph cannot write');

  await story.play({
    title: 'Create it. What the first call cannot set, a second one does.',
    method: 'POST',
    path: 'groups',
    body: wanted,
    expected: { status: 201, ok: true, outcome: 'created', changed: true },
  });
  await story.play({
    title: 'Send the same request again: nothing is written.',
    method: 'POST',
    path: 'groups',
    body: wanted,
    expected: { status: 200, ok: true, outcome: 'already_exists', changed: false },
  });
  await story.play({
    title: 'Ask for the same name as another kind: refused, with the difference.',
    method: 'POST',
    path: 'groups',
    body: { ...wanted, kind: 'distributionList' },
    expected: { status: 409, code: 'exists_with_differences' },
  });
  await story.play({
    title: 'Add people, a guest and an outside contact; one is unknown, one has no mailbox yet.',
    method: 'POST',
    path: `${group}/members`,
    body: {
      members: [
        'bruno.keller@contoso.com',
        'chiara.lind@contoso.com',
        'guest.partner_example.com#EXT#@contoso.onmicrosoft.com',
        'pat.supplier@example.com',
        'nobody@contoso.com',
        'new.hire@contoso.com',
      ],
    },
    expected: { status: 200, ok: false, outcome: 'partial', addedCount: 4, failedCount: 2 },
  });
  await checkMembers(story, 'In the tenant the group has 4 members.', 4);
  await story.play({
    title: 'Add two of them again, as text: they are members already, which is success.',
    method: 'POST',
    path: `${group}/members`,
    body: { members: 'bruno.keller@contoso.com, chiara.lind@contoso.com' },
    expected: { status: 200, ok: true, outcome: 'unchanged', changed: false, unchangedCount: 2 },
  });
  await story.play({
    title: 'Remove one member, and one who never was: both end as asked.',
    method: 'POST',
    path: `${group}/members/remove`,
    body: { members: ['bruno.keller@contoso.com', 'daniel.okafor@contoso.com'] },
    expected: { status: 200, ok: true, outcome: 'updated', removedCount: 1, unchangedCount: 1 },
  });
  await story.play({
    title: 'List who is left.',
    method: 'GET',
    path: `${group}/members`,
    expected: { status: 200, count: 3, hasMore: false },
  });
  await checkMembers(story, 'In the tenant the group has 3 members.', 3);
  await story.play({
    title: 'Delete it with a confirmation that names another group: refused.',
    method: 'DELETE',
    path: `${group}?confirm=all-company@contoso.com`,
    expected: { status: 409, code: 'confirm_mismatch' },
  });
  await story.play({
    title: 'Delete it for good.',
    method: 'DELETE',
    path: `${group}?confirm=${address}`,
    expected: { status: 200, ok: true, outcome: 'deleted', changed: true },
  });
  const { groups } = await story.tenant();
  story.check(
    'In the tenant it is gone.',
    groups.some(({ mail }) => mail === address),
    false,
  );
  await story.play({
    title: 'A group that is synced from on-premises is left alone, and the reply says why.',
    method: 'POST',
    path: 'groups/plant-safety@contoso.com/members',
    body: { members: ['bruno.keller@contoso.com'] },
    expected: { status: 403, code: 'on_premises_synced' },
  });
}

async function checkMembers(story: Story, sentence: string, count: number): Promise<void> {
  const { groups } = await story.tenant();
  story.check(sentence, groups.find(({ mail }) => mail === address)?.members.length, count);
}
