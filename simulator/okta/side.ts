import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { groupsOf, usersOf, type Tenant } from '../tenant/tenant.ts';
import { HookDispatcher } from './hooks/dispatcher.ts';
import type { ServiceKey } from './keys.ts';
import { RateLimits } from './limits.ts';
import { Org } from './org.ts';
import { seedOrg } from './seed.ts';
import { oktaApiToken, oktaClientId } from './seedAccess.ts';
import { Tokens } from './tokens.ts';

interface OktaDependencies {
  clock: Clock;
  random: () => Random;
  tenant: () => Tenant;
  key: ServiceKey;
}

/** The Okta half of the simulator: the org, who may call it, and its event hooks. */
export class OktaSide {
  readonly key: ServiceKey;
  readonly clientId: string;
  readonly apiToken: string;
  readonly hooks: HookDispatcher;
  org: Org;
  tokens = new Tokens();
  limits: RateLimits;
  readonly #dependencies: OktaDependencies;

  constructor(dependencies: OktaDependencies) {
    const { clock, random, key } = dependencies;
    this.#dependencies = dependencies;
    this.key = key;
    this.clientId = oktaClientId(random());
    this.apiToken = oktaApiToken(random());
    this.hooks = new HookDispatcher({ clock, random, hooks: () => this.org.hooks });
    this.org = this.#seeded();
    this.limits = new RateLimits(this.org.settings);
  }

  /** Back to the seed; whatever the hooks still had to send is dropped. */
  reset(): void {
    this.hooks.reset();
    this.tokens = new Tokens();
    this.org = this.#seeded();
    this.limits = new RateLimits(this.org.settings);
  }

  #seeded(): Org {
    const { clock, random, tenant } = this.#dependencies;
    const entra = tenant().view('entra');
    const contents = seedOrg(random(), {
      users: usersOf(entra),
      groups: groupsOf(entra),
      clientId: this.clientId,
    });
    const match = (upn: string): string | null =>
      tenant()
        .view('entra')
        .named(upn)
        .find((object) => object.type === 'user' && object.userPrincipalName.toLowerCase() === upn.toLowerCase())?.id ??
      null;
    const provision = (id: string, accountEnabled: boolean): void => {
      const user = tenant().view('entra').get(id);
      if (user?.type === 'user') tenant().commit('entra', [{ put: { ...user, accountEnabled } }]);
    };
    const pushImmutableId = (id: string, immutableId: string): boolean => {
      const user = tenant().view('entra').get(id);
      if (user?.type !== 'user') return false;
      if (user.onPremisesImmutableId === immutableId) return true;
      const { federatedImmutableId } = tenant().settings.userWrites;
      const isHeld = usersOf(tenant().view('entra')).some((other) => other.onPremisesImmutableId === immutableId);
      const isFixed =
        tenant().isFederated(user.userPrincipalName) &&
        (federatedImmutableId === 'refused' ||
          (federatedImmutableId === 'refusedOnceSet' && user.onPremisesImmutableId !== null));
      if (user.onPremisesSyncEnabled || isHeld || isFixed) return false;
      tenant().commit('entra', [{ put: { ...user, onPremisesImmutableId: immutableId } }]);
      return true;
    };
    const publish = this.hooks.publish;
    return new Org(contents, { clock, random: random(), publish, provision, pushImmutableId, match });
  }
}
