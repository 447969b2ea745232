import type { FaultCode } from '../../errors.ts';
import { type SeenUser, undoOf } from '../repairMachine.ts';
import type { RepairOutcome, RepairRecord, TurnedBack, TurnedBackReason } from '../repairRecord.ts';
import type { Refused, Repair } from './repair.ts';

/** One write that a person would send to have the user as before. */
export interface UndoRow {
  /** Method and path. */
  readonly request: string;
  /** JSON. */
  readonly body: string;
}

/** Pure. In order; none where the user is as before, or gone. */
export function undoRows({ record, seen, userId }: Pick<Repair, 'record' | 'seen' | 'userId'>): UndoRow[] {
  return undoOf(record, seen ?? farthest(record)).map(({ step, value }) => ({
    request: `PATCH /users/${userId}`,
    body: JSON.stringify(step === 'setImmutableId' ? { onPremisesImmutableId: value } : { userPrincipalName: value }),
  }));
}

/** As one line, for the log and for what an operation says. */
export function undoText(repair: Pick<Repair, 'record' | 'seen' | 'userId'>): string {
  return undoRows(repair)
    .map(({ request, body }) => `${request} ${body}`)
    .join('; then ');
}

/** Where the user may be at worst, when it cannot be read. */
export function farthest({ before, temporaryUpn }: RepairRecord): SeenUser {
  return { userPrincipalName: temporaryUpn ?? before.userPrincipalName, immutableId: before.immutableId };
}

/** What the end of a repair says beside its outcome. */
export interface RepairEnd {
  readonly isOk: boolean;
  /** The outcome where all is well. */
  readonly code: FaultCode | 'repaired' | 'unchanged';
  readonly message: string;
  readonly fix: string | null;
}

/** Pure. Of a repair that has ended. */
export function endOf({ record, refusal }: Pick<Repair, 'record' | 'refusal'>): RepairEnd {
  const { before, desired } = record;
  const name = before.userPrincipalName;
  const outcome: RepairOutcome = record.ended ?? 'refused';
  switch (outcome) {
    case 'repaired':
      return { isOk: true, code: outcome, message: `The immutable ID of ${name} is ${shown(desired)}.`, fix: null };
    case 'unchanged':
      return { isOk: true, code: outcome, message: `The immutable ID of ${name} is as asked for.`, fix: null };
    case 'overtaken':
      return {
        isOk: false,
        code: 'user_changed',
        message: `Somebody else has changed ${name} meanwhile; it was left as it is.`,
        fix: 'Read the user (getImmutableId) and repair it again if that is still wanted.',
      };
    case 'gone':
      return {
        isOk: false,
        code: 'user_deleted',
        message: `${name} was deleted meanwhile.`,
        fix: `If that was not meant, restore the user; its user principal name may be ${record.temporaryUpn ?? name} then.`,
      };
    case 'refused':
    case 'rolled_back': {
      const { code, message, fix } = refusal ?? refusedBecause(record);
      const stands = outcome === 'refused' ? 'was not changed' : 'is as it was before';
      return { isOk: false, code, message: `${name} ${stands}: ${message}`, fix };
    }
  }
}

/** Pure. Why the immutable ID was not written, as callers are told. */
function refusedBecause({ turnedBack, isFederated }: RepairRecord): Refused {
  if (turnedBack === null) return { ...reasons.other, message: '' };
  const { code, fix } = reasonOf(turnedBack, isFederated);
  return { code, message: turnedBack.message, fix };
}

function reasonOf({ step, reason }: TurnedBack, isFederated: boolean | null): Reason {
  if (step === 'moveUpn' && reason === 'conflict') return temporaryTaken;
  return reason === 'no_managed_domain' && isFederated === null ? domainsUnread : reasons[reason];
}

const domainsUnread: Reason = {
  code: 'domain_not_accepted',
  fix: 'Grant the app Domain.Read.All (Microsoft Graph, application permission), and see to it that the user principal name is in a domain of the tenant: which domain it could be moved to could not be told.',
};

const temporaryTaken: Reason = {
  code: 'address_in_use',
  fix: 'Find out who has got the temporary user principal name meanwhile (also among deleted users and groups), take it off there, and repeat the request.',
};

interface Reason {
  readonly code: FaultCode;
  readonly fix: string;
}

const reasons: Readonly<Record<TurnedBackReason, Reason>> = {
  conflict: {
    code: 'immutable_id_in_use',
    fix: 'Find out who holds the value (also among deleted users), take it off there, and repeat the request.',
  },
  invalid: { code: 'upstream_rejected', fix: 'Read the message of Entra and give another value.' },
  forbidden: {
    code: 'graph_permission_missing',
    fix: 'Grant the app User.ReadWrite.All (Microsoft Graph, application permission) with admin consent; for a privileged user its service principal needs the role that getImmutableId names as well.',
  },
  synced: { code: 'on_premises_synced', fix: 'Change the source anchor where the user is synced from.' },
  missing: { code: 'member_not_found', fix: 'Repeat the request in some minutes: Entra did not find the user.' },
  other: { code: 'upstream_rejected', fix: 'Read the message of Entra; repeat the request if it may pass.' },
  no_managed_domain: {
    code: 'domain_not_accepted',
    fix: 'Verify a domain that is not federated, through which the user principal name can be moved.',
  },
  unreachable: { code: 'upstream_failed', fix: 'Repeat the request when Graph answers again.' },
};

function shown(immutableId: string | null): string {
  return immutableId ?? 'none, as asked for';
}

/**
 * Pure. What became of mail and addresses: a repair writes neither, but Exchange makes addresses of user principal names
 * (graph.md §2.3), and Graph can take none away.
 */
export function addressRemarks({
  addresses,
  userId,
  record,
}: Pick<Repair, 'addresses' | 'userId' | 'record'>): string[] {
  if (addresses === null) return [];
  const { added, removed, leftover, isMailChanged } = addresses;
  const name = record.before.userPrincipalName;
  const others = added.filter((address) => address !== leftover);
  return [
    ...(leftover === null
      ? []
      : [
          `The temporary address ${leftover} was left with ${name}; Graph cannot take it away. In Exchange Online: Set-Mailbox -Identity ${userId} -EmailAddresses @{Remove='${leftover}'}`,
        ]),
    ...(others.length === 0 ? [] : [`New addresses of ${name} since the repair began: ${others.join(', ')}.`]),
    ...(removed.length === 0 ? [] : [`Addresses that ${name} has lost since the repair began: ${removed.join(', ')}.`]),
    ...(isMailChanged ? [`The mail address of ${name} is another than before, ${record.before.mail ?? 'none'}.`] : []),
  ];
}
