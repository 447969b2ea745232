import type { PushRequest } from '../pushReply.ts';

/** A look at what a push would do. */
export const dryPush: PushRequest = {
  isDryRun: true,
  planId: null,
  maxRemovals: null,
  allowEmpty: false,
  repin: [],
  activates: false,
};
