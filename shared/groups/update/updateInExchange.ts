import type { Call } from '../../call.ts';
import { Fault, type FaultCode, faultTable, type FieldFault } from '../../errors.ts';
import type { DistributionGroup } from '../../exchange/distributionGroups.ts';
import { sameText } from '../../exchange/identity.ts';
import { textOfRecipients, isEntryOf, type Recipient, type Recipients } from '../../exchange/recipients.ts';
import { type ChangeStep, takeSteps } from './changeSteps.ts';
import { changeOf, planChange, type PlannedSetting, type ResolvedUpdate } from './exchangeChange.ts';
import {
  type ChangeRow,
  type GroupUpdate,
  type RecipientField,
  recipientFields,
  refuseForbiddenSettings,
  type UpdatedGroup,
  type UpdateResult,
  wouldSet,
} from './groupChange.ts';
import type { GroupSettings } from './groupSettings.ts';
import type { MemberResolver } from '../membership/members.ts';
import { addressesOf, editOf, type KnownRecipients } from '../ownerIdentity.ts';
import { requireOwners } from '../owners.ts';
import type { ProtectedUsers } from '../protectedUsers.ts';

export interface ExchangeUpdater {
  /**
   * Brings a distribution list or a mail-enabled security group to what is asked for, writing only what differs.
   * @throws Fault `invalid_request`, `owner_not_valid`, `protected_object`, `address_in_use`, upstream faults; once
   *   something was written, faults are told row by row
   */
  update(group: DistributionGroup, update: GroupUpdate, isDryRun: boolean, call: Call): Promise<UpdateResult>;
}

export interface ExchangeUpdaterDependencies {
  readonly recipients: Recipients;
  readonly memberResolver: MemberResolver;
  /** Without PROTECTED_USERS: who is protected may well be the one who alone may send to a group. */
  readonly senderResolver: MemberResolver;
  readonly protectedUsers: ProtectedUsers;
  readonly groupSettings: GroupSettings;
}

