import type { Story } from './story.ts';

interface Entry {
  readonly operation: string;
  readonly state: string;
  /** JSON texts. */
  readonly before: string;
  readonly after: string;
}

/** The audit: what was there before each write of this demo, and what came of it. */
export async function whoDidWhat(story: Story): Promise<void> {
  story.say('Who changed what');
  const { body } = await story.play({
    title: 'Ask the audit for everything that was written.',
    method: 'GET',
    path: 'audit?limit=200',
    expected: { status: 200, hasMore: false },
  });
  const entries = body.entries as Entry[];
  story.check('No write is without its outcome.', entries.filter(({ state }) => state === 'intent').length, 0);
  const audited = tally(entries.flatMap(writesOf));
  const sent = tally(await story.cmdletWrites());
  story.check(`The audit has every write that Exchange saw: ${JSON.stringify(sent)}`, audited, sent);
  await story.play({
    title: 'Only what happened to one list.',
    method: 'GET',
    path: 'audit?target=port-news@contoso.com&limit=200',
    expected: { status: 200 },
  });
}

/** A row of members stands for as many writes as it names, with what each member was and is. */
function writesOf({ operation, after }: Entry): string[] {
  if (!/^(New|Set|Remove|Add)-/.test(operation)) return [];
  const members: unknown = operation.endsWith('Member') ? JSON.parse(after) : null;
  return Array.isArray(members) ? members.map(() => operation) : [operation];
}

/** How often each comes, in the order of their names. */
function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of [...names].sort()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
