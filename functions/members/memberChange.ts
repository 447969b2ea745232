import { Type } from '@sinclair/typebox';
import {
  dryRunField,
  maxMembersPerRequest,
  memberList,
  memberResults,
  writeReply,
} from '../../shared/action/schemas.ts';
import { membershipOutcomes } from '../../shared/groups/membership/memberRows.ts';

/** What addMembers and removeMembers take and say: the same shapes, so that a flow can swap one for the other. */
export const memberChangeBody = Type.Object(
  {
    members: memberList({
      minItems: 1,
      maxItems: maxMembersPerRequest,
      description: 'up to 500 members, as a list or as text separated by commas or lines',
    }),
    dryRun: dryRunField,
  },
  { additionalProperties: false },
);

export const memberChangeReply = writeReply(membershipOutcomes, memberResults);
