import { without } from '../../http/json.ts';
import type { Cmdlet } from '../cmdlet.ts';
import { parseOpath } from '../opath.ts';
import { limited } from '../resultSize.ts';
import { matching, notFound, recipientsOf, type Recipient } from '../recipients.ts';
import { recipientRow, type Row } from '../rows.ts';

const filterable = [
  ...['Alias', 'Name', 'DisplayName', 'PrimarySmtpAddress', 'EmailAddresses', 'ExternalDirectoryObjectId', 'Guid'],
  ...['WindowsLiveID', 'RecipientType', 'RecipientTypeDetails', 'Members'],
];

/** Members holds distinguished names: Get-Recipient -Filter "Members -eq '<DN>'" (exchange.md §4). */
function withMembers(recipient: Recipient, byId: ReadonlyMap<string, Recipient>): Row {
  const { object } = recipient;
  const members = object.type === 'group' ? object.members.map((id) => byId.get(id)?.distinguishedName) : [];
  return { ...recipientRow(recipient), Members: members };
}

export const getRecipient: Cmdlet = {
  name: 'Get-Recipient',
  parameters: {
    modelled: {
      Identity: 'identity',
      Anr: 'string',
      Filter: 'string',
      RecipientTypeDetails: 'names',
      RecipientType: 'names',
      ResultSize: 'resultSize',
      Properties: 'names',
    },
    notModelled: [
      'SortBy',
      'OrganizationalUnit',
      'PropertySet',
      'RecipientPreviewFilter',
      'IncludeSoftDeletedRecipients',
      'Capabilities',
    ],
  },
  run(parameters, context) {
    let recipients = recipientsOf(context.world, context.view);
    const byId = new Map(recipients.map((recipient) => [recipient.object.id, recipient]));
    const identity = parameters.text('Identity');
    if (identity) {
      recipients = matching(recipients, identity);
      if (recipients.length === 0) throw notFound(identity);
    }
    const anr = parameters.text('Anr')?.toLowerCase();
    if (anr)
      recipients = recipients.filter(({ name, alias, object }) =>
        [name, alias, object.displayName].some((text) => text.toLowerCase().startsWith(anr)),
      );
    const details = parameters.names('RecipientTypeDetails')?.map((name) => name.toLowerCase());
    const types = parameters.names('RecipientType')?.map((name) => name.toLowerCase());
    const filter = parameters.text('Filter');
    const test = filter ? parseOpath(filter, filterable) : () => true;
    const rows = recipients
      .map((recipient) => withMembers(recipient, byId))
      .filter((row) => !details || details.includes(String(row.RecipientTypeDetails).toLowerCase()))
      .filter((row) => !types || types.includes(String(row.RecipientType).toLowerCase()))
      .filter(test)
      .map((row) => without(row, 'Members'));
    const properties = parameters.names('Properties')?.map((name) => name.toLowerCase());
    const chosen = rows.map((row) =>
      properties
        ? Object.fromEntries(Object.entries(row).filter(([name]) => properties.includes(name.toLowerCase())))
        : row,
    );
    return limited(chosen, parameters);
  },
};
