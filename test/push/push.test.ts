import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { linkMapping, mappingOf, type PushWorld, putList, putMapping, setStatus, startPushWorld } from './setting.ts';

let push: PushWorld;

beforeAll(async () => {
  push = await startPushWorld();
  await push.hook();
});
beforeEach(async () => {
  await push.world.control.clearFaults();
  await push.world.control.clearCalls();
});
afterAll(() => push.close());

const [mina, noel, olga, pedro] = [
  'mina.sato@contoso.com',
  'noel.fischer@contoso.com',
  'olga.petrova@contoso.com',
  'pedro.alves@contoso.com',
];

/** A mapping of a new Okta group and a new list. */
async function mapped(name: string, people: readonly string[], more: object = {}, members: readonly string[] = []) {
  await push.okta.org({ groups: [{ name, members: people }] });
  const oktaGroupId = await push.okta.groupId(name);
  const target = await putList(push, `${name.toLowerCase().replaceAll(' ', '-')}@contoso.com`, members);
  const answer = await linkMapping(push.app, oktaGroupId, { target, ...more });
  return { oktaGroupId, target, answer };
}

/** UPNs of the members of a list, sorted. */
async function upnsOf(target: string): Promise<string[]> {
  const { users } = (await push.world.control.state()) as { users: { id: string; userPrincipalName: string }[] };
  const names = new Map(users.map(({ id, userPrincipalName }) => [id, userPrincipalName]));
  return (await push.world.control.membersOf(target)).map((id) => names.get(id) ?? id).sort();
}

describe('a person', () => {
  test('who joins the Okta group appears in the list, and is gone after leaving', async () => {
    const { oktaGroupId, target, answer } = await mapped('Harbour Crew', [mina]);
    expect(answer.body).toMatchObject({ outcome: 'updated', addedCount: 1, status: 'ACTIVE' });
    expect(await upnsOf(target)).toEqual([mina]);

    await push.okta.join('Harbour Crew', noel);
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina, noel]);

    await push.okta.leave('Harbour Crew', mina);
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([noel]);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', pendingCount: 0 });
  });

  test('who is deactivated is gone from the list', async () => {
    const { oktaGroupId, target } = await mapped('Harbour Night', [mina, noel]);
    await push.okta.status(noel, 'DEPROVISIONED');
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina]);
  });
});
void olga;
void pedro;
void putMapping;
void setStatus;
