import { legacyExchangeDN, newExchangeGroup, newGroup } from '../../tenant/defaults.ts';
import { MemberList } from '../../tenant/memberList.ts';
import type { ExchangeGroup, Group } from '../../tenant/model.ts';
import { checkAddresses } from '../addresses.ts';
import type { Cmdlet, CmdletContext } from '../cmdlet.ts';
import { checkModeration } from '../delivery.ts';
import { cmdletError, types } from '../errors.ts';
import {
  aliasFrom,
  checkAlias,
  checkLength,
  memberId,
  named,
  nowText,
  ownerIds,
  refuseDuplicates,
  refuseOpenSecurityGroup,
  requireOwner,
} from '../groupRules.ts';
import { edited, type Bound } from '../parameters.ts';
import { isDistributionGroup, recipientOf } from '../recipients.ts';
import { distributionGroupRow } from '../rows.ts';

const MAX_DISPLAY_NAME = 256;
const MAX_MEMBERS = 10_000;

const listed = (parameters: Bound, name: string): string[] => edited([], parameters.edit(name) ?? { replace: [] });

function identityOf(parameters: Bound, context: CmdletContext) {
  const ignoresPolicy = parameters.flag('IgnoreNamingPolicy') === true;
  const asPolicySays = (name: string): string => (ignoresPolicy ? name : named(context, name));
  const requested = parameters.text('Name') ?? '';
  const name = asPolicySays(requested);
  const displayName = asPolicySays(parameters.text('DisplayName') ?? requested);
  const alias = parameters.text('Alias') ?? aliasFrom(name);
  const address = parameters.text('PrimarySmtpAddress') ?? `${alias}@${context.tenant.settings.defaultDomain}`;
  checkLength('Name', name);
  checkLength('DisplayName', displayName, MAX_DISPLAY_NAME);
  checkAlias(alias);
  refuseDuplicates(context, { name, alias });
  checkAddresses(context, [`SMTP:${address}`]);
  return { name, displayName, alias, address };
}

function exchangeProperties(parameters: Bound, name: string, context: CmdletContext): ExchangeGroup {
  const isSecurity = parameters.text('Type') === 'Security';
  const kind = isSecurity ? 'MailUniversalSecurityGroup' : 'MailUniversalDistributionGroup';
  const defaults = newExchangeGroup({
    RecipientTypeDetails: parameters.flag('RoomList') ? 'RoomList' : kind,
    Name: name,
    WhenChangedUTC: nowText(context),
    LegacyExchangeDN: legacyExchangeDN(context.world.random.freshGuid(), name),
  });
  const join = parameters.text('MemberJoinRestriction') as ExchangeGroup['MemberJoinRestriction'] | undefined;
  const depart = parameters.text('MemberDepartRestriction') as ExchangeGroup['MemberDepartRestriction'] | undefined;
  refuseOpenSecurityGroup(isSecurity, join, depart);
  const moderators = ownerIds(context, listed(parameters, 'ModeratedBy'));
  const notifications = parameters.text('SendModerationNotifications');
  const moderated = parameters.flag('ModerationEnabled') ?? defaults.ModerationEnabled;
  checkModeration(isSecurity, moderated, moderators);
  return {
    ...defaults,
    MemberJoinRestriction: join ?? defaults.MemberJoinRestriction,
    MemberDepartRestriction: depart ?? defaults.MemberDepartRestriction,
    RequireSenderAuthenticationEnabled:
      parameters.flag('RequireSenderAuthenticationEnabled') ?? defaults.RequireSenderAuthenticationEnabled,
    HiddenGroupMembershipEnabled: parameters.flag('HiddenGroupMembershipEnabled') ?? false,
    ModerationEnabled: moderated,
    ModeratedBy: moderators,
    BypassNestedModerationEnabled: parameters.flag('BypassNestedModerationEnabled') ?? false,
    BccBlocked: parameters.flag('BccBlocked') ?? false,
    Notes: parameters.text('Notes') ?? '',
    ...(notifications === undefined
      ? {}
      : { SendModerationNotifications: notifications as ExchangeGroup['SendModerationNotifications'] }),
  };
}

function build(parameters: Bound, context: CmdletContext): Group {
  const { name, displayName, alias, address } = identityOf(parameters, context);
  const owners = ownerIds(context, listed(parameters, 'ManagedBy'));
  // facts.creationWithoutOwner
  requireOwner(owners);
  const members = listed(parameters, 'Members');
  if (members.length > MAX_MEMBERS)
    throw cmdletError(types.dataValidation, `The maximum number of entries for Members is ${String(MAX_MEMBERS)}.`);
  const memberIds = members.map((member) => memberId(context, member));
  if (parameters.flag('CopyOwnerToMember')) memberIds.push(...owners);
  const description = listed(parameters, 'Description').join('\n');
  return newGroup({
    id: context.world.random.freshGuid(),
    displayName,
    description: description === '' ? null : description,
    mailNickname: alias,
    mail: address,
    proxyAddresses: [`SMTP:${address}`],
    mailEnabled: true,
    securityEnabled: parameters.text('Type') === 'Security',
    createdDateTime: nowText(context),
    members: MemberList.of(memberIds),
    owners,
    exchange: exchangeProperties(parameters, name, context),
  });
}

export const newDistributionGroup: Cmdlet = {
  name: 'New-DistributionGroup',
  parameters: {
    required: ['Name'],
    modelled: {
      Name: 'string',
      DisplayName: 'string',
      Alias: 'string',
      PrimarySmtpAddress: 'smtp',
      Type: ['Distribution', 'Security'],
      ManagedBy: 'list',
      CopyOwnerToMember: 'boolean',
      Members: 'list',
      MemberJoinRestriction: ['Open', 'Closed', 'ApprovalRequired'],
      MemberDepartRestriction: ['Open', 'Closed'],
      RequireSenderAuthenticationEnabled: 'boolean',
      ModerationEnabled: 'boolean',
      ModeratedBy: 'list',
      SendModerationNotifications: ['Always', 'Internal', 'Never'],
      BypassNestedModerationEnabled: 'boolean',
      BccBlocked: 'boolean',
      Notes: 'string',
      Description: 'list',
      HiddenGroupMembershipEnabled: 'boolean',
      IgnoreNamingPolicy: 'boolean',
      RoomList: 'boolean',
      Confirm: 'boolean',
    },
    notModelled: ['ArbitrationMailbox', 'OrganizationalUnit', 'SamAccountName', 'DomainController', 'WhatIf'],
  },
  run(parameters, context) {
    const group = build(parameters, context);
    context.tenant.commit('exchange', [{ put: group }]);
    const recipient = recipientOf(context.world, group);
    const row = isDistributionGroup(recipient) ? distributionGroupRow(recipient) : {};
    // "a freshly created group can return without its DistinguishedName populated" (exchange.md §1.4)
    const isComplete = context.world.random.rotate('DistinguishedName', 2) === 0;
    return { rows: [isComplete ? row : { ...row, DistinguishedName: '' }] };
  },
};
