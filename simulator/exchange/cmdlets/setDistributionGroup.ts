import type { ExchangeGroup, Group } from '../../tenant/model.ts';
import { nothing, type Cmdlet, type CmdletContext } from '../cmdlet.ts';
import { cmdletError, types } from '../errors.ts';
import {
  checkAlias,
  checkLength,
  groupToWrite,
  named,
  normalAddresses,
  nowText,
  ownerIds,
  refuseDuplicates,
  refuseForeignDomain,
  refuseOpenSecurityGroup,
  requireOwner,
  withPrimary,
} from '../groupRules.ts';
import { edited, type Bound, type ListEdit } from '../parameters.ts';

const customAttributes = Array.from({ length: 15 }, (_, index) => `CustomAttribute${String(index + 1)}`);
const flags = [
  'RequireSenderAuthenticationEnabled',
  'HiddenFromAddressListsEnabled',
  'ModerationEnabled',
  'BypassNestedModerationEnabled',
  'BccBlocked',
] as const;
const MAX_DISPLAY_NAME = 256;
const MAX_MAIL_TIP = 175;

function addressesOf(parameters: Bound, group: Group): readonly string[] {
  const edit = parameters.edit('EmailAddresses');
  const primary = parameters.text('PrimarySmtpAddress');
  // exchange.md §4 Set-DistributionGroup; the text is facts.exclusiveAddresses
  if (edit && primary !== undefined)
    throw cmdletError(
      types.recipientTask,
      "The EmailAddresses and PrimarySmtpAddress parameters can't be used at the same time.",
    );
  if (primary !== undefined) return withPrimary(group.proxyAddresses, primary);
  return edit ? normalAddresses(edited(group.proxyAddresses, edit)) : group.proxyAddresses;
}

/** Owners by id, so that an edit finds the one it means under any of its names. */
function ownersOf(parameters: Bound, group: Group, context: CmdletContext): readonly string[] {
  const edit = parameters.edit('ManagedBy');
  if (!edit) return group.owners;
  const ids: ListEdit =
    'replace' in edit
      ? { replace: ownerIds(context, edit.replace) }
      : { add: ownerIds(context, edit.add), remove: ownerIds(context, edit.remove) };
  const owners = edited(group.owners, ids);
  requireOwner(owners);
  return owners;
}

function exchangeOf(parameters: Bound, group: Group, name: string, context: CmdletContext): ExchangeGroup | null {
  if (!group.exchange) return null;
  const text = (parameter: string, current: string): string => parameters.text(parameter) ?? current;
  const join = parameters.text('MemberJoinRestriction');
  const depart = parameters.text('MemberDepartRestriction');
  refuseOpenSecurityGroup(group.securityEnabled, join, depart);
  const mailTip = parameters.text('MailTip');
  if (mailTip !== undefined) checkLength('MailTip', mailTip, MAX_MAIL_TIP);
  const moderators = parameters.edit('ModeratedBy');
  const given = customAttributes.filter((attribute) => parameters.has(attribute));
  return {
    ...group.exchange,
    Name: name,
    WhenChangedUTC: nowText(context),
    MemberJoinRestriction: text(
      'MemberJoinRestriction',
      group.exchange.MemberJoinRestriction,
    ) as ExchangeGroup['MemberJoinRestriction'],
    MemberDepartRestriction: text(
      'MemberDepartRestriction',
      group.exchange.MemberDepartRestriction,
    ) as ExchangeGroup['MemberDepartRestriction'],
    SendModerationNotifications: text(
      'SendModerationNotifications',
      group.exchange.SendModerationNotifications,
    ) as ExchangeGroup['SendModerationNotifications'],
    ...Object.fromEntries(flags.filter((flag) => parameters.has(flag)).map((flag) => [flag, parameters.flag(flag)])),
    ...(parameters.has('MailTip') ? { MailTip: mailTip ?? null } : {}),
    ...(moderators ? { ModeratedBy: ownerIds(context, edited(group.exchange.ModeratedBy, moderators)) } : {}),
    CustomAttributes: {
      ...group.exchange.CustomAttributes,
      ...Object.fromEntries(given.map((attribute) => [attribute, parameters.text(attribute) ?? ''])),
    },
  };
}

