// A module of its own, so that the SDK, a CommonJS package, is bundled behind one dynamic import with its names intact.
export { Client, ResponseType } from '@microsoft/microsoft-graph-client';
