import { untyped } from '../../tenant/names.ts';
import { removal } from '../../tenant/tenant.ts';
import { nothing, type Cmdlet } from '../cmdlet.ts';
import { groupToWrite } from '../groupRules.ts';

export const removeDistributionGroup: Cmdlet = {
  name: 'Remove-DistributionGroup',
  parameters: {
    required: ['Identity'],
    modelled: { Identity: 'identity', BypassSecurityGroupManagerCheck: 'boolean', Confirm: 'boolean' },
    notModelled: ['DomainController', 'IgnoreDefaultScope', 'WhatIf'],
  },
  run(parameters, context) {
    const group = groupToWrite(context, parameters, 'Remove-DistributionGroup', 'Identity');
    // facts.confirmationNeeded
    if (parameters.flag('Confirm') !== false)
      return { confirmation: `Removing distribution group Identity:"${group.name}".` };
    const { tenant, world } = context;
    const untilMs = world.clock.now() + tenant.settings.addressQuarantineMs;
    for (const address of group.object.proxyAddresses)
      if (/^smtp:/i.test(address)) tenant.quarantine.add(untyped(address), untilMs);
    tenant.commit('exchange', removal(context.view, group.object.id));
    return nothing;
  },
};
