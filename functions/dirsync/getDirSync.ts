import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { synchronizationForms } from '../../shared/dirsync/readDirSync.ts';
import { switchStates } from '../../shared/dirsync/switchRecord.ts';

export const getDirSync = action({
  name: 'getDirSync',
  room: 'dirsync',
  method: 'GET',
  route: 'dirsync',
  summary: 'Show how the tenant is synced from on-premises, and each feature of it with what it means',
  authLevel: 'function',
  writes: false,
  successes: { 200: 'The settings of the synchronization' },
  reply: readReply({
    tenantId: Type.String(),
    displayName: nullable(Type.String()),
    initialDomain: nullable(Type.String({ description: 'what setBypassDirSyncOverrides wants as confirm' })),
    syncedFromOnPremises: nullable(Type.Boolean({ description: 'null: never was' })),
    lastSyncAt: nullable(Type.String({ description: 'null: never' })),
    bypassDirSyncOverrides: Type.Boolean({ description: 'whether mobile phones edited in the cloud give way' }),
    deletionPrevention: nullable(
      Type.String({ description: 'against deletions by accident: disabled, enabledForCount or enabledForPercentage' }),
    ),
    deletionThreshold: nullable(Type.Integer({ description: 'how many, or what percentage, it takes' })),
    form: oneOf(synchronizationForms, 'how Graph answered: a collection of one, or that one itself'),
    features: Type.Array(
      Type.Object(
        {
          feature: Type.String({ description: 'the name in Graph' }),
          enabled: nullable(Type.Boolean({ description: 'null: Graph did not say' })),
          meaning: Type.String({ description: 'what it means while it is on' }),
        },
        { additionalProperties: false },
      ),
    ),
    lastSwitchId: nullable(Type.String({ description: 'of the last switch by this app; null: none is remembered' })),
    lastSwitchAt: nullable(Type.String()),
    lastSwitchEnabled: nullable(Type.Boolean({ description: 'what it was switched to' })),
    lastSwitchState: nullable(oneOf(switchStates, 'open: not known to be carried out; refused: Microsoft refused it')),
    lastSwitchRestoredAt: nullable(Type.String({ description: 'null: it was not restored' })),
  }),
  run: async ({ call }, { dirSyncReader }) => {
    const { organization, synchronization, bypassesOverrides, features, lastSwitch } = await dirSyncReader.read(call);
    return {
      tenantId: organization.id,
      displayName: organization.displayName,
      initialDomain: organization.initialDomain,
      syncedFromOnPremises: organization.isSynced,
      lastSyncAt: organization.lastSyncAt,
      bypassDirSyncOverrides: bypassesOverrides,
      deletionPrevention: synchronization.deletionPrevention,
      deletionThreshold: synchronization.deletionThreshold,
      form: synchronization.form,
      features,
      lastSwitchId: lastSwitch?.switchId ?? null,
      lastSwitchAt: lastSwitch?.at ?? null,
      lastSwitchEnabled: lastSwitch?.enabled ?? null,
      lastSwitchState: lastSwitch?.state ?? null,
      lastSwitchRestoredAt: lastSwitch?.restoredAt ?? null,
    };
  },
});
