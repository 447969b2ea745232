import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, generateKeyPair, importPKCS8, type CryptoKey } from 'jose';
import { Bench } from './harness.ts';

/** The shapes of the answers of Okta together; a test that reads what is not there fails. */
export interface Row {
  id: string;
  type: string;
  status: string;
  verificationStatus: string;
  externalId: string | null;
  scope: string;
  syncState: string;
  errorSummary: string;
  lastMembershipUpdated: string;
  lastPush: string;
  profile: Record<string, unknown> & { name: string; login: string };
  [key: string]: unknown;
}

export interface OktaAnswer {
  status: number;
  headers: Headers;
  text: string;
  row: Row;
  rows: Row[];
  error: { errorCode: string; errorSummary: string; errorId: string; errorCauses: { errorSummary: string }[] };
  oauth: { error: string; error_description: string; access_token: string; token_type: string; expires_in: number };
}

interface OktaCall {
  authorization?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface OktaState {
  users: Row[];
  groups: (Row & { members: string[] })[];
  apps: (Row & { name: string; users: Row[] })[];
  pushMappings: Row[];
  serviceApps: (Row & { label: string })[];
}

/** Calls to the Okta side of a started simulator, as a client would make them. */
export class OktaBench {
  readonly bench: Bench;

  constructor(bench: Bench) {
    this.bench = bench;
  }

  static async start(): Promise<OktaBench> {
    return new OktaBench(await Bench.start());
  }

  get origin(): string {
    return this.bench.sim.urls.okta;
  }

