import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, writeReply } from '../../shared/action/schemas.ts';
import { switchOutcomes } from '../../shared/dirsync/setBypass.ts';
import { confirmField, showSwitch, switchFields, switchParams, switchPlanIdField } from './dirSyncFields.ts';

export const restoreBypassDirSyncOverrides = action({
  name: 'restoreBypassDirSyncOverrides',
  room: 'dirsync',
  method: 'POST',
  route: 'dirsync/switches/{switchId}/restore',
  summary: 'Set bypassDirSyncOverridesEnabled back to what it was before a switch, and say what does not come back',
  authLevel: 'function',
  writes: true,
  params: switchParams,
  body: Type.Object(
    { confirm: confirmField, planId: switchPlanIdField, dryRun: dryRunField },
    { additionalProperties: false },
  ),
  successes: { 200: 'The switch is as it was before, or this was a dry run' },
  reply: writeReply(switchOutcomes, switchFields),
  run: async ({ params, body, isDryRun, call }, { bypassSwitcher }) => {
    const { confirm = null, planId = null } = body;
    const request = { confirm, planId, oktaAppId: null, isDryRun };
    return showSwitch(await bypassSwitcher.restore(params.switchId, request, call));
  },
});
