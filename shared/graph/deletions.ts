/**
 * What this app ever deletes in Graph: a group, or a reference to a member or owner. Without `/$ref` the same request
 * deletes the user itself, when the app has User.ReadWrite.All (graph.md §1.5, CAUTION).
 */
const deletable = /^\/groups\/[\w-]+(\/(members|owners)\/[\w-]+\/\$ref)?$/;

/** @throws TypeError a defect of ours, before anything is sent */
export function refuseStrayDeletion(method: string, path: string): void {
  if (method !== 'DELETE' || deletable.test(path)) return;
  throw new TypeError('a DELETE in Graph that is neither of a group nor of a reference');
}
