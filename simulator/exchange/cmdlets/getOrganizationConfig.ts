import type { Cmdlet } from '../cmdlet.ts';

export const getOrganizationConfig: Cmdlet = {
  name: 'Get-OrganizationConfig',
  parameters: { modelled: {}, notModelled: ['DomainController'] },
  run: (_parameters, { tenant, world }) => ({
    rows: [
      {
        Name: tenant.initialDomain,
        DisplayName: tenant.displayName,
        Identity: tenant.initialDomain,
        Guid: world.random.guid('organization'),
        DistributionGroupNamingPolicy: tenant.settings.namingPolicy ?? '',
        DistributionGroupNameBlockedWordsList: tenant.settings.blockedWords,
        DistributionGroupDefaultOU: '',
        IsDehydrated: false,
      },
    ],
  }),
};
