import type { Group } from '../tenant/model.ts';
import { cmdletError, types } from './errors.ts';
import type { CmdletContext } from './cmdlet.ts';
import type { Bound } from './parameters.ts';
import {
  exactlyOne,
  isDistributionGroup,
  isRecipient,
  matching,
  onlyOne,
  recipientOf,
  type Recipient,
} from './recipients.ts';

const MAX_NAME = 64;
const aliasPart = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u00A1-\\u00FF]+";
const aliasPattern = new RegExp(`^${aliasPart}(\\.${aliasPart})*$`);

export const groupsIn = (context: CmdletContext): Recipient<Group>[] =>
  [...context.view.ofType('group')]
    .filter(isRecipient)
    .map((group) => recipientOf(context.world, group))
    .filter(isDistributionGroup);

export const groupsMatching = ({ world, view }: CmdletContext, identity: string): Recipient<Group>[] =>
  matching(world, view, identity).filter(isDistributionGroup);

/** The group to write to, after the checks that every write passes. */
export function groupToWrite(
  context: CmdletContext,
  parameters: Bound,
  cmdlet: string,
  property: string,
): Recipient<Group> {
  const identity = parameters.text('Identity') ?? '';
  const group = onlyOne(groupsMatching(context, identity), identity);
  // exchange.md §4 Directory-synced groups; the type is facts.directorySyncedType
  if (group.object.onPremisesSyncEnabled)
    throw cmdletError(
      types.invalidOperation,
      `The operation on mailbox "${group.name}" failed because it's out of the current user's write scope. The action '${cmdlet}', '${property}', can't be performed on the object '${group.name}' because the object is being synchronized from your on-premises organization. This action should be performed on the object in your on-premises organization.`,
    );
  // exchange.md §1.7; the type is facts.notInOrganizationType
  if (group.object.securityEnabled && parameters.flag('BypassSecurityGroupManagerCheck') !== true)
    throw cmdletError(types.invalidOperation, 'The executing user is not in the current organization.');
  return group;
}

/** A group or a person that owns: mailbox, mail user or mail-enabled security group (exchange.md §4 ManagedBy). */
export function ownerIds(context: CmdletContext, identities: readonly string[]): string[] {
  const owners = identities.map((identity) => exactlyOne(context.world, context.view, identity));
  const unfit = owners.find(
    ({ object, typeDetails }) => object.type !== 'user' && typeDetails !== 'MailUniversalSecurityGroup',
  );
  // facts.unfitOwner
  if (unfit)
    throw cmdletError(
      types.recipientTask,
      `The recipient "${unfit.name}" of type ${unfit.typeDetails} can't own a group. An owner must be a mailbox, a mail user or a mail-enabled security group.`,
    );
  return [...new Set(owners.map(({ object }) => object.id))];
}

export function requireOwner(owners: readonly string[]): void {
  if (owners.length === 0) throw cmdletError(types.lastOwner, 'The group must have at least one owner.');
}

/** Any recipient but a Microsoft 365 group (exchange.md §4 Members). */
export function memberId(context: CmdletContext, identity: string): string {
  const member = exactlyOne(context.world, context.view, identity);
  // facts.unifiedGroupAsMember
  if (member.typeDetails === 'GroupMailbox')
    throw cmdletError(
      types.recipientTask,
      `The Microsoft 365 group "${member.name}" can't be a member of a distribution group.`,
    );
  return member.object.id;
}

const tooLong = (what: string, maximum: number, actual: number): Error =>
  cmdletError(
    types.dataValidation,
    `The length of the property ${what} is too long. The maximum length is ${String(maximum)} and the length of the value provided is ${String(actual)}.`,
  );

export function checkLength(what: string, value: string, maximum = MAX_NAME): void {
  if (value.length > maximum) throw tooLong(what, maximum, value.length);
}

export function checkAlias(alias: string): void {
  checkLength('Alias', alias);
  // facts.badAlias
  if (!aliasPattern.test(alias))
    throw cmdletError(
      types.dataValidation,
      `"${alias}" isn't valid for Alias. Use letters, numbers, !, #, $, %, &, ', *, +, -, /, =, ?, ^, _, \`, {, |, } or ~, and periods only between them.`,
    );
}

/** Name without spaces, what is not supported as ? (exchange.md §4 Alias). */
export const aliasFrom = (name: string): string =>
  name.replace(/\s/g, '').replace(/[^A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\u00A1-\u00FF]|^\.|\.$|\.(?=\.)/g, '?');

/** DistributionGroupNamingPolicy and the blocked words of Set-OrganizationConfig (exchange.md §4). */
export function named({ tenant }: CmdletContext, name: string): string {
  const { namingPolicy, blockedWords } = tenant.settings;
  const blocked = blockedWords.find((word) => name.toLowerCase().includes(word.toLowerCase()));
  // facts.blockedWordText
  if (blocked !== undefined)
    throw cmdletError(types.recipientTask, `The group name "${name}" contains the blocked word "${blocked}".`);
  return namingPolicy === null ? name : namingPolicy.replaceAll('<GroupName>', name);
}

export interface UniqueValues {
  name?: string;
  alias?: string;
}

/** Unique among all recipients but the group itself (exchange.md §1.7, E14). */
export function refuseDuplicates(context: CmdletContext, wanted: UniqueValues, self?: string): void {
  const { world, view } = context;
  const others = (value: string): Recipient[] =>
    matching(world, view, value).filter(({ object }) => object.id !== self);
  const same = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase();
  const { name, alias } = wanted;
  if (name !== undefined && others(name).some((other) => same(other.name, name)))
    throw cmdletError(types.objectExists, `The name "${name}" is already being used. Please try another name.`);
  if (alias !== undefined && others(alias).some((other) => same(other.alias, alias)))
    throw cmdletError(
      types.objectExists,
      `The value "${alias}" of property "Alias" is used by another recipient object. Please specify a unique value.`,
    );
}

export function refuseOpenSecurityGroup(isSecurity: boolean, ...restrictions: (string | undefined)[]): void {
  // exchange.md §4 MemberJoinRestriction; the text is facts.openSecurityGroup
  if (isSecurity && restrictions.includes('Open'))
    throw cmdletError(types.recipientTask, "A security group can't be open for members to join or leave.");
}

export const nowText = ({ world }: CmdletContext): string =>
  new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
