import { recipientListNames, type ExchangeGroup } from '../tenant/model.ts';
import type { CmdletContext } from './cmdlet.ts';
import { cmdletError, types } from './errors.ts';
import { edited, type Bound, type ListEdit } from './parameters.ts';
import { exactlyOne } from './recipients.ts';

/** Who may send, and how; held as ids, whatever name they were given by. */
export const deliveryLists = recipientListNames.filter((name) => name !== 'ModeratedBy');

/** Ids by which an edit finds the one it means under any of its names. */
export function editedIds(current: readonly string[], edit: ListEdit, idsOf: (names: string[]) => string[]): string[] {
  return edited(
    current,
    'replace' in edit ? { replace: idsOf(edit.replace) } : { add: idsOf(edit.add), remove: idsOf(edit.remove) },
  );
}

export function deliveryAfter(
  parameters: Bound,
  current: ExchangeGroup,
  { world, view }: CmdletContext,
): Partial<ExchangeGroup> {
  const idsOf = (names: string[]): string[] => [
    ...new Set(names.map((name) => exactlyOne(world, view, name).object.id)),
  ];
  return Object.fromEntries(
    deliveryLists.flatMap((name) => {
      const edit = parameters.edit(name);
      return edit ? [[name, editedIds(current[name], edit, idsOf)]] : [];
    }),
  );
}

/** exchange.md §4: a mail-enabled security group needs ModeratedBy when moderation is on. */
export function checkModeration(isSecurity: boolean, isModerated: boolean, moderators: readonly string[]): void {
  if (isSecurity && isModerated && moderators.length === 0)
    throw cmdletError(types.recipientTask, 'A moderated security group must have at least one moderator.');
}
