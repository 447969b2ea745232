import type { Cmdlet, CmdletContext } from '../cmdlet.ts';
import { parseOpath } from '../opath.ts';
import { limited } from '../resultSize.ts';
import { matching, notFound, recipientById, recipientsOf, type Recipient } from '../recipients.ts';
import { recipientRow, recipientTypeOf, type Row } from '../rows.ts';

const filterable = [
  ...['Alias', 'Name', 'DisplayName', 'PrimarySmtpAddress', 'EmailAddresses', 'ExternalDirectoryObjectId', 'Guid'],
  ...['WindowsLiveID', 'RecipientType', 'RecipientTypeDetails', 'Members'],
];

/** Members holds distinguished names: Get-Recipient -Filter "Members -eq '<DN>'" (exchange.md §4). */
function withMembers({ world, view }: CmdletContext, recipient: Recipient): Row {
  const { object } = recipient;
  const members = object.type === 'group' ? [...object.members] : [];
  return {
    ...recipientRow(recipient),
    Members: members.map((id) => recipientById(world, view, id)?.distinguishedName),
  };
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
    const { world, view } = context;
    const identity = parameters.text('Identity');
    let recipients = identity ? matching(world, view, identity) : recipientsOf(world, view);
    if (identity && recipients.length === 0) throw notFound(identity);
    const anr = parameters.text('Anr')?.toLowerCase();
    if (anr)
      recipients = recipients.filter(({ name, alias, object }) =>
        [name, alias, object.displayName].some((text) => text.toLowerCase().startsWith(anr)),
      );
    const details = parameters.names('RecipientTypeDetails')?.map((name) => name.toLowerCase());
    const types = parameters.names('RecipientType')?.map((name) => name.toLowerCase());
    const filter = parameters.text('Filter');
    const test = filter ? parseOpath(filter, filterable) : null;
    const wantsMembers = filter !== undefined && /\bmembers\b/i.test(filter);
    const tested = (recipient: Recipient): Row =>
      wantsMembers ? withMembers(context, recipient) : recipientRow(recipient);
    const found = recipients
      .filter(({ typeDetails }) => !details || details.includes(typeDetails.toLowerCase()))
      .filter(({ typeDetails }) => !types || types.includes(recipientTypeOf(typeDetails).toLowerCase()))
      .filter((recipient) => !test || test(tested(recipient)));
    const properties = parameters.names('Properties')?.map((name) => name.toLowerCase());
    const row = (recipient: Recipient): Row => {
      const all = recipientRow(recipient);
      return properties
        ? Object.fromEntries(Object.entries(all).filter(([name]) => properties.includes(name.toLowerCase())))
        : all;
    };
    return limited(found, row, parameters);
  },
};
