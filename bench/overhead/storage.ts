import { createHmac } from 'node:crypto';

/** The storage calls of one write, by fetch: what an SDK would do and no more. */
export interface Storage {
  /** The sole right to a blob, which is made where it is missing. @returns the lease's id */
  lease(name: string): Promise<string>;
  read(name: string): Promise<string>;
  release(name: string, leaseId: string): Promise<void>;
  insert(row: Row): Promise<void>;
  merge(row: Row): Promise<void>;
}

export type Row = Readonly<Record<string, string>> & { readonly PartitionKey: string; readonly RowKey: string };

const version = '2021-12-02';

/** A container and a table of this name, made if they are not there. */
export async function openStorage(connectionString: string, name: string): Promise<Storage> {
  const settings = Object.fromEntries(
    connectionString.split(';').map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  );
  const { AccountName: account = '', AccountKey = '', BlobEndpoint = '', TableEndpoint = '' } = settings;
  const key = Buffer.from(AccountKey, 'base64');
  const sign = (text: string) => createHmac('sha256', key).update(text, 'utf8').digest('base64');

  async function answerOf(response: Response, alsoFine?: number): Promise<string> {
    const text = await response.text();
    if (!response.ok && response.status !== alsoFine)
      throw new Error(`The storage refused ${response.url} (${response.status}): ${text}`);
    return text;
  }

  async function blob(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body = '',
  ): Promise<Response> {
    const url = new URL(`${BlobEndpoint}/${path}`);
    const ms = { ...headers, 'x-ms-date': new Date().toUTCString(), 'x-ms-version': version };
    const msLines = Object.entries(ms)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([header, value]) => `${header}:${value}\n`)
      .join('');
    const query = [...url.searchParams].sort().map(([parameter, value]) => `\n${parameter}:${value}`);
    const type = body === '' ? '' : 'application/json';
    const length = body === '' ? '' : String(body.length);
    const text = `${method}\n\n\n${length}\n\n${type}\n\n\n\n\n\n\n${msLines}/${account}${url.pathname}${query.join('')}`;
    return fetch(url, {
      method,
      headers: { ...ms, authorization: `SharedKey ${account}:${sign(text)}`, ...(type && { 'content-type': type }) },
      ...(body && { body }),
    });
  }

  async function table(method: string, resource: string, body: object): Promise<void> {
    const url = new URL(`${TableEndpoint}/${resource}`);
    const date = new Date().toUTCString();
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `SharedKeyLite ${account}:${sign(`${date}\n/${account}${url.pathname}`)}`,
        'x-ms-date': date,
        'x-ms-version': '2019-02-02',
        'content-type': 'application/json',
        accept: 'application/json;odata=nometadata',
        prefer: 'return-no-content',
        ...(method === 'PATCH' && { 'if-match': '*' }),
      },
      body: JSON.stringify(body),
    });
    await answerOf(response, resource === 'Tables' ? 409 : undefined);
  }

  const lease = (blobName: string, headers: Readonly<Record<string, string>>) =>
    blob('PUT', `${name}/${blobName}?comp=lease`, headers);

  await answerOf(await blob('PUT', `${name}?restype=container`, {}), 409);
  await table('POST', 'Tables', { TableName: name });
  return {
    lease: async (blobName) => {
      const wish = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '15' };
      const first = await lease(blobName, wish);
      await answerOf(first, 404);
      const leaseId = first.headers.get('x-ms-lease-id');
      if (leaseId !== null) return leaseId;
      await answerOf(await blob('PUT', `${name}/${blobName}`, { 'x-ms-blob-type': 'BlockBlob' }, 'null'));
      const second = await lease(blobName, wish);
      await answerOf(second);
      return second.headers.get('x-ms-lease-id') ?? '';
    },
    read: async (blobName) => answerOf(await blob('GET', `${name}/${blobName}`, {})),
    release: async (blobName, leaseId) => {
      await answerOf(await lease(blobName, { 'x-ms-lease-action': 'release', 'x-ms-lease-id': leaseId }));
    },
    insert: (row) => table('POST', name, row),
    merge: ({ PartitionKey, RowKey, ...columns }) =>
      table('PATCH', `${name}(PartitionKey='${PartitionKey}',RowKey='${RowKey}')`, columns),
  };
}
