import { nothing, type Cmdlet } from '../cmdlet.ts';
import { cmdletError, types } from '../errors.ts';
import { groupToWrite, memberId } from '../groupRules.ts';

export const addDistributionGroupMember: Cmdlet = {
  name: 'Add-DistributionGroupMember',
  parameters: {
    required: ['Identity', 'Member'],
    // One member, no arrays (exchange.md §4 Members).
    modelled: {
      Identity: 'identity',
      Member: 'identity',
      BypassSecurityGroupManagerCheck: 'boolean',
      Confirm: 'boolean',
    },
    notModelled: ['DomainController', 'WhatIf'],
  },
  run(parameters, context) {
    const group = groupToWrite(context, parameters, 'Add-DistributionGroupMember', 'Members');
    const identity = parameters.text('Member') ?? '';
    const id = memberId(context, identity);
    if (group.object.members.includes(id))
      throw cmdletError(
        types.memberExists,
        `The recipient "${identity}" is already a member of the group "${group.name}".`,
      );
    context.tenant.commit('exchange', [{ put: { ...group.object, members: group.object.members.with([id]) } }]);
    return nothing;
  },
};
