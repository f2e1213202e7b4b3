import { errorMessage } from '../../../runtime/error-message.ts';
import type { ListenerStatus } from '../../source.ts';
import type { PgLogfebeEvents } from './events.ts';
import type { FebeListener } from './febe-listener.ts';
import type { Tenant } from './tenant.ts';

export interface TenantListenersOptions {
  readonly events: PgLogfebeEvents;
  readonly createListener: (tenant: Tenant) => FebeListener;
  /** The tenant's listener was removed. */
  readonly removed: (tenant: Tenant) => void;
}

interface Served {
  tenant: Tenant;
  readonly listener: FebeListener;
  open: boolean;
  /** Why it could not be opened. */
  failure?: string;
}

/**
 * The listeners of all tenants. A new list changes only the listeners that differ: each forced disconnect loses one
 * record of each process, so a tenant with the same identity and path keeps its connections, also when its name or
 * its credential changes.
 */
export class TenantListeners {
  readonly #options: TenantListenersOptions;
  readonly #served = new Map<string, Served>();

  constructor(options: TenantListenersOptions) {
    this.#options = options;
  }

  /** Never rejects: a failure to listen at one path affects one tenant only, and `retry` tries it again. */
  async apply(tenants: readonly Tenant[]): Promise<void> {
    const wanted = new Map(tenants.map((tenant) => [tenant.path, tenant]));
    const gone = [...this.#served.values()].filter(
      ({ tenant }) => wanted.get(tenant.path)?.identity !== tenant.identity,
    );
    await Promise.all(gone.map((served) => this.#remove(served)));
    for (const tenant of tenants) {
      const served = this.#served.get(tenant.path);
      if (served === undefined) this.#add(tenant);
      else {
        served.tenant = tenant;
        served.listener.tenant = tenant;
      }
    }
    await this.retry();
  }

  /** Opens the listeners that are not open yet. */
  async retry(): Promise<void> {
    await Promise.all(
      [...this.#served.values()].filter(({ open }) => !open).map((served) => this.#open(served)),
    );
  }

  status(): readonly ListenerStatus[] {
    return Array.from(this.#served.values(), ({ listener, failure }) => listener.status(failure));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#served.values()].map(({ listener }) => listener.close()));
    this.#served.clear();
  }

  #add(tenant: Tenant): void {
    this.#served.set(tenant.path, { tenant, listener: this.#options.createListener(tenant), open: false });
  }

  async #open(served: Served): Promise<void> {
    try {
      await served.listener.open();
      served.open = true;
    } catch (error) {
      served.failure = errorMessage(error);
      this.#options.events.listenFailed({ ...served.tenant, reason: served.failure });
    }
  }

  async #remove({ tenant, listener }: Served): Promise<void> {
    this.#served.delete(tenant.path);
    await listener.close();
    this.#options.removed(tenant);
  }
}
