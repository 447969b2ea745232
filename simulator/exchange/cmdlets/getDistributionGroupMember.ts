import type { Cmdlet } from '../cmdlet.ts';
import { groupsIn } from '../groupRules.ts';
import { limited } from '../resultSize.ts';
import { exactlyOne, recipientsOf } from '../recipients.ts';
import { recipientRow } from '../rows.ts';

export const getDistributionGroupMember: Cmdlet = {
  name: 'Get-DistributionGroupMember',
  parameters: {
    required: ['Identity'],
    modelled: { Identity: 'identity', ResultSize: 'resultSize' },
    notModelled: ['IncludeSoftDeletedObjects', 'DomainController', 'ReadFromDomainController', 'Credential'],
  },
  run(parameters, context) {
    const group = exactlyOne(groupsIn(context), parameters.text('Identity') ?? '');
    const recipients = new Map(recipientsOf(context.world, context.view).map((each) => [each.object.id, each]));
    const members = group.object.members.map((id) => recipients.get(id)).filter((member) => member !== undefined);
    return limited(members.map(recipientRow), parameters);
  },
};
