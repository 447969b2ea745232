import { createServer } from 'node:http';
import { closeServer, listen } from '../../local/host/listen.ts';

/**
 * Counts up across the processes of a test run. Jest gives every test file its own globals and its own copy of
 * `process.env`, so that nothing inside a worker can remember what the file before it has taken.
 */
export async function startCounter(): Promise<{ url: string; close: () => Promise<void> }> {
  let next = 0;
  const server = createServer((_request, response) => {
    response.setHeader('connection', 'close').end(String(next++));
  });
  const port = await listen(server, 0);
  return { url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

export async function takeNumber(url: string): Promise<number> {
  return Number(await (await fetch(url)).text());
}
