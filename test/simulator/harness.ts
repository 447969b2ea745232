import { randomUUID } from 'node:crypto';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator/index.ts';

/** The shapes of the answers of all servers together; a test that reads what is not there fails. */
export interface Body {
  id: string;
  value: Record<string, unknown>[];
  error: {
    code: string;
    message: string;
    details: { code: string; target: string; message: string }[];
    innerError: Record<string, string>;
    innererror: { internalexception: { message: string; type: string } };
  };
  '@odata.nextLink'?: string;
  '@adminapi.warnings': string[];
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** null where it is no JSON. */
  body: Body;
}

export interface State {
  users: { id: string; userPrincipalName: string }[];
  contacts: { id: string; mail: string }[];
  groups: {
    id: string;
    displayName: string;
    mail: string | null;
    description: string | null;
    mailNickname: string;
    proxyAddresses: string[];
    members: string[];
    owners: string[];
    exchange: Record<string, unknown> | null;
  }[];
  servicePrincipals: { id: string; appId: string; displayName: string }[];
}

interface CallOptions {
  method?: string;
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

const read = async (response: Response): Promise<Answer> => {
  const text = await response.text();
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not every answer of these services is JSON.
  }
  return { status: response.status, headers: response.headers, text, body: body as Body };
};

/** A started simulator, and calls to it as a client would make them. */
export class Bench {
  readonly sim: Simulator;
  #tokens = new Map<string, string>();

  private constructor(sim: Simulator) {
    this.sim = sim;
  }

  static async start(options?: SimulatorOptions): Promise<Bench> {
    return new Bench(await startSimulator(options));
  }

  async request(url: string, { method = 'GET', token, body, headers = {} }: CallOptions = {}): Promise<Answer> {
    return read(
      await fetch(url, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
  }

  control(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.request(`${this.sim.urls.control}/_sim/${path}`, { method, body });
  }

  async state(): Promise<State> {
    return (await this.control('GET', 'state')).body as unknown as State;
  }

  async group(displayName: string): Promise<State['groups'][number]> {
    const found = (await this.state()).groups.find((group) => group.displayName === displayName);
    if (!found) throw new Error(`no group ${displayName}`);
    return found;
  }

  async userId(userPrincipalName: string): Promise<string> {
    const found = (await this.state()).users.find((user) => user.userPrincipalName === userPrincipalName);
    if (!found) throw new Error(`no user ${userPrincipalName}`);
    return found.id;
  }

  /** A new token of an app with these grants, put into the tenant under this name. */
  async tokenWith(
    displayName: string,
    grants: {
      graph?: string[];
      directoryRoles?: string[];
      scopedRoles?: { role: string; administrativeUnit: string }[];
    },
  ): Promise<string> {
    const present = (await this.state()).servicePrincipals.find((each) => each.displayName === displayName);
    const { graph = ['User.ReadWrite.All'], directoryRoles = [], scopedRoles = [] } = grants;
    const appId = present?.appId ?? randomUUID();
    const put = await this.control('PUT', 'tenant', {
      servicePrincipals: [{ appId, displayName, roles: { graph }, directoryRoles, scopedRoles }],
    });
    if (put.status !== 200) throw new Error(put.text);
    return this.token('graph', displayName);
  }

  /** A new token of the managed identity, or of a seeded app by its name. */
  async token(resource: 'graph' | 'exchange', app?: string): Promise<string> {
    const audience = { graph: 'https://graph.microsoft.com', exchange: 'https://outlook.office365.com' }[resource];
    const principals = app === undefined ? [] : (await this.state()).servicePrincipals;
    const clientId = principals.find(({ displayName }) => displayName === app)?.appId;
    const query = new URLSearchParams({ resource: audience, 'api-version': '2019-08-01' });
    if (clientId !== undefined) query.set('client_id', clientId);
    const answer = await this.request(`${this.sim.urls.identity}?${query.toString()}`, {
      headers: { 'x-identity-header': this.sim.identityHeader },
    });
    return (answer.body as unknown as { access_token: string }).access_token;
  }

  async #cached(resource: 'graph' | 'exchange'): Promise<string> {
    const token = this.#tokens.get(resource) ?? (await this.token(resource));
    this.#tokens.set(resource, token);
    return token;
  }

  async graph(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const token = options.token ?? (await this.#cached('graph'));
    return this.request(`${this.sim.urls.graph}/v1.0${path}`, { ...options, method, token });
  }

  async exchange(path: string, options: CallOptions = {}): Promise<Answer> {
    const token = options.token ?? (await this.#cached('exchange'));
    return this.request(`${this.sim.urls.exchange}${path}`, { method: 'POST', ...options, token });
  }

  invoke(CmdletName: string, Parameters: object = {}, options: CallOptions & { query?: string } = {}): Promise<Answer> {
    return this.exchange(`/adminapi/beta/${this.sim.tenantId}/InvokeCommand${options.query ?? ''}`, {
      ...options,
      body: { CmdletInput: { CmdletName, Parameters } },
    });
  }

  /** A mail-enabled security group with these members. */
  async createGroup(Name: string, Members: string[] = []): Promise<void> {
    const made = await this.invoke('New-DistributionGroup', {
      Name,
      Type: 'Security',
      ManagedBy: ['amara.osei@contoso.com'],
      Members,
    });
    if (made.status !== 200) throw new Error(made.text);
  }
}

/** The text of a cmdlet's error: Ex…|type|text (exchange.md §1.7). */
export const detailOf = ({ body }: Answer): string => body.error.details[0]?.message ?? '';
