import type { Story } from './story.ts';

const owner = 'amara.osei@contoso.com';
const kinds = [
  { kind: 'distributionList', displayName: 'Harbour News', primarySmtpAddress: 'harbour-news@contoso.com' },
  { kind: 'security', displayName: 'Harbour Doors', alias: 'harbour-doors' },
  { kind: 'microsoft365', displayName: 'Harbour Project', alias: 'harbour-project' },
];

/** Groups of the other kinds, changed as far as each allows, and one deleted and brought back. */
export async function everyKind(story: Story): Promise<void> {
  story.say('Every kind of group, each in the directory that masters it');
  for (const wanted of kinds) {
    await story.play({
      title: `Create a ${wanted.kind}, with a member.`,
      method: 'POST',
      path: 'groups',
      body: { ...wanted, owners: [owner], members: ['bruno.keller@contoso.com'] },
      expected: { status: 201, ok: true, outcome: 'created', addedCount: 1 },
    });
  }
  await story.play({
    title: 'Change the list: a new address, the old one kept; only staff may send to it.',
    method: 'PATCH',
    path: 'groups/harbour-news@contoso.com',
    body: { primarySmtpAddress: 'port-news@contoso.com', acceptMessagesFrom: [owner], hideFromAddressLists: true },
    expected: { status: 200, ok: true, outcome: 'updated' },
  });
  await story.play({
    title: 'What a kind does not have is refused, with the kinds that have it.',
    method: 'PATCH',
    path: 'groups/Harbour%20Doors',
    body: { hideFromAddressLists: true, moderationEnabled: true },
    expected: { status: 400, code: 'invalid_request' },
  });
  const deleted = await story.play({
    title: 'Delete the list. Exchange has no recycle bin, so a snapshot is taken first.',
    method: 'DELETE',
    path: 'groups/port-news@contoso.com?confirm=port-news@contoso.com',
    expected: { status: 200, ok: true, outcome: 'deleted', memberCount: 1 },
  });
  await story.play({
    title: 'Bring it back: members, settings, its old addresses and the one that Outlook remembers.',
    method: 'POST',
    path: `deleted-groups/${String(deleted.body.deletionId)}/restore`,
    body: {},
    expected: { status: 200, changed: true, restoredMemberCount: 1 },
  });
  const { groups } = await story.tenant();
  story.check(
    'In the tenant the list is back with its member.',
    groups.find(({ mail }) => mail === 'port-news@contoso.com')?.members.length,
    1,
  );
  await story.play({
    title: "Ask why groups cannot be managed from the cloud, or are missing from Okta's list.",
    method: 'GET',
    path: 'groups?linkable=false&limit=5',
    expected: { status: 200 },
  });
}
