/**
 * Loads, one after the other, the packages that the app loads when first needed. Under jest, two `import()`s at once
 * whose files overlap break with "request for './x.js' is not in cache" (nodejs/node#52187): the vm modules that jest
 * uses cannot be linked twice at the same time. Node itself has no such trouble, and `dist` is tested in it.
 */
export async function preload(): Promise<void> {
  await import('@azure/identity');
  await import('@azure/data-tables');
  await import('@azure/storage-queue');
  await import('@azure/storage-blob');
  await import('@microsoft/microsoft-graph-client');
}
