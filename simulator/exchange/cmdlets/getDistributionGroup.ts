import type { Cmdlet } from '../cmdlet.ts';
import { groupsIn, groupsMatching } from '../groupRules.ts';
import { parseOpath } from '../opath.ts';
import { limited } from '../resultSize.ts';
import { exactlyOne, notFound } from '../recipients.ts';
import { distributionGroupRow } from '../rows.ts';

const filterable = [
  ...['Alias', 'Name', 'DisplayName', 'PrimarySmtpAddress', 'EmailAddresses', 'ExternalDirectoryObjectId', 'Guid'],
  ...[
    'RecipientType',
    'RecipientTypeDetails',
    'IsDirSynced',
    'HiddenFromAddressListsEnabled',
    'GroupType',
    'ManagedBy',
  ],
  ...Array.from({ length: 15 }, (_, index) => `CustomAttribute${String(index + 1)}`),
];

export const getDistributionGroup: Cmdlet = {
  name: 'Get-DistributionGroup',
  parameters: {
    modelled: {
      Identity: 'identity',
      Anr: 'string',
      ManagedBy: 'identity',
      Filter: 'string',
      RecipientTypeDetails: 'names',
      ResultSize: 'resultSize',
    },
    notModelled: [
      'SortBy',
      'OrganizationalUnit',
      'IncludeManagedByWithDisplayNames',
      'IncludeGrantSendOnBehalfToWithDisplayNames',
    ],
  },
  run(parameters, context) {
    // Trap: null or empty returns all, as if the parameter were not there (exchange.md §4 Get-DistributionGroup).
    const identity = parameters.text('Identity');
    let groups = identity ? groupsMatching(context, identity) : groupsIn(context);
    if (identity && groups.length === 0) throw notFound(identity);
    const anr = parameters.text('Anr')?.toLowerCase();
    if (anr)
      groups = groups.filter(({ name, alias, object }) =>
        [name, alias, object.displayName].some((text) => text.toLowerCase().startsWith(anr)),
      );
    const owner = parameters.text('ManagedBy');
    if (owner) {
      const { object } = exactlyOne(context.world, context.view, owner);
      groups = groups.filter((group) => group.object.owners.includes(object.id));
    }
    const details = parameters.names('RecipientTypeDetails')?.map((name) => name.toLowerCase());
    if (details) groups = groups.filter(({ typeDetails }) => details.includes(typeDetails.toLowerCase()));
    const filter = parameters.text('Filter');
    const test = filter ? parseOpath(filter, filterable) : null;
    const found = test ? groups.filter((group) => test(distributionGroupRow(group))) : groups;
    return limited(found, distributionGroupRow, parameters);
  },
};
