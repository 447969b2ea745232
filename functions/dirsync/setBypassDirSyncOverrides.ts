import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, writeReply } from '../../shared/action/schemas.ts';
import { switchOutcomes } from '../../shared/dirsync/setBypass.ts';
import { oktaAppIdField } from '../users/identityFields.ts';
import { confirmField, showSwitch, switchFields, switchPlanIdField } from './dirSyncFields.ts';

export const setBypassDirSyncOverrides = action({
  name: 'setBypassDirSyncOverrides',
  room: 'dirsync',
  method: 'PUT',
  route: 'dirsync/bypass-overrides',
  summary: 'Switch bypassDirSyncOverridesEnabled for the whole tenant, with all phones remembered before',
  authLevel: 'function',
  writes: true,
  body: Type.Object(
    {
      enabled: Type.Boolean({ description: 'true for phones on-premises to win over those edited in the cloud' }),
      confirm: confirmField,
      planId: switchPlanIdField,
      oktaAppId: oktaAppIdField,
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'The switch is as asked for, or this was a dry run' },
  reply: writeReply(switchOutcomes, switchFields),
  run: async ({ body, isDryRun, call }, { bypassSwitcher }) => {
    const { enabled, confirm = null, planId = null, oktaAppId = null } = body;
    return showSwitch(await bypassSwitcher.set(enabled, { confirm, planId, oktaAppId, isDryRun }, call));
  },
});
