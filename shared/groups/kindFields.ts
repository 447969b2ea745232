import { Fault, type FieldFault } from '../errors.ts';
import type { GroupKind } from './kinds.ts';

const exchangeKinds = ['distributionList', 'mailEnabledSecurity'] as const satisfies readonly GroupKind[];

/**
 * Properties of a group, by the names that requests give them, that not every kind has. Exchange alone knows the mail
 * settings; Graph cannot write those of a Microsoft 365 group (graph.md §1.2). Any other property is every kind's.
 */
export const kindFields = {
  primarySmtpAddress: exchangeKinds,
  addresses: exchangeKinds,
  hideFromAddressLists: exchangeKinds,
  requireSenderAuthentication: exchangeKinds,
  ignoreNamingPolicy: exchangeKinds,
  joinRestriction: exchangeKinds,
  departRestriction: exchangeKinds,
  moderationEnabled: exchangeKinds,
  moderatedBy: exchangeKinds,
  bypassModerationFrom: exchangeKinds,
  acceptMessagesFrom: exchangeKinds,
  rejectMessagesFrom: exchangeKinds,
  sendOnBehalf: exchangeKinds,
  mailTip: exchangeKinds,
  visibility: ['microsoft365'],
} as const satisfies Readonly<Record<string, readonly GroupKind[]>>;

const kindsOf: ReadonlyMap<string, readonly GroupKind[]> = new Map(Object.entries(kindFields));

/**
 * Refuses properties that a group of this kind does not have. Pure.
 * @param names the properties that the request gives
 * @throws Fault `invalid_request` with one error for each, naming the kinds that have it
 */
export function refuseForeignFields(kind: GroupKind, names: readonly string[]): void {
  const errors = names.flatMap((name): FieldFault[] => {
    const kinds = kindsOf.get(name);
    if (kinds === undefined || kinds.includes(kind)) return [];
    return [
      {
        pointer: `/${name}`,
        message: `is a property of ${kinds.join(' and ')}, not of ${kind}`,
        fix: `Leave ${name} out, or use a group of kind ${kinds.join(' or ')}.`,
      },
    ];
  });
  if (errors.length === 0) return;
  throw new Fault('invalid_request', {
    detail: `A group of kind ${kind} has no ${errors.map(({ pointer }) => pointer.slice(1)).join(', ')}.`,
    fix: 'Leave out the properties listed under errors.',
    errors,
  });
}

export { departRestrictions, joinRestrictions } from '../exchange/distributionGroups.ts';
export { groupVisibilities } from '../graph/groupWrites.ts';
