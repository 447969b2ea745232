import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import type { Call } from '../call.ts';
import type { Storage } from '../config.ts';
import { loadStorageCredential, storageRetries, unlessAborted } from './connect.ts';
import { statusOfStoreError, storeFault } from './storeFault.ts';

export interface Blobs {
  /** The JSON value stored under this name; null when there is none. */
  read(name: string, call: Call): Promise<unknown>;
  /** Stores a JSON value, over whatever is there. With a lease on the blob, only its holder can. */
  write(name: string, value: unknown, call: Call, leaseId?: string): Promise<void>;
  remove(name: string, call: Call): Promise<void>;
  /** Removes every blob whose name begins so. */
  removeAll(prefix: string, call: Call): Promise<void>;
  /** Names that begin so, in order, up to `limit`, after the name `after`. */
  list(page: { prefix: string; after: string | null; limit: number }, call: Call): Promise<string[]>;
  /** For leases alone: whatever a blob can do, by its own client. */
  use<Result>(
    what: string,
    name: string,
    call: Call,
    work: (blob: BlockBlobClient) => Promise<Result>,
  ): Promise<Result>;
}

/** One container for all that the app keeps beside its tables; folders tell what is what. */
const containerName = 'okta-m365-actions';

/** Azure Blob storage. The SDK is loaded, and the container made, with the first use. All methods throw storage faults. */
export function createBlobs(storage: Storage): Blobs {
  let container: Promise<ContainerClient> | null = null;

  async function open(): Promise<ContainerClient> {
    const client = await connect(storage);
    await client.createIfNotExists();
    return client;
  }

  async function ask<Result>(what: string, call: Call, work: (client: ContainerClient) => Promise<Result>) {
    try {
      container ??= open();
      return await work(await unlessAborted(container, call.deadline.signal));
    } catch (error) {
      // Made anew with the next use: the container may be gone, or was never reached.
      if ([404, null].includes(statusOfStoreError(error))) container = null;
      throw storeFault(error, what, call);
    }
  }

  async function list(page: { prefix: string; after: string | null; limit: number }, call: Call): Promise<string[]> {
    return ask(`listing ${page.prefix}`, call, async (client) => {
      const names: string[] = [];
      const { signal: abortSignal } = call.deadline;
      for await (const { name } of client.listBlobsFlat({ prefix: page.prefix, abortSignal })) {
        if (page.after !== null && name <= page.after) continue;
        names.push(name);
        if (names.length === page.limit) break;
      }
      return names;
    });
  }

  async function remove(name: string, call: Call): Promise<void> {
    await ask(`removing ${name}`, call, (client) =>
      client.getBlockBlobClient(name).deleteIfExists({ abortSignal: call.deadline.signal }),
    );
  }

  return {
    read: (name, call) =>
      ask(`reading ${name}`, call, async (client) => {
        try {
          const { signal: abortSignal } = call.deadline;
          const { readableStreamBody } = await client.getBlockBlobClient(name).download(0, undefined, { abortSignal });
          const chunks: Buffer[] = [];
          for await (const chunk of readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
          return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
        } catch (error) {
          if (statusOfStoreError(error) === 404) return null;
          throw error;
        }
      }),

    write: async (name, value, call, leaseId) => {
      const bytes = Buffer.from(JSON.stringify(value), 'utf8');
      await ask(`writing ${name}`, call, (client) =>
        client.getBlockBlobClient(name).uploadData(bytes, {
          abortSignal: call.deadline.signal,
          blobHTTPHeaders: { blobContentType: 'application/json' },
          ...(leaseId === undefined ? {} : { conditions: { leaseId } }),
        }),
      );
    },

    remove,

    removeAll: async (prefix, call) => {
      for (;;) {
        const names = await list({ prefix, after: null, limit: 100 }, call);
        if (names.length === 0) return;
        for (const name of names) await remove(name, call);
      }
    },

    list,

    use: (what, name, call, work) => ask(`${what} ${name}`, call, (client) => work(client.getBlockBlobClient(name))),
  };
}

async function connect(storage: Storage): Promise<ContainerClient> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const options = { retryOptions: storageRetries };
  const service =
    storage.type === 'connectionString'
      ? BlobServiceClient.fromConnectionString(storage.connectionString, options)
      : new BlobServiceClient(storage.blobServiceUri, await loadStorageCredential(storage), options);
  return service.getContainerClient(containerName);
}
