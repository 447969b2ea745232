import type { Config } from '../config.ts';
import { createEventCollector } from '../push/hooks/collector.ts';
import { createEventHookReceiver } from '../push/hooks/receiver.ts';
import type { Ground } from './ground.ts';
import type { PushGround } from './pushGround.ts';

/** From Okta's event hook to the pending changes of the mappings. */
export function openHookRoom({ eventHookSecrets }: Config, ground: Ground, pushGround: PushGround) {
  return {
    eventHookReceiver: createEventHookReceiver({ ...ground, eventHookSecrets }),
    eventCollector: createEventCollector({ ...ground, ...pushGround }),
  };
}
