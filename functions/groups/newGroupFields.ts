import { Type } from '@sinclair/typebox';
import { addressList, alias, memberList, oneOf, smtpAddress } from '../../shared/action/schemas.ts';
import { creatableKinds } from '../../shared/groups/creation/creationPlan.ts';
import { departRestrictions, groupVisibilities, joinRestrictions } from '../../shared/groups/kindFields.ts';

/** A group as a request wants it, but for its members: of createGroup, and of what creates a group on the way. */
export const newGroupFields = {
  kind: oneOf(creatableKinds, 'mailEnabledSecurity, distributionList, security or microsoft365'),
  displayName: Type.String({
    pattern: '^\\S(.*\\S)?$',
    maxLength: 256,
    description: 'the name people see, up to 256 characters, without spaces around it',
  }),
  alias: Type.Optional(alias),
  primarySmtpAddress: Type.Optional(smtpAddress),
  description: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'a text about the group' })),
  owners: memberList({ minItems: 1, maxItems: 50, description: 'at least one owner' }),
  addresses: Type.Optional(
    addressList({ maxItems: 100, description: 'further SMTP addresses, without the primary one' }),
  ),
  hideFromAddressLists: Type.Optional(Type.Boolean({ description: 'true to hide it from the address lists' })),
  requireSenderAuthentication: Type.Optional(
    Type.Boolean({ description: 'false to accept mail from outside; true when absent' }),
  ),
  ignoreNamingPolicy: Type.Optional(
    Type.Boolean({ description: "true to keep the name as it is, whatever the tenant's naming policy" }),
  ),
  joinRestriction: Type.Optional(
    oneOf(joinRestrictions, 'who may join a distribution list by themselves: open, closed or approvalRequired'),
  ),
  departRestriction: Type.Optional(
    oneOf(departRestrictions, 'whether members may leave a distribution list by themselves: open or closed'),
  ),
  visibility: Type.Optional(
    oneOf(groupVisibilities, 'who sees a Microsoft 365 group: Public, Private or HiddenMembership'),
  ),
};
