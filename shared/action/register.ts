import { app } from '@azure/functions';
import type { Room } from '../config.ts';
import type { Action } from './contract.ts';
import { createHandler, type Runtime } from './handler.ts';

/**
 * Registers the actions of the enabled rooms. `authLevel` is always said: the library's own default is anonymous
 * (functions.md §1).
 */
export function registerActions(actions: readonly Action[], enabledRooms: ReadonlySet<Room>, runtime: Runtime): void {
  for (const action of actions.filter(({ room }) => enabledRooms.has(room))) {
    app.http(action.name, {
      methods: [action.method],
      route: action.route,
      authLevel: action.authLevel,
      handler: createHandler(action, runtime),
    });
  }
}
