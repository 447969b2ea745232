import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import { type ProtectionLists, refuseUnmanageable } from '../../groups/blockers.ts';
import type { GroupCreator } from '../../groups/creation/createGroup.ts';
import { type Creation, type GroupRequestInput, toGroupRequest } from '../../groups/creation/creationPlan.ts';
import { type Group, labelOf } from '../../groups/group.ts';
import type { GroupKind } from '../../groups/kinds.ts';
import { groupNotReady, type GroupResolver } from '../../groups/resolve.ts';
import { below } from './mappingFaults.ts';

/** What a caller wants a mapping to point at. */
export type TargetChoice =
  /** By object id, SMTP address or exact name. */
  | { readonly type: 'existing'; readonly identity: string }
  /** To be created, or found as asked for. */
  | { readonly type: 'new'; readonly group: GroupRequestInput };

/** @throws Fault `invalid_request` unless exactly one is given */
export function chooseTarget(target: string | undefined, create: GroupRequestInput | undefined): TargetChoice {
  if (target !== undefined && create === undefined) return { type: 'existing', identity: target };
  if (target === undefined && create !== undefined) return { type: 'new', group: create };
  const fix = 'Give either "target", the id, address or exact name of a group, or "create", a group to be created.';
  throw new Fault('invalid_request', {
    detail: 'A push mapping needs exactly one of target and create.',
    fix,
    errors: [{ pointer: '', message: 'must have exactly one of target and create', fix }],
  });
}

/** A group that may be managed, and that both directories know. */
export type Target = Group & { readonly id: string };

/** What is there of a target before anything is written. */
export interface SeenTarget {
  /** null: it is to be created. */
  readonly target: Target | null;
  readonly kind: GroupKind;
  /** What a person recognises it by. */
  readonly label: string;
  /** What making it would do, as a sentence; null: nothing. */
  readonly planned: string | null;
  /** Creates what is missing. @throws Fault as `look`, and `group_not_ready` while Entra does not show a new group */
  make(call: Call): Promise<MadeTarget>;
}

export interface MadeTarget {
  readonly target: Target;
  readonly changed: boolean;
  /** What is still missing of a creation, as a sentence; null: nothing. */
  readonly shortfall: string | null;
}

export interface MappingTargets {
  /**
   * Writes nothing.
   * @throws Fault `invalid_request`, blockers, faults of resolving, `exists_with_differences` and others of a creation
   */
  look(choice: TargetChoice, call: Call): Promise<SeenTarget>;
}

export function createMappingTargets(dependencies: {
  groups: GroupResolver;
  groupCreator: GroupCreator;
  protection: ProtectionLists;
}): MappingTargets {
  const { groups, groupCreator, protection } = dependencies;

  /** Exactly one object that may be written to. */
  async function resolve(identity: string, call: Call): Promise<Target> {
    const group = await groups.resolveForWrite(identity, call);
    refuseUnmanageable(group, protection);
    if (group.id === null) throw groupNotReady(group);
    return { ...group, id: group.id };
  }

  async function create(input: GroupRequestInput, isDryRun: boolean, call: Call): Promise<Creation> {
    try {
      return await groupCreator.create(toGroupRequest(input), isDryRun, call);
    } catch (error) {
      throw below('/create', error);
    }
  }

  async function lookForNew(input: GroupRequestInput, call: Call): Promise<SeenTarget> {
    const { outcome, group, message } = await create(input, true, call);
    const target = group === null ? null : await resolve(identityOf(group), call);
    if (target !== null && outcome === 'already_exists') return asItIs(target);
    return {
      target,
      kind: target?.kind ?? input.kind,
      label: target === null ? (input.primarySmtpAddress ?? input.displayName) : labelOf(target),
      planned: message,
      make: async (call) => {
        const creation = await create(input, false, call);
        if (creation.group === null || creation.outcome === 'pending') throw notVisible(creation.message);
        return {
          target: target ?? (await resolve(identityOf(creation.group), call)),
          changed: creation.changed,
          shortfall: creation.outcome === 'partial' ? creation.message : null,
        };
      },
    };
  }

  return {
    look: async (choice, call) =>
      choice.type === 'existing' ? asItIs(await resolve(choice.identity, call)) : lookForNew(choice.group, call),
  };
}

function asItIs(target: Target): SeenTarget {
  const make = () => Promise.resolve({ target, changed: false, shortfall: null });
  return { target, kind: target.kind, label: labelOf(target), planned: null, make };
}

function identityOf(group: Group): string {
  return group.id ?? labelOf(group);
}

function notVisible(message: string): Fault {
  return new Fault('group_not_ready', {
    detail: `${message} The group is not mapped yet.`,
    fix: 'Repeat the request in a minute: it finds the group that was created.',
    retryAfterSeconds: 15,
  });
}
