import {
  createCertificateAuthority,
  issueClientCertificate,
  issueServerCertificate,
  type CertificateAuthority,
} from './certificates/certificates.ts';
import { controlHandler } from './control/server.ts';
import { cmdletsIn, exchangeHandler } from './exchange/server.ts';
import { graphHandler } from './graph/server.ts';
import { startControl, startUpstream, type RunningServer } from './http/server.ts';
import { managedIdentityHandler } from './login/managedIdentity.ts';
import { loginHandler } from './login/server.ts';
import { createServiceKey } from './okta/keys.ts';
import { oktaHandler } from './okta/server.ts';
import { TokenIssuer } from './tokens/issuer.ts';
import { World } from './world.ts';

type ServerName = 'graph' | 'exchange' | 'okta' | 'login' | 'control' | 'identity';

export interface SimulatorOptions {
  /** Made when absent. */
  certificateAuthority?: CertificateAuthority;
  /** 0, the default, is any free port. */
  ports?: Partial<Record<ServerName, number>>;
  /** For ids and everything left to chance. */
  seed?: number;
  /** Base clock in ms. */
  now?: () => number;
  /** How many times as fast as the base clock the simulator's runs; for benchmarks. */
  speed?: number;
}

interface OktaCredentials {
  /** Of a super admin: `Authorization: SSWS …`. */
  apiToken: string;
  /** Of the service app, whose key the other two are. */
  clientId: string;
  keyId: string;
  privateKeyPem: string;
}

export interface Simulator {
  /** Origins without trailing slash; `identity` is a whole IDENTITY_ENDPOINT. */
  urls: Record<ServerName, string>;
  /** IDENTITY_HEADER */
  identityHeader: string;
  certificateAuthorityPem: string;
  tenantId: string;
  clientId: string;
  clientSecret: string;
  /** Private key and certificate, registered for the app. */
  clientCertificatePem: string;
  okta: OktaCredentials;
  close(): Promise<void>;
}

/** A Microsoft 365 tenant and an Okta org as real servers on loopback. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const authority = options.certificateAuthority ?? (await createCertificateAuthority());
  const [serverCertificate, clientCertificate, issuer, oktaKey] = await Promise.all([
    issueServerCertificate(authority),
    issueClientCertificate(authority, 'okta-m365-actions'),
    TokenIssuer.create(),
    createServiceKey(),
  ]);
  const world = new World({
    seed: options.seed ?? 1,
    now: options.now,
    speed: options.speed,
    issuer,
    clientCertificates: [clientCertificate.certificatePem],
    oktaKey,
  });
  const identityHeader = world.random.guid('identityHeader');
  const ports = options.ports ?? {};
  const running: RunningServer[] = [];
  const started = async (starting: Promise<RunningServer>): Promise<string> => {
    const server = await starting;
    running.push(server);
    return server.origin;
  };
  const close = async (): Promise<void> => {
    world.okta.hooks.reset();
    await Promise.all(running.map((server) => server.close()));
  };
  const upstreams = {
    graph: { upstream: 'graph', handle: graphHandler(world) },
    exchange: { upstream: 'exchange', handle: exchangeHandler(world), cmdletsOf: cmdletsIn },
    okta: { upstream: 'okta', handle: oktaHandler(world) },
    identity: { upstream: 'identity', handle: managedIdentityHandler(world, identityHeader) },
    login: { upstream: 'login', handle: loginHandler(world) },
  } as const;
  try {
    const okta = await started(startUpstream(world, upstreams.okta, ports.okta ?? 0));
    world.okta.hooks.origin = okta;
    return {
      urls: {
        graph: await started(startUpstream(world, upstreams.graph, ports.graph ?? 0)),
        exchange: await started(startUpstream(world, upstreams.exchange, ports.exchange ?? 0)),
        okta,
        login: await started(startUpstream(world, upstreams.login, ports.login ?? 0, serverCertificate)),
        control: await started(startControl(controlHandler(world), ports.control ?? 0)),
        identity: `${await started(startUpstream(world, upstreams.identity, ports.identity ?? 0))}/msi/token`,
      },
      identityHeader,
      certificateAuthorityPem: authority.certificatePem,
      ...world.ids,
      clientCertificatePem: clientCertificate.keyPem + clientCertificate.certificatePem,
      okta: {
        apiToken: world.okta.apiToken,
        clientId: world.okta.clientId,
        keyId: oktaKey.kid,
        privateKeyPem: oktaKey.privateKeyPem,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export { createCertificateAuthority };
export type { CertificateAuthority };
