import { Fault, isFault } from '../../errors.ts';
import type { PushMapping } from '../mapping.ts';

export function noSuchOktaGroup(oktaGroupId: string): Fault {
  const fix = 'Give the id of a group of this org: it stands in the address of its page in the Admin Console.';
  return new Fault('okta_object_not_found', {
    detail: `Okta has no group "${oktaGroupId}"; nothing was written.`,
    fix,
    errors: [{ pointer: '/params/oktaGroupId', message: 'is no group of Okta', fix }],
    upstream: 'okta',
  });
}

export function noSuchMapping(oktaGroupId: string): Fault {
  return new Fault('push_mapping_not_found', {
    detail: `The Okta group "${oktaGroupId}" has no push mapping.`,
    fix: 'GET push-mappings lists those there are; PUT push-mappings/{oktaGroupId} makes one.',
  });
}

/** The group follows another target already, or the target another group. */
export function mappedAlready({ oktaGroupId, oktaGroupName, targetId, targetName }: PushMapping): Fault {
  return new Fault('push_mapping_exists', {
    detail: `${targetName} (${targetId}) follows the Okta group ${oktaGroupName} (${oktaGroupId}); a target follows one group, and a group is followed by one target. Nothing was mapped.`,
    fix: `Choose another group or target, or delete that mapping first: make it INACTIVE, then DELETE push-mappings/${oktaGroupId}.`,
  });
}

/** What the mapping points at, by id, is no longer there. */
export function targetGone({ targetId, targetName }: Pick<PushMapping, 'targetId' | 'targetName'>): Fault {
  return new Fault('group_not_found', {
    detail: `The target ${targetName} (${targetId}) is gone, or Entra does not show it.`,
    fix: 'Restore it (GET deleted-groups). Where it has the same id again, the mapping goes on by itself; a distribution list gets another: then make the mapping INACTIVE, delete it, and map the Okta group anew.',
    upstream: 'graph',
  });
}

export function stillActive({ oktaGroupId, targetName, status }: PushMapping): Fault {
  return new Fault('push_mapping_active', {
    detail: `The push mapping of ${targetName} is ${status}; nothing was deleted.`,
    fix: `Make it INACTIVE first with PUT push-mappings/${oktaGroupId}/status, body {"status": "INACTIVE"}; then repeat the request.`,
  });
}

/** A fault of something that is a property of the request: its pointers lead from there. */
export function below(pointer: string, error: unknown): unknown {
  if (!isFault(error) || error.errors.length === 0) return error;
  const errors = error.errors.map((each) => ({ ...each, pointer: `${pointer}${each.pointer}` }));
  return new Fault(error.code, {
    detail: error.message,
    fix: error.fix,
    errors,
    ...(error.upstream === null ? {} : { upstream: error.upstream }),
    upstreamRequestId: error.upstreamRequestId,
    ...(error.retryAfterSeconds === null ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
    cause: error,
  });
}
