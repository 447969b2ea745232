import { Type } from '@sinclair/typebox';
import { nullable, oneOf } from '../../shared/action/schemas.ts';
import type { SwitchReply } from '../../shared/dirsync/setBypass.ts';
import { standingCodes } from '../../shared/dirsync/standing.ts';
import { switchIdPattern } from '../../shared/dirsync/switchRecord.ts';

/** What requests and replies about the synchronization from on-premises have in common. */

const switchId = Type.String({
  pattern: `^${switchIdPattern}$`,
  description: 'the switchId of a reply of setBypassDirSyncOverrides, or lastSwitchId of GET dirsync',
});
export const switchIdField = Type.Optional(switchId);
export const switchParams = Type.Object({ switchId }, { additionalProperties: false });

export const confirmField = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 256,
    description: "the tenant's initial domain (….onmicrosoft.com), as a sign that this tenant is meant",
  }),
);

export const switchPlanIdField = Type.Optional(
  Type.String({ pattern: '^[0-9a-f]{32}$', description: 'the planId of a dry run, to carry out that plan alone' }),
);

export const userRows = (description: string) =>
  Type.Array(
    Type.Object(
      {
        id: Type.String({ description: 'Entra object id' }),
        userPrincipalName: Type.String(),
        displayName: nullable(Type.String()),
        formerPhone: nullable(Type.String({ description: 'mobile phone before the switch; null: none or not known' })),
        mobilePhone: nullable(Type.String({ description: 'as Entra has it now' })),
        overwritten: nullable(
          Type.Boolean({ description: 'whether it is another than before the switch; null: not known' }),
        ),
        oktaPhone: nullable(Type.String({ description: "of the user's profile in Okta's Office 365 app" })),
        oktaUserId: nullable(Type.String()),
        oktaAppId: nullable(Type.String({ description: 'the Office 365 app that the user is assigned to' })),
        code: oneOf(standingCodes, 'how the phones stand to each other'),
        touch: Type.Boolean({ description: 'whether a change of the user in Okta is due, so that Okta pushes again' }),
        message: Type.String({ description: 'one sentence for a person' }),
      },
      { additionalProperties: false },
    ),
    { description },
  );

export const switchFields = {
  tenantId: Type.String(),
  initialDomain: nullable(Type.String({ description: 'what confirm has to be' })),
  enabled: Type.Boolean({ description: 'what bypassDirSyncOverridesEnabled is to be' }),
  former: nullable(Type.Boolean({ description: 'what it was; null: Microsoft did not show it' })),
  switchId: nullable(Type.String({ description: 'by which the switch is restored and its users listed' })),
  planId: nullable(Type.String({ description: 'of the plan; null: nothing is to be done' })),
  syncedUserCount: Type.Integer({ description: 'users mastered on-premises; 0 where no phone is overwritten' }),
  phoneCount: Type.Integer({ description: 'of these, how many have a mobile phone in the cloud' }),
  users: userRows('of a dry run the first of these; GET dirsync/users has them all'),
};

export function showSwitch({ organization, ...reply }: SwitchReply) {
  const { id: tenantId, initialDomain } = organization;
  return { ok: true, ...reply, tenantId, initialDomain };
}
