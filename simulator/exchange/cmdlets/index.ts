import type { Cmdlet } from '../cmdlet.ts';
import { addDistributionGroupMember } from './addDistributionGroupMember.ts';
import { getDistributionGroup } from './getDistributionGroup.ts';
import { getDistributionGroupMember } from './getDistributionGroupMember.ts';
import { getDynamicDistributionGroup } from './getDynamicDistributionGroup.ts';
import { getOrganizationConfig } from './getOrganizationConfig.ts';
import { getRecipient } from './getRecipient.ts';
import { newDistributionGroup } from './newDistributionGroup.ts';
import { removeDistributionGroup } from './removeDistributionGroup.ts';
import { removeDistributionGroupMember } from './removeDistributionGroupMember.ts';
import { setDistributionGroup } from './setDistributionGroup.ts';

/** The cmdlets that are modelled. One that is not here is refused like one that is not there (E15). */
export const cmdlets: readonly Cmdlet[] = [
  addDistributionGroupMember,
  getDistributionGroup,
  getDistributionGroupMember,
  getDynamicDistributionGroup,
  getOrganizationConfig,
  getRecipient,
  newDistributionGroup,
  removeDistributionGroup,
  removeDistributionGroupMember,
  setDistributionGroup,
];

export const cmdletNamed = (name: string): Cmdlet | undefined =>
  cmdlets.find((cmdlet) => cmdlet.name.toLowerCase() === name.toLowerCase());
