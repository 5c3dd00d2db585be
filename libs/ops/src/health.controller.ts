import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { HealthRegistry } from './health.registry.js';

/** Liveness says that the process runs, whatever else is down; readiness says that it can work. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly registry: HealthRegistry,
  ) {}

  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  @HealthCheck({ swaggerDocumentation: false })
  ready() {
    const { probes, stopping } = this.registry;
    return this.health.check([
      () => {
        const process = this.indicators.check('process');
        return stopping ? process.down('is stopping') : process.up();
      },
      ...probes.map(({ name, probe }) => async () => {
        const indicator = this.indicators.check(name);
        try {
          return indicator.up(await probe());
        } catch (error) {
          return indicator.down((error as Error).message);
        }
      }),
    ]);
  }
}