export function createExchangeUpdater(dependencies: ExchangeUpdaterDependencies): ExchangeUpdater {
  const { recipients, memberResolver, senderResolver, protectedUsers, groupSettings } = dependencies;

  /** The update with its people found, or one fault that lists all that are not. */
  async function resolve(group: DistributionGroup, update: GroupUpdate, call: Call): Promise<ResolvedUpdate> {
    const { owners, moderatedBy, bypassModerationFrom, acceptMessagesFrom, rejectMessagesFrom, sendOnBehalf, ...rest } =
      update;
    const lists = { moderatedBy, bypassModerationFrom, acceptMessagesFrom, rejectMessagesFrom, sendOnBehalf };
    const found = await resolveLists(lists, call);
    if (owners === undefined) return { ...rest, ...found };
    const isOwner = (recipient: Recipient) => group.managedBy.some((entry) => isEntryOf(recipient, entry));
    const resolutions = await memberResolver.resolve(owners, call, isOwner);
    return { ...rest, ...found, owners: requireOwners(owners, resolutions) };
  }

  async function resolveLists(
    lists: Readonly<Record<RecipientField, readonly string[] | undefined>>,
    call: Call,
  ): Promise<Partial<Record<RecipientField, readonly Recipient[]>>> {
    const entries = recipientFields.flatMap((field) =>
      (lists[field] ?? []).map((entry, index) => ({ entry, field, pointer: `/${field}/${index}` })),
    );
    const resolutions = await senderResolver.resolve(
      entries.map(({ entry }) => entry),
      call,
    );
    const found = new Map<RecipientField, Map<string, Recipient>>();
    for (const field of recipientFields) if (lists[field] !== undefined) found.set(field, new Map());
    const refused: { code: FaultCode; message: string; pointer: string }[] = [];
    for (const [index, { field, pointer }] of entries.entries()) {
      const resolution = resolutions[index];
      if (resolution?.type === 'found') {
        // Who is named twice is there once.
        found.get(field)?.set(resolution.recipient.exchangeId, resolution.recipient);
      } else if (resolution !== undefined) refused.push({ ...resolution, pointer });
    }
    if (refused.length > 0) throw recipientsNotFound(refused);
    return Object.fromEntries([...found].map(([field, people]) => [field, [...people.values()]]));
  }

  /** Whom the group's own lists mean: owners always, for the reply, others where the update is about them. */
  async function identify(group: DistributionGroup, update: ResolvedUpdate, call: Call): Promise<KnownRecipients> {
    const known = new Map<string, Recipient>();
    const asked = recipientFields.filter((field) => update[field] !== undefined);
    const wanted = [update.owners, ...asked.map((field) => update[field])].flatMap((people) => people ?? []);
    const unknown = new Set<string>();
    for (const entry of [...group.managedBy, ...asked.flatMap((field) => group[field])]) {
      const same = wanted.find(({ id, exchangeId }) => sameText(id, entry) || sameText(exchangeId, entry));
      if (same === undefined) unknown.add(entry);
      else known.set(entry.toLowerCase(), same);
    }
    const lookups = await recipients.lookUpEntries([...unknown], call);
    for (const [index, entry] of [...unknown].entries()) {
      const lookup = lookups[index];
      if (lookup?.type === 'failed') throw lookup.fault;
      if (lookup?.type === 'found') known.set(entry.toLowerCase(), lookup.recipient);
    }
    return known;
  }

  async function refuseProtectedOwners(
    group: DistributionGroup,
    { owners }: ResolvedUpdate,
    known: KnownRecipients,
    call: Call,
  ): Promise<void> {
    if (owners === undefined) return;
    const isProtected = await protectedUsers.test(call);
    for (const entry of editOf(owners, group.managedBy, known).remove) {
      const owner = known.get(entry.toLowerCase());
      if (owner === undefined) continue;
      const { id, userPrincipalName, primarySmtpAddress, addresses } = owner;
      if (isProtected([entry, id, userPrincipalName, primarySmtpAddress, ...addresses])) throw protectedOwner(owner);
    }
  }

  /** Exchange refuses such an address too, but only that it is taken, not by whom, and maybe after a first write. */
  async function refuseTakenAddresses(
    group: DistributionGroup,
    plan: readonly PlannedSetting[],
    call: Call,
  ): Promise<void> {
    const added = plan.flatMap(({ change: { primarySmtpAddress = null, addresses } }) => [
      ...(primarySmtpAddress === null ? [] : [primarySmtpAddress]),
      ...(addresses !== undefined ? (addresses.add ?? []).map((address) => address.replace(/^smtp:/, '')) : []),
    ]);
    const news = added.filter((address) => !group.addresses.some((each) => sameText(each, address)));
    if (news.length === 0) return;
    const holders = await recipients.holders({ addresses: news }, call);
    const others = holders.filter(({ exchangeId }) => !sameText(exchangeId, group.exchangeId));
    if (others.length > 0) throw addressTaken(news, others);
  }

  return {
    update: async (group, update, isDryRun, call) => {
      const kind = group.kind ?? 'distributionList';
      refuseForbiddenSettings(kind, update, group);
      const resolved = await resolve(group, update, call);
      const known = await identify(group, resolved, call);
      const planOf = (actual: DistributionGroup) => planChange(resolved, actual, known, group.displayName);
      const plan = planOf(group);
      await refuseProtectedOwners(group, resolved, known, call);
      await refuseTakenAddresses(group, plan, call);
      if (isDryRun || plan.length === 0) {
        return { rows: plan.map(wouldSet), group: shownGroup(group, group, [], resolved, known) };
      }
      if (kind === 'mailEnabledSecurity' && update.joinRestriction === 'approvalRequired') {
        call.warn('joinRestriction approvalRequired has no effect on a mail-enabled security group.');
      }

      let current = group;
      const steps = stagesOf(plan).map((stage): ChangeStep => {
        const fields = stage.map(({ field }) => field);
        const missing = (actual: DistributionGroup) =>
          changeOf(planOf(actual).filter(({ field }) => fields.includes(field)));
        return {
          differences: stage,
          write: async () => {
            current = await groupSettings.ensure(current, missing, call);
            return { type: 'done' };
          },
        };
      });
      const rows = await takeSteps(steps);
      const shown = shownGroup(group, current, rows, resolved, known);
      const named = rows.map((row) =>
        row.field === 'displayName' && row.outcome === 'set' ? { ...row, after: shown.displayName } : row,
      );
      return { rows: named, group: shown };
    },
  };
}