export const setDistributionGroup: Cmdlet = {
  name: 'Set-DistributionGroup',
  parameters: {
    required: ['Identity'],
    modelled: {
      Identity: 'identity',
      Name: 'string',
      DisplayName: 'string',
      Alias: 'string',
      PrimarySmtpAddress: 'smtp',
      EmailAddresses: 'list',
      ManagedBy: 'list',
      Description: 'list',
      MailTip: 'string',
      MemberJoinRestriction: ['Open', 'Closed', 'ApprovalRequired'],
      MemberDepartRestriction: ['Open', 'Closed'],
      ModeratedBy: 'list',
      SendModerationNotifications: ['Always', 'Internal', 'Never'],
      IgnoreNamingPolicy: 'boolean',
      BypassSecurityGroupManagerCheck: 'boolean',
      Confirm: 'boolean',
      ...Object.fromEntries(flags.map((flag) => [flag, 'boolean' as const])),
      ...Object.fromEntries(customAttributes.map((attribute) => [attribute, 'string' as const])),
    },
    notModelled: [
      ...['AcceptMessagesOnlyFrom', 'AcceptMessagesOnlyFromDLMembers', 'AcceptMessagesOnlyFromSendersOrMembers'],
      ...['RejectMessagesFrom', 'RejectMessagesFromDLMembers', 'RejectMessagesFromSendersOrMembers'],
      ...['BypassModerationFromSendersOrMembers', 'GrantSendOnBehalfTo', 'MailTipTranslations', 'RoomList'],
      ...['ReportToManagerEnabled', 'ReportToOriginatorEnabled', 'SendOofMessageToOriginatorEnabled'],
      ...['HiddenGroupMembershipEnabled', 'SimpleDisplayName', 'UMDtmfMap', 'WindowsEmailAddress', 'ForceUpgrade'],
      ...['ExtensionCustomAttribute1', 'ExtensionCustomAttribute2', 'ExtensionCustomAttribute3', 'WhatIf'],
      ...['ExtensionCustomAttribute4', 'ExtensionCustomAttribute5', 'ArbitrationMailbox', 'UpdateMemberCount'],
    ],
  },
  run(parameters, context) {
    const target = groupToWrite(context, parameters, 'Set-DistributionGroup', 'Name');
    const group = target.object;
    const asPolicySays = (name: string): string =>
      parameters.flag('IgnoreNamingPolicy') === true ? name : named(context, name);
    const requestedName = parameters.text('Name');
    const requestedDisplayName = parameters.text('DisplayName');
    const name = requestedName === undefined ? target.name : asPolicySays(requestedName);
    const displayName = requestedDisplayName === undefined ? group.displayName : asPolicySays(requestedDisplayName);
    const alias = parameters.text('Alias') ?? target.alias;
    const proxyAddresses = addressesOf(parameters, group);
    checkLength('Name', name);
    checkLength('DisplayName', displayName, MAX_DISPLAY_NAME);
    checkAlias(alias);
    for (const address of proxyAddresses) refuseForeignDomain(context, address);
    refuseDuplicates(context, { name, alias, addresses: proxyAddresses }, group.id);
    const description = parameters.edit('Description');
    const text = description ? edited([], description).join('\n') : group.description;
    const changed: Group = {
      ...group,
      displayName,
      description: text === '' ? null : text,
      mailNickname: alias,
      proxyAddresses,
      mail: proxyAddresses.find((address) => address.startsWith('SMTP:'))?.slice(5) ?? group.mail,
      owners: ownersOf(parameters, group, context),
      exchange: exchangeOf(parameters, group, name, context),
    };
    context.tenant.commit('exchange', [{ put: changed }]);
    return nothing;
  },
};
