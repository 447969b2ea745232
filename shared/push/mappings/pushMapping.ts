import type { Call } from '../../call.ts';
import type { Pusher } from '../pusher.ts';
import type { PushReply, PushRequest } from '../pushReply.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import { noSuchMapping } from './mappingFaults.ts';

export interface MappingPusher {
  /** @throws Fault `push_mapping_not_found`, and of a push (see Pusher) */
  push(oktaGroupId: string, request: Omit<PushRequest, 'activates'>, call: Call): Promise<PushReply>;
}

/** A push of a stored mapping. */
export function createMappingPusher(dependencies: { pushMappings: PushMappingStore; pusher: Pusher }): MappingPusher {
  const { pushMappings, pusher } = dependencies;
  return {
    push: async (oktaGroupId, request, call) => {
      const mapping = await pushMappings.get(oktaGroupId, call);
      if (mapping === null) throw noSuchMapping(oktaGroupId);
      return pusher.push(mapping, { ...request, activates: false }, call);
    },
  };
}
