// The simulator as a process: one JSON line when it is ready, ends on SIGTERM.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createCertificateAuthority, startSimulator, type SimulatorOptions } from './index.ts';

const { values } = parseArgs({
  options: {
    'ca-file': { type: 'string' },
    ports: { type: 'string' },
    seed: { type: 'string' },
    speed: { type: 'string' },
  },
});
const certificateAuthority = await createCertificateAuthority();
// The parent needs it for NODE_EXTRA_CA_CERTS of what it starts next.
if (values['ca-file'] !== undefined) await writeFile(values['ca-file'], certificateAuthority.certificatePem);
const options: SimulatorOptions = {
  certificateAuthority,
  ...(values.ports === undefined ? {} : { ports: JSON.parse(values.ports) as NonNullable<SimulatorOptions['ports']> }),
  ...(values.seed === undefined ? {} : { seed: Number(values.seed) }),
  ...(values.speed === undefined ? {} : { speed: Number(values.speed) }),
};
const simulator = await startSimulator(options);
// JSON drops the function in it.
process.stdout.write(`${JSON.stringify(simulator)}\n`);

const end = (): void => {
  void simulator.close().then(() => process.exit(0));
};
process.once('SIGTERM', end);
process.once('SIGINT', end);
