import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Engine, MessageRegistry } from '@nestbox/messaging';
import { HealthRegistry } from '@nestbox/ops';

/** Tells readiness what this process needs: its databases, and whatever carries its events. */
@Injectable()
export class HealthProbes implements OnModuleInit {
  constructor(
    private readonly health: HealthRegistry,
    private readonly registry: MessageRegistry,
    private readonly engine: Engine,
  ) {}

  onModuleInit(): void {
    for (const { db } of this.registry.contexts) {
      this.health.register({
        name: `database ${db.context}`,
        probe: async () => {
          await db.query('select 1').catch(() => {
            throw new Error('cannot be reached');
          });
          return {};
        },
      });
    }
    this.health.register({
      name: 'messaging',
      probe: async () => {
        const { transport, readers, problems } = this.engine.state();
        if (transport === 'down') throw new Error('the broker cannot be reached');
        // Not a reason to be taken out of service: what this process is asked for it can do, only events wait.
        return { lanes: Object.fromEntries(readers.map((reader) => [reader.name, reader.lanes.length])), problems };
      },
    });
  }
}
