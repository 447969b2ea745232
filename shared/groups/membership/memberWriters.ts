import type { Call } from '../../call.ts';
import { type Fault, isFault } from '../../errors.ts';
import type { BatchPart } from '../../exchange/batch.ts';
import { ExchangeFault } from '../../exchange/errors.ts';
import { type ExchangeMembers, type MemberChange, memberBatchSize, memberCmdlets } from '../../exchange/members.ts';
import type { GraphPart } from '../../graph/batch.ts';
import { isGraphFault } from '../../graph/errors.ts';
import { type GraphLinks, linkBatchSize } from '../../graph/links.ts';
import { type Group } from '../group.ts';
import { livesInExchange } from '../kinds.ts';
import type { MemberTarget } from './memberTarget.ts';

/** What a directory said of one member. */
export type MemberAnswer =
  | { readonly type: 'done'; readonly requestId: string | null; readonly warnings: readonly string[] }
  /** It was as asked already: the member is (not) in the group. */
  | { readonly type: 'asAsked'; readonly fault: Fault }
  /** The group or the member is not there: not yet, or not any more. */
  | { readonly type: 'missing'; readonly fault: Fault }
  /** It may have been carried out. */
  | { readonly type: 'open'; readonly fault: Fault }
  | { readonly type: 'throttled'; readonly fault: Fault }
  | { readonly type: 'refused'; readonly fault: Fault };

/** The directory that masters a group's members. */
export interface MemberWriter {
  readonly batchSize: number;
  /** For the audit. */
  readonly operations: Readonly<Record<MemberChange, string>>;
  /**
   * Changes up to `batchSize` members in one call; one answer each, in order.
   * @throws what holds for the whole call
   */
  send(change: MemberChange, group: Group, targets: readonly MemberTarget[], call: Call): Promise<MemberAnswer[]>;
}

export interface MemberWriters {
  of(group: Group): MemberWriter;
}

export function createMemberWriters(dependencies: {
  exchangeMembers: ExchangeMembers;
  graphLinks: GraphLinks;
}): MemberWriters {
  const { exchangeMembers, graphLinks } = dependencies;

  const exchangeWriter: MemberWriter = {
    batchSize: memberBatchSize,
    operations: memberCmdlets,
    send: async (change, group, targets, call) => {
      const groupId = group.exchange?.exchangeId ?? group.id ?? '';
      const memberIds = targets.map(({ memberId }) => memberId);
      const parts = await exchangeMembers.change(change, groupId, memberIds, call);
      return parts.map((part) => answerOfExchange(change, part));
    },
  };

  const graphWriter: MemberWriter = {
    batchSize: linkBatchSize,
    operations: { add: 'PATCH /groups/{id} members', remove: 'DELETE /groups/{id}/members/{id}/$ref' },
    send: async (change, group, targets, call) => {
      const memberIds = targets.map(({ memberId }) => memberId);
      const parts = await graphLinks.change('members', change, group.id ?? '', memberIds, call);
      return parts.map((part) => answerOfGraph(change, part));
    },
  };

  return { of: ({ kind }) => (livesInExchange(kind) ? exchangeWriter : graphWriter) };
}

function answerOfExchange(change: MemberChange, part: BatchPart): MemberAnswer {
  if (part.ok) return { type: 'done', requestId: part.output.requestId, warnings: part.output.warnings };
  const { fault } = part;
  const kind = fault instanceof ExchangeFault ? fault.kind : null;
  if (kind === (change === 'add' ? 'alreadyMember' : 'notAMember')) return { type: 'asAsked', fault };
  return kind === 'notFound' ? { type: 'missing', fault } : otherAnswer(fault);
}

export function answerOfGraph(change: MemberChange, part: GraphPart): MemberAnswer {
  if (part.ok) return { type: 'done', requestId: part.requestId, warnings: [] };
  const { fault } = part;
  if (isGraphFault(fault, change === 'add' ? 'alreadyLinked' : 'notLinked')) return { type: 'asAsked', fault };
  if (isGraphFault(fault, 'objectMissing', 'notReplicated', 'groupMissing')) return { type: 'missing', fault };
  return otherAnswer(fault);
}

function otherAnswer(fault: Fault): MemberAnswer {
  if (isFault(fault, 'outcome_unknown')) return { type: 'open', fault };
  return isFault(fault, 'throttled') ? { type: 'throttled', fault } : { type: 'refused', fault };
}
