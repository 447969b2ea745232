import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on loopback alone and gives the port. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTakenError(port, { cause: error }) : error);
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  constructor(port: number, options?: ErrorOptions) {
    super(`Port ${port} of 127.0.0.1 is taken. Choose another with --port, or any free one with --port 0.`, options);
  }
}

// The time Azure gives a worker to end (WorkerTerminateGracePeriodInSeconds).
const grace = 5_000;

/** Calls under way may end; what still runs after the grace is cut off. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose call has just ended is kept alive for the next, which will not come.
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  const cutOff = setTimeout(() => server.closeAllConnections(), grace);
  await closed;
  clearInterval(sweep);
  clearTimeout(cutOff);
}
