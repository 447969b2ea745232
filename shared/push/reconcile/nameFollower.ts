import type { Call } from '../../call.ts';
import { isFault } from '../../errors.ts';
import { labelOf } from '../../groups/group.ts';
import type { GroupUpdater } from '../../groups/update/updateGroup.ts';
import type { MappingHealth } from './mappingHealth.ts';
import type { Survey } from './survey.ts';

export interface NameFollower {
  /**
   * Remembers what the groups are called now, and renames the target with the Okta group where the mapping asks for it.
   * A rename never breaks a mapping, which goes by ids: one that fails is a warning. Never throws a Fault.
   */
  follow(survey: Pick<Survey, 'mapping' | 'group' | 'sourceGroup'>, writes: boolean, call: Call): Promise<void>;
}

export function createNameFollower(dependencies: {
  groupUpdater: Pick<GroupUpdater, 'update'>;
  mappingHealth: MappingHealth;
}): NameFollower {
  const { groupUpdater, mappingHealth } = dependencies;
  return {
    follow: async ({ mapping, group, sourceGroup }, writes, call) => {
      const { oktaGroupId, oktaGroupName, targetId, settings } = mapping;
      const { name } = sourceGroup;
      try {
        // Once for each rename: under a naming policy the target never gets the very name.
        const isToFollow = settings.renameTarget && name !== oktaGroupName && name !== group.displayName;
        const renamed =
          isToFollow && writes ? await groupUpdater.update(targetId, { displayName: name }, false, call) : null;
        const { displayName } = renamed?.group ?? group;
        // The old name says that this is still to be done, once writes are allowed.
        const seen = isToFollow && !writes ? oktaGroupName : name;
        await mappingHealth.named(
          oktaGroupId,
          { oktaGroupName: seen, targetName: labelOf({ ...group, displayName }) },
          call,
        );
      } catch (error) {
        if (!isFault(error)) throw error;
        const { code } = error;
        call.warn(`The Okta group is called "${name}" now, and its target could not follow: ${error.message}`);
        call.log.warn({ event: 'push_rename_failed', requestId: call.requestId, oktaGroupId, code });
      }
    },
  };
}