  async fetch(url: string, method: string, { authorization, body, headers = {} }: OktaCall): Promise<OktaAnswer> {
    const response = await fetch(url, {
      method,
      headers: {
        ...(authorization === null ? {} : { authorization: authorization ?? `SSWS ${this.bench.sim.okta.apiToken}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed: unknown = text === '' ? null : JSON.parse(text);
    return { status: response.status, headers: response.headers, text, ...asEach(parsed) };
  }

  call(method: string, path: string, options: OktaCall = {}): Promise<OktaAnswer> {
    return this.fetch(`${this.origin}/api/v1${path}`, method, options);
  }

  get(path: string, options: OktaCall = {}): Promise<OktaAnswer> {
    return this.call('GET', path, options);
  }

  async control(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    return this.bench.control(method, `okta/${path}`, body);
  }

  async state(): Promise<OktaState> {
    return JSON.parse((await this.control('GET', 'state')).text) as OktaState;
  }

  async groupId(name: string): Promise<string> {
    const found = (await this.state()).groups.find(({ profile }) => profile.name === name);
    if (!found) throw new Error(`no group ${name} in Okta`);
    return found.id;
  }

  async userId(login: string): Promise<string> {
    const found = (await this.state()).users.find(({ profile }) => profile.login === login);
    if (!found) throw new Error(`no user ${login} in Okta`);
    return found.id;
  }

  async appId(name = 'office365'): Promise<string> {
    const found = (await this.state()).apps.find((app) => app.name === name);
    if (!found) throw new Error(`no app ${name} in Okta`);
    return found.id;
  }

  async clientId(label: string): Promise<string> {
    const found = (await this.state()).serviceApps.find((app) => app.label === label);
    if (!found) throw new Error(`no service app ${label}`);
    return found.id;
  }

  /** A client assertion for the token endpoint; `claims` and `kid` put something wrong into it. */
  async assertion(
    clientId: string,
    { claims = {}, kid = this.bench.sim.okta.keyId }: { claims?: Record<string, unknown>; kid?: string } = {},
  ): Promise<string> {
    const key = await importPKCS8(this.bench.sim.okta.privateKeyPem, 'RS256');
    const now = Math.floor(Date.now() / 1000);
    const standard = {
      iss: clientId,
      sub: clientId,
      aud: `${this.origin}/oauth2/v1/token`,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
    };
    return new SignJWT({ ...standard, ...claims }).setProtectedHeader({ alg: 'RS256', kid }).sign(key);
  }

  async requestToken(
    scope: string,
    assertion: string,
    { headers = {}, form = {} }: { headers?: Record<string, string>; form?: Record<string, string> } = {},
  ): Promise<OktaAnswer> {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...form,
    });
    return this.fetch(`${this.origin}/oauth2/v1/token`, 'POST', {
      authorization: null,
      body: body.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  }

  /** `Bearer …` of a seeded service app. */
  async bearer(scope: string, label = 'okta-m365-actions'): Promise<string> {
    const answer = await this.requestToken(scope, await this.assertion(await this.clientId(label)));
    if (answer.status !== 200) throw new Error(answer.text);
    return `Bearer ${answer.oauth.access_token}`;
  }

  /** All pages by the Link header. */
  async all(path: string): Promise<Row[]> {
    const rows: Row[] = [];
    let next: string | undefined = `${this.origin}/api/v1${path}`;
    while (next !== undefined) {
      const answer: OktaAnswer = await this.fetch(next, 'GET', {});
      rows.push(...answer.rows);
      next = nextOf(answer);
    }
    return rows;
  }
}

const asEach = (parsed: unknown): Pick<OktaAnswer, 'row' | 'rows' | 'error' | 'oauth'> => ({
  row: parsed as Row,
  rows: parsed as Row[],
  error: parsed as OktaAnswer['error'],
  oauth: parsed as OktaAnswer['oauth'],
});

export const nextOf = ({ headers }: OktaAnswer): string | undefined =>
  /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];

/** A key for DPoP, and its proofs. */
export class DpopKey {
  readonly #keys: { publicKey: CryptoKey; privateKey: CryptoKey };

  private constructor(keys: { publicKey: CryptoKey; privateKey: CryptoKey }) {
    this.#keys = keys;
  }

  static async create(): Promise<DpopKey> {
    return new DpopKey(await generateKeyPair('ES256', { extractable: true }));
  }

  async proof(method: string, url: string, more: { nonce?: string; accessToken?: string } = {}): Promise<string> {
    const ath = more.accessToken && createHash('sha256').update(more.accessToken).digest('base64url');
    return new SignJWT({
      htm: method,
      htu: url,
      jti: randomUUID(),
      ...(more.nonce === undefined ? {} : { nonce: more.nonce }),
      ...(ath === undefined ? {} : { ath }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(this.#keys.publicKey) })
      .setIssuedAt()
      .sign(this.#keys.privateKey);
  }
}

export interface HookEvent {
  uuid: string;
  eventType: string;
  published: string;
  target: { type: string; id: string; alternateId: string; displayName: string }[] | null;
  transaction: { type: string };
  debugContext: { debugData: Record<string, string> };
  [key: string]: unknown;
}

interface Received {
  method: string;
  headers: IncomingMessage['headers'];
  body: { eventId?: string; eventID?: string; data: { events: HookEvent[] }; [key: string]: unknown };
}

/** A receiver of event hooks on loopback: `answer` says how it behaves. */
export class HookReceiver {
  readonly received: Received[] = [];
  /** By default it verifies, and takes every delivery. */
  answer: (request: Received, response: ServerResponse) => void = (_, response) => {
    response.writeHead(204).end();
  };
  readonly #server = createServer((request, response) => {
    void this.#take(request, response);
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/hook`;
  }

  get posts(): Received[] {
    return this.received.filter(({ method }) => method === 'POST');
  }

  get events(): HookEvent[] {
    return this.posts.flatMap(({ body }) => body.data.events);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const received = {
      method: request.method ?? '',
      headers: request.headers,
      body: (text === '' ? null : JSON.parse(text)) as Received['body'],
    };
    this.received.push(received);
    const challenge = request.headers['x-okta-verification-challenge'];
    if (challenge === undefined) this.answer(received, response);
    else
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ verification: challenge }));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
