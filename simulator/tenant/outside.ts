import type { World } from '../world.ts';
import type { DirectoryObject, Group } from './model.ts';

// What others do in the tenant: edits from outside, on both sides at once.

const viewsOf = ({ tenant }: World) => [tenant.view('exchange'), tenant.view('entra')];

function objectNamed(world: World, ref: string): DirectoryObject | undefined {
  const found = viewsOf(world).map((view) => view.get(ref.toLowerCase()) ?? view.named(ref)[0]);
  return found.find((object) => object !== undefined);
}

/** As Exchange has it, where Exchange has it: that is where it is written. */
export function groupNamed(world: World, ref: string): Group | undefined {
  for (const view of viewsOf(world)) {
    const byId = view.get(ref.toLowerCase());
    const found =
      byId?.type === 'group' ? byId : view.named(ref).find((object): object is Group => object.type === 'group');
    if (found) return found;
  }
  return undefined;
}

/** Makes someone a member or none; says who of the two is not in the tenant. */
export function setMember(world: World, groupRef: string, memberRef: string, isMember: boolean): string[] {
  const group = groupNamed(world, groupRef);
  const member = objectNamed(world, memberRef);
  if (!group) return [`${groupRef} is no group`];
  if (!member) return [`${memberRef} is not in the tenant`];
  const members = isMember ? group.members.with([member.id]) : group.members.without(member.id);
  world.tenant.directory.commit('exchange', [{ put: { ...group, members } }], world.clock.now(), 0);
  return [];
}