/** One call, or two where both kinds of address change: EmailAddresses and PrimarySmtpAddress exclude each other (exchange.md §4). */
function stagesOf(plan: readonly PlannedSetting[]): (readonly PlannedSetting[])[] {
  if (!plan.some(({ field }) => field === 'primarySmtpAddress')) return [plan];
  const isLast = ({ field }: PlannedSetting) => field === 'addresses';
  return [plan.filter((setting) => !isLast(setting)), plan.filter(isLast)].filter((stage) => stage.length > 0);
}

/** The group as read last, with what is proven to be set: a read-back may lag behind its write. Pure. */
function shownGroup(
  before: DistributionGroup,
  actual: DistributionGroup,
  rows: readonly ChangeRow[],
  update: ResolvedUpdate,
  known: KnownRecipients,
): UpdatedGroup {
  const wasSet = (name: ChangeRow['field']) => rows.some(({ field, outcome }) => field === name && outcome === 'set');
  const { displayName = '', primarySmtpAddress: asked, addresses: further, owners } = update;
  // Under a naming policy the name may come out as it was: then only what is read tells it.
  const isReadName = actual.displayName !== before.displayName || before.displayName.includes(displayName);
  const primarySmtpAddress = wasSet('primarySmtpAddress') && asked !== undefined ? asked : actual.primarySmtpAddress;
  const others =
    wasSet('addresses') && further !== undefined ? further : [before.primarySmtpAddress, ...actual.addresses];
  const addresses = new Map([primarySmtpAddress, ...others].map((address) => [address.toLowerCase(), address]));
  return {
    displayName: wasSet('displayName') && !isReadName ? displayName : actual.displayName,
    alias: actual.alias,
    primarySmtpAddress,
    addresses: [...addresses.values()],
    owners:
      wasSet('owners') && owners !== undefined
        ? owners.map((owner) => owner.primarySmtpAddress)
        : addressesOf(actual.managedBy, known),
  };
}

function recipientsNotFound(refused: readonly { code: FaultCode; message: string; pointer: string }[]): Fault {
  const codes = refused.map(({ code }) => code);
  const [first = 'member_not_found'] = codes;
  return new Fault(codes.find((code) => faultTable[code].retryable) ?? first, {
    detail: `${refused.length} of the people and groups named cannot be used: ${refused.map(({ message }) => message).join(' ')} Nothing was changed.`,
    fix: 'Mend the entries listed under errors.',
    errors: refused.map(({ pointer, message }): FieldFault => ({
      pointer,
      message,
      fix: 'Name a mailbox, a mail user, a contact or a group by its address, UPN or object id.',
    })),
  });
}

function protectedOwner({ primarySmtpAddress }: Recipient): Fault {
  return new Fault('protected_object', {
    detail: `${primarySmtpAddress} is listed in PROTECTED_USERS and owns the group; this app does not take that away. Nothing was changed.`,
    fix: 'Keep this owner in owners, or change the owners by hand.',
  });
}

function addressTaken(addresses: readonly string[], holders: readonly Recipient[]): Fault {
  return new Fault('address_in_use', {
    detail: `Of ${addresses.join(', ')}, some are held by: ${textOfRecipients(holders)}. Nothing was changed.`,
    fix: 'Choose another address, or remove it from the object that holds it.',
  });
}
