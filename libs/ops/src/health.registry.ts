import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

/** Something this process needs in order to work. */
export interface HealthProbe {
  readonly name: string;
  /** Facts for people. @throws when what it looks at is not usable; the message becomes public */
  probe(): Promise<Readonly<Record<string, unknown>>>;
}

/** What readiness asks. Libraries know nothing of it; the application registers probes for them. */
@Injectable()
export class HealthRegistry implements BeforeApplicationShutdown {
  private readonly registered: HealthProbe[] = [];
  private leaving = false;

  register(probe: HealthProbe): void {
    this.registered.push(probe);
  }

  get probes(): readonly HealthProbe[] {
    return this.registered;
  }

  /** True once the process has been told to stop: it still works, but should get no new work. */
  get stopping(): boolean {
    return this.leaving;
  }

  /** Makes readiness answer "no" from now on. */
  leave(): void {
    this.leaving = true;
  }

  beforeApplicationShutdown(): void {
    this.leave();
  }
}
