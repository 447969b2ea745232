import type { Cmdlet } from '../cmdlet.ts';
import { groupsMatching } from '../groupRules.ts';
import { limited } from '../resultSize.ts';
import { isRecipient, onlyOne, recipientOf } from '../recipients.ts';
import { recipientRow } from '../rows.ts';

export const getDistributionGroupMember: Cmdlet = {
  name: 'Get-DistributionGroupMember',
  parameters: {
    required: ['Identity'],
    modelled: { Identity: 'identity', ResultSize: 'resultSize' },
    notModelled: ['IncludeSoftDeletedObjects', 'DomainController', 'ReadFromDomainController', 'Credential'],
  },
  run(parameters, context) {
    const { world, view } = context;
    const identity = parameters.text('Identity') ?? '';
    const group = onlyOne(groupsMatching(context, identity), identity);
    const objects = [...group.object.members].map((id) => view.get(id)).filter(isRecipient);
    return limited(objects, (object) => recipientRow(recipientOf(world, object)), parameters);
  },
};
