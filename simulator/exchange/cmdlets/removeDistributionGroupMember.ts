import { nothing, type Cmdlet } from '../cmdlet.ts';
import { cmdletError, types } from '../errors.ts';
import { groupToWrite } from '../groupRules.ts';
import { exactlyOne } from '../recipients.ts';

export const removeDistributionGroupMember: Cmdlet = {
  name: 'Remove-DistributionGroupMember',
  parameters: {
    required: ['Identity', 'Member'],
    modelled: {
      Identity: 'identity',
      Member: 'identity',
      BypassSecurityGroupManagerCheck: 'boolean',
      Confirm: 'boolean',
    },
    notModelled: ['DomainController', 'WhatIf'],
  },
  run(parameters, context) {
    const group = groupToWrite(context, parameters, 'Remove-DistributionGroupMember', 'Members');
    const identity = parameters.text('Member') ?? '';
    const member = exactlyOne(context.world, context.view, identity);
    if (!group.object.members.includes(member.object.id))
      throw cmdletError(
        types.memberNotFound,
        `The recipient "${identity}" isn't a member of the group "${group.name}".`,
      );
    // In a $batch it works without Confirm (exchange.md §1.3); alone, facts.confirmationNeeded.
    if (parameters.flag('Confirm') !== false && !context.inBatch)
      return {
        confirmation: `Removing distribution group member "${identity}" on distribution group "${group.name}".`,
      };
    const members = group.object.members.without(member.object.id);
    context.tenant.commit('exchange', [{ put: { ...group.object, members } }]);
    return nothing;
  },
};
