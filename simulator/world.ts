import { createClock, type Clock } from './clock.ts';
import { Faults } from './http/faults.ts';
import { Journal } from './http/journal.ts';
import { LateWrites } from './http/lateWrites.ts';
import { Limits } from './http/limits.ts';
import type { ServiceKey } from './okta/keys.ts';
import { OktaSide } from './okta/side.ts';
import { createRandom, type Random } from './random.ts';
import { seedIds, seedTenant, type SeedIds } from './tenant/seed.ts';
import { Tenant } from './tenant/tenant.ts';
import type { TokenIssuer } from './tokens/issuer.ts';

/** What all servers of one simulator share. */
export class World {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly limits: Limits;
  readonly late: LateWrites;
  readonly journal = new Journal();
  readonly issuer: TokenIssuer;
  readonly ids: SeedIds;
  /** PEM of the certificates registered for the app. */
  readonly clientCertificates: readonly string[];
  random: Random;
  tenant: Tenant;
  readonly okta: OktaSide;
  readonly #seed: number;

  constructor(options: {
    seed: number;
    now: (() => number) | undefined;
    speed: number | undefined;
    issuer: TokenIssuer;
    clientCertificates: string[];
    oktaKey: ServiceKey;
  }) {
    this.#seed = options.seed;
    this.clock = createClock(options.now, options.speed);
    this.random = createRandom(options.seed);
    this.ids = seedIds(this.random);
    this.issuer = options.issuer;
    this.clientCertificates = options.clientCertificates;
    this.faults = new Faults(this.clock, { ...this.random, next: () => this.random.next() });
    this.late = new LateWrites(this.clock);
    this.limits = new Limits(this.clock, () => this.tenant.settings.limits);
    this.tenant = this.#seededTenant();
    this.okta = new OktaSide({
      clock: this.clock,
      random: () => this.random,
      tenant: () => this.tenant,
      key: options.oktaKey,
    });
  }

  /** Back to the seed: tenant, Okta org, clock, faults and journal. */
  reset(): void {
    this.clock.reset();
    this.faults.clear();
    this.late.clear();
    this.journal.clear();
    this.random = createRandom(this.#seed);
    this.tenant = this.#seededTenant();
    this.okta.reset();
  }

  #seededTenant(): Tenant {
    return new Tenant(seedTenant(this.random, this.clock.now()), this.clock);
  }
}
