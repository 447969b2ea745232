import type { Config } from '../config.ts';
import { createEventHookReceiver } from '../push/hooks/receiver.ts';
import type { Ground } from './ground.ts';

/** From Okta's event hook to the pending changes of the mappings. */
export function openHookRoom({ eventHookSecrets }: Config, ground: Ground) {
  return {
    eventHookReceiver: createEventHookReceiver({ ...ground, eventHookSecrets }),
  };
}
