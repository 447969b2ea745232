import type { Cmdlet, CmdletContext } from '../cmdlet.ts';
import { parseOpath } from '../opath.ts';
import { isDynamicGroup, isRecipient, matching, notFound, recipientOf, type Recipient } from '../recipients.ts';
import { limited } from '../resultSize.ts';
import { dynamicGroupRow } from '../rows.ts';
import type { Group } from '../../tenant/model.ts';

const filterable = ['Alias', 'Name', 'DisplayName', 'PrimarySmtpAddress', 'EmailAddresses', 'Guid', 'ManagedBy'];

const dynamicGroups = ({ world, view }: CmdletContext): Recipient<Group>[] =>
  [...view.ofType('group')]
    .filter(isRecipient)
    .map((group) => recipientOf(world, group))
    .filter(isDynamicGroup);

/** exchange.md has nothing of it: facts.dynamicGroups. */
export const getDynamicDistributionGroup: Cmdlet = {
  name: 'Get-DynamicDistributionGroup',
  parameters: {
    modelled: { Identity: 'identity', Filter: 'string', ResultSize: 'resultSize' },
    notModelled: ['Anr', 'ManagedBy', 'SortBy', 'OrganizationalUnit', 'IncludeSystemObjects'],
  },
  run(parameters, context) {
    const identity = parameters.text('Identity');
    const groups = identity
      ? matching(context.world, context.view, identity).filter(isDynamicGroup)
      : dynamicGroups(context);
    if (identity && groups.length === 0) throw notFound(identity);
    const filter = parameters.text('Filter');
    const test = filter ? parseOpath(filter, filterable) : null;
    const found = test ? groups.filter((group) => test(dynamicGroupRow(group))) : groups;
    return limited(found, dynamicGroupRow, parameters);
  },
};
